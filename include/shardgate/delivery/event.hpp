// SPDX-License-Identifier: Apache-2.0
// An event that delivery keeps: the one copy of Discord's bytes, in one allocation with what is
// known of it, immutable, reference counted. Made from a dispatch when the filter let it pass.
#pragma once

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "shardgate/base/ids.hpp"
#include "shardgate/base/time.hpp"
#include "shardgate/protocol/dispatch.hpp"

namespace shardgate {

class queued_event;
using event_ptr = boost::intrusive_ptr<const queued_event>;

class queued_event : public boost::intrusive_ref_counter<queued_event, boost::thread_safe_counter> {
public:
    // Copies the frame once. With forward_as set the frame is written anew around the unchanged d.
    [[nodiscard]] static event_ptr from(const dispatch& event);
    // One of the daemon's own events: {"op":0,"t":name,"s":null,"d":d}. `key` is its idempotency
    // key.
    [[nodiscard]] static event_ptr own(std::string_view name, std::string_view d,
                                       std::string_view key, shard_id shard, shard_count shards,
                                       generation gen, time_point now, wall_ms wall);

    shard_id shard{};
    shard_count shards{};
    generation gen{};
    seq_no seq{};  // 0 for own events
    session_handle session;
    event_id event = event_id::unknown;
    snowflake guild{};
    snowflake channel{};
    snowflake id{};
    guild_mark mark = guild_mark::none;
    time_point received{};
    wall_ms received_wall{};
    std::uint32_t interaction_type = 0;
    bool interaction_has_message = false;

    [[nodiscard]] std::string_view name() const noexcept;   // as forwarded
    [[nodiscard]] std::string_view frame() const noexcept;  // the whole JSON text to forward
    [[nodiscard]] std::string_view interaction_token() const noexcept;
    // "<session id>-<seq>", or the own event's key. Appends.
    void append_key(std::string& out) const;
    // What it weighs in the queue's byte bound: everything allocated for it.
    [[nodiscard]] std::size_t weight() const noexcept;

private:
    // To be filled in by the implementation (one allocation: object and text).
};

}  // namespace shardgate
