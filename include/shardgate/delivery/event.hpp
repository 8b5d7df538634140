// SPDX-License-Identifier: Apache-2.0
// An event that delivery keeps: the one copy of Discord's bytes, in one allocation with what is
// known of it, immutable, reference counted. Made from a dispatch when the filter let it pass.
#pragma once

#include <atomic>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <cstddef>
#include <cstdint>
#include <new>
#include <string>
#include <string_view>

#include "shardgate/base/ids.hpp"
#include "shardgate/base/time.hpp"
#include "shardgate/protocol/dispatch.hpp"

namespace shardgate {

class queued_event;

// A stored event, as it is put together again. Views: valid during the call.
struct event_parts {
    shard_id shard{};
    shard_count shards{};
    generation gen{};
    seq_no seq{};
    session_handle session;         // null for own events
    std::string_view discord_name;  // the event's name as Discord sent it
    std::string_view name;          // as forwarded
    std::string_view frame;
    std::string_view token;    // of an interaction
    std::string_view own_key;  // of one of the daemon's own events, or instead of session and seq
    guild_mark mark = guild_mark::none;
    bool interaction_has_message = false;
    std::uint32_t interaction_type = 0;
    snowflake guild{}, channel{}, id{};
    time_point received{};
    wall_ms received_wall{};
};

// A session's id as it stands in keys: what may not stand in a header is percent-encoded, what is
// too long is told apart by a hash. At most 128 characters.
void append_session_id(std::string& out, std::string_view id);

using event_ptr = boost::intrusive_ptr<const queued_event>;

class queued_event {
public:
    // Copies the frame once. With forward_as set (a plain event name) the frame is written anew
    // around the unchanged d.
    [[nodiscard]] static event_ptr from(const dispatch& event);
    // One of the daemon's own events: {"op":0,"t":name,"s":null,"d":d}. `key` is its idempotency
    // key; `guild` and `channel` put it into the lane of the events it speaks of, without them it
    // goes into its shard's. Pre: `name` is a plain event name, `d` is JSON.
    [[nodiscard]] static event_ptr own(std::string_view name, std::string_view d,
                                       std::string_view key, shard_id shard, shard_count shards,
                                       generation gen, time_point now, wall_ms wall,
                                       snowflake guild = {}, snowflake channel = {});

    // From the spool. What it gives equals what was stored, its key included.
    [[nodiscard]] static event_ptr restore(const event_parts& parts);
    // What restore() needs; the views live as long as the event.
    [[nodiscard]] event_parts parts() const;

    queued_event(const queued_event&) = delete;
    queued_event& operator=(const queued_event&) = delete;
    ~queued_event() = default;
    // The text behind the object makes its size unknown to the compiler: the object is asked first.
    static void operator delete(queued_event* event, std::destroying_delete_t) noexcept;

    shard_id shard{};
    shard_count shards{};
    generation gen{};
    seq_no seq{};  // 0 for own events
    session_handle session;
    // As Discord sent it (forward_as does not change it); for own events that of their name.
    event_id event = event_id::unknown;
    guild_mark mark = guild_mark::none;
    bool interaction_has_message = false;
    std::uint32_t interaction_type = 0;
    snowflake guild{};
    snowflake channel{};
    snowflake id{};
    time_point received{};
    wall_ms received_wall{};

    [[nodiscard]] std::string_view name() const noexcept;  // as forwarded
    // Its name is one of the table's.
    [[nodiscard]] bool has_known_name() const noexcept { return forwarded_ != event_id::unknown; }
    [[nodiscard]] std::string_view frame() const noexcept;  // the whole JSON text to forward
    [[nodiscard]] std::string_view interaction_token() const noexcept;
    [[nodiscard]] bool is_own() const noexcept { return key_size_ > 0 && session == nullptr; }
    // Whether its key is its session's id and its number.
    [[nodiscard]] bool has_session_key() const noexcept {
        return key_size_ == 0 && session != nullptr;
    }
    // "<session id>-<seq>", or the own event's key. Appends at most 160 characters that may stand
    // in a header and in a JSON string as they are; equal events give equal keys in every process.
    void append_key(std::string& out) const;
    // Holders; of another thread's, soon out of date.
    [[nodiscard]] std::uint32_t use_count() const noexcept {
        return references_.load(std::memory_order_relaxed);
    }
    // What it weighs in the queue's byte bound: all that is allocated for it, but for the rounding
    // to 128 bytes.
    [[nodiscard]] std::size_t weight() const noexcept;

private:
    struct text_bytes {
        std::size_t count;
    };

    // Counted from any thread. Its maker holds the first reference, and the last holder asks before
    // it counts: nobody else can take a reference then. Both save a locked instruction, which would
    // wait for the event's text to be written.
    friend void intrusive_ptr_add_ref(const queued_event* event) noexcept {
        event->references_.fetch_add(1, std::memory_order_relaxed);
    }
    friend void intrusive_ptr_release(const queued_event* event) noexcept {
        if (event->references_.load(std::memory_order_acquire) == 1 ||
            event->references_.fetch_sub(1, std::memory_order_acq_rel) == 1)
            delete event;
    }

    queued_event() = default;
    static void* operator new(std::size_t object, text_bytes text);
    static void operator delete(void* memory, text_bytes) noexcept;

    // Behind the object lie the frame, the name when it is not in the table, the token when it is
    // not a piece of the frame, the own event's key.
    [[nodiscard]] const char* text() const noexcept {
        return reinterpret_cast<const char*>(this + 1);
    }
    [[nodiscard]] char* text() noexcept { return reinterpret_cast<char*>(this + 1); }

    mutable std::atomic<std::uint32_t> references_{1};
    event_id forwarded_ = event_id::unknown;  // unknown: the name is in the text
    std::uint32_t name_size_ = 0;
    std::uint32_t key_size_ = 0;
    std::uint32_t token_size_ = 0;
    std::size_t token_at_ = 0;
    std::size_t frame_size_ = 0;
    std::size_t text_size_ = 0;
};

}  // namespace shardgate
