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

    // MESSAGE_CREATE and MESSAGE_UPDATE, when asked for (scan_options): hashes over the raw JSON of
    // what a person or bot can change, and of `content` alone.
    std::uint64_t edit_fingerprint = 0;
    std::uint64_t content_fingerprint = 0;
    bool has_content = false;  // d.content is present (partial updates may lack it)
};

struct envelope {
    std::int32_t op = -1;
    std::optional<std::uint64_t> s;
    std::string_view t;  // empty when null or absent
    event_id event = event_id::unknown;
    std::string_view frame;  // the whole JSON text, outer white space trimmed
    std::string_view d;      // its raw JSON; empty when absent
    dispatch_fields fields;  // op 0 only
};

// READY's d (Discord docs, Gateway Events, Ready).
struct ready_info {
    std::string session_id;
    std::string resume_gateway_url;  // no query; may be empty if Discord left it out
    std::vector<snowflake> guilds;   // the stubs
    snowflake user{};
    snowflake application{};
};

struct scan_options {
    bool fingerprints = true;  // compute edit_fingerprint and content_fingerprint
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
    // frame's bytes and until the next scan(). Fails on anything that is not one JSON object with a
    // numeric op, whose op 0 lacks s, t or an object d.
    [[nodiscard]] result<envelope> scan(std::string_view frame);

    // HELLO's heartbeat_interval in milliseconds; READY; op 9's flag. `d` is an envelope's d of the
    // last scan.
    [[nodiscard]] result<std::uint64_t> hello_interval_ms(std::string_view d);
    [[nodiscard]] result<ready_info> ready(std::string_view d);

    // Gives memory beyond what frames of `bytes` need back.
    void shrink(std::size_t bytes);

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace shardgate
