// SPDX-License-Identifier: Apache-2.0
// What to do after a gateway connection closed, by its close code
// (Discord docs, Opcodes and Status Codes, Gateway Close Event Codes).
#pragma once

#include <cstdint>
#include <string_view>

namespace shardgate {

// A WebSocket close code as received; 0 = the connection ended without one.
using close_code = std::uint16_t;

enum class close_action : std::uint8_t {
    resume,      // the session lives: reconnect and RESUME
    identify,    // the session is gone: reconnect and IDENTIFY through the pacer
    park_shard,  // 4010, 4011: this shard cannot run with this shard count
    stop_bot,    // 4004, 4012, 4013, 4014: no shard can run with this token or configuration
};

struct close_rule {
    close_code code;
    close_action action;
    std::string_view name;      // as in Discord's table
    std::string_view guidance;  // one sentence for the operator; empty where none is needed
};

// The rule for `code`. Codes that Discord does not list resume: only a client's own 1000 or 1001
// ends a session.
[[nodiscard]] const close_rule& rule_for(close_code code) noexcept;

// The code we close with to keep a session resumable. Anything but 1000 and 1001 would do.
inline constexpr close_code close_to_resume = 4200;
// Ends the session at Discord's side. Only for a retired shard set.
inline constexpr close_code close_for_good = 1000;

}  // namespace shardgate
