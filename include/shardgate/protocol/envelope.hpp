// SPDX-License-Identifier: Apache-2.0
// One gateway frame, read once: op, s, t, where `d` lies, and the few members of `d` that decide an
// event's way. Any key order; only keys at their own depth count (Discord docs, Gateway, Payloads).
// All views point into the scanned bytes, but for escaped strings (see scanner).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shardgate/base/ids.hpp"
#include "shardgate/base/result.hpp"
#include "shardgate/protocol/event_name.hpp"

namespace shardgate {

// Members of a dispatch's `d`, at its own depth. What an event does not have stays empty or 0.
struct dispatch_fields {
    snowflake guild{};    // d.guild_id; d.id for GUILD_CREATE/UPDATE/DELETE; d.meta.guild_id for
                          // RATE_LIMITED
    snowflake channel{};  // d.channel_id
    snowflake id{};       // d.id
    std::optional<bool> unavailable;  // GUILD_CREATE, GUILD_DELETE
    bool only_stub = false;           // GUILD_CREATE whose d has no member but id and unavailable

    // INTERACTION_CREATE only.
    std::uint32_t interaction_type = 0;
    std::string_view interaction_token;
    bool interaction_has_message = false;

    // MESSAGE_CREATE and MESSAGE_UPDATE, when asked for (scan_options); else 0 and false.
    // edit_fingerprint: a hash over what a person or bot can change: content, attachments (their
    // signed URLs left out), pinned, flags, components, poll (votes left out), sticker_items,
    // edited_timestamp. A member that is missing, null or empty counts alike. Not 0.
    // content_fingerprint: `content` alone; not 0 when has_content.
    std::uint64_t edit_fingerprint = 0;
    std::uint64_t content_fingerprint = 0;
    bool has_content = false;   // d.content is present (partial updates may lack it)
    bool has_editable = false;  // one of the members above is present
};

struct envelope {
    std::int32_t op = -1;
    std::optional<std::uint64_t> s;
    // Empty when null or absent. In op 0 printable ASCII without quote or backslash, so that it can
    // stand in a header or a JSON string as it is.
    std::string_view t;
    event_id event = event_id::unknown;
    std::string_view frame;  // the whole JSON text, outer white space trimmed
    std::string_view d;      // its raw JSON; empty when absent
    dispatch_fields fields;  // op 0 only
};

// Discord's own bound is 2,500 a shard; this one only keeps a hostile READY from filling memory.
inline constexpr std::size_t max_ready_guilds = 1'000'000;

// READY's d (Discord docs, Gateway Events, Ready).
struct ready_info {
    std::string session_id;          // printable ASCII, 1 to 256 characters
    std::string resume_gateway_url;  // no query; may be empty if Discord left it out
    std::vector<snowflake> guilds;   // the stubs, at most max_ready_guilds
    std::size_t guilds_ignored = 0;  // stubs above that bound or without a usable id
    snowflake user{};
    snowflake application{};
};

// Of a VOICE_STATE_UPDATE's d, or an element of GUILD_CREATE's voice_states (Discord docs, Voice,
// Voice State Object).
struct voice_state {
    snowflake user{};
    snowflake channel{};  // 0: it left
};

// The key of the fingerprint hash: random, one a process, so that nobody can prepare two texts
// that look alike to the filter while scanners of different loops still agree.
[[nodiscard]] std::uint64_t process_hash_seed();

// Of a GUILD_MEMBERS_CHUNK's d. What cannot be read is 0 or empty.
struct member_chunk {
    std::string nonce;
    std::uint32_t index = 0, count = 0;
};

struct scan_options {
    bool fingerprints = true;  // compute edit_fingerprint and content_fingerprint
    std::uint64_t seed = process_hash_seed();
};

// Reads frames. One per loop; keeps and reuses its buffers, which grow to the largest frame and are
// given back by shrink(). Not thread-safe.
class scanner {
public:
    // Bytes that must be readable behind the frame (simdjson reads whole vectors).
    static constexpr std::size_t padding = 64;

    explicit scanner(scan_options options = {});
    ~scanner();
    scanner(const scanner&) = delete;
    scanner& operator=(const scanner&) = delete;

    // Pre: `padding` readable bytes follow `frame`. The envelope's views live as long as the
    // frame's bytes and until the next scan(). Fails on anything that is not one JSON object with
    // an integer op, whose op 0 lacks s, t or d. A d that is no object passes: no fields, but no
    // disconnect (and endless replay) over an event that only the handler has to understand. Of
    // equal keys the last one counts, as in JSON.parse().
    [[nodiscard]] result<envelope> scan(std::string_view frame);

    // HELLO's heartbeat_interval in milliseconds (1 ms to a day); READY. `d` is an envelope's d.
    // They leave the last scan's views alone.
    [[nodiscard]] result<std::uint64_t> hello_interval_ms(std::string_view d);
    [[nodiscard]] result<ready_info> ready(std::string_view d);
    // VOICE_STATE_UPDATE; what cannot be read is empty.
    [[nodiscard]] voice_state voice_state_of(std::string_view d);
    // GUILD_CREATE: where `user` is; 0: in no voice channel, or not to be read.
    [[nodiscard]] snowflake voice_channel_of(std::string_view d, snowflake user);

    // From the next scan() on.
    void set_fingerprints(bool compute) noexcept;

    [[nodiscard]] member_chunk member_chunk_of(std::string_view d);

    // Gives memory beyond what frames of `bytes` need back.
    void shrink(std::size_t bytes);

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace shardgate
