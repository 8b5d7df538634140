// SPDX-License-Identifier: Apache-2.0
// What one connection may still send (Discord docs, Gateway, Rate Limiting): 120 payloads in any
// 60 s, of which a share is kept for heartbeats; op 3 five times in 20 s; op 8 for a whole guild
// once in 30 s. Pure. Owner: session_fsm. Spec: docs/protocol.md, Sending.
#pragma once

#include <cstddef>
#include <deque>
#include <unordered_map>

#include "shardgate/base/ids.hpp"
#include "shardgate/base/time.hpp"
#include "shardgate/shard/command.hpp"

namespace shardgate {

class command_limiter {
public:
    static constexpr unsigned window_payloads = 120;
    // The server counts when a payload arrives, we when it leaves: half a second of jitter between
    // two payloads must not turn 120 in 60 s into 121.
    static constexpr duration window = std::chrono::milliseconds(60500);
    static constexpr unsigned presences = 5;
    static constexpr duration presence_window = std::chrono::milliseconds(20500);
    static constexpr duration member_list_window = std::chrono::milliseconds(30500);
    // Guilds remembered for op 8. A connection sends less than that in 30 s; more can only come
    // from RATE_LIMITED events, of which the one that ends first is forgotten.
    static constexpr std::size_t max_guilds = 512;

    // A new connection starts with a new allowance; the sub-limits of op 3 and op 8 are kept, as
    // nothing says they belong to the connection. `slowed`: the last one ended with 4008, use half.
    void begin(duration heartbeat_interval, bool slowed) noexcept;

    // Heartbeats on the timer are never asked for and never counted: begin() set aside as many as a
    // window can hold.
    //
    // May a beat that the peer asked for go now? With `keep_one` the last place stays free for
    // IDENTIFY or RESUME.
    [[nodiscard]] bool may_answer(bool keep_one, time_point now) noexcept;
    // IDENTIFY, RESUME or an asked-for beat went out.
    void count(time_point now);

    // When `command` may go at the earliest; a time up to `now` means now.
    [[nodiscard]] time_point earliest(const gateway_command& command, time_point now) noexcept;
    // It went.
    void count(const gateway_command& command, time_point now);

    // Discord's RATE_LIMITED for op 8 on this guild.
    void rate_limited(snowflake guild, duration retry_after, time_point now);

    // Ordinary payloads per window on this connection.
    [[nodiscard]] unsigned allowance() const noexcept { return commands_; }

private:
    [[nodiscard]] std::size_t sent_lately(time_point now) noexcept;
    void hold_guild(snowflake guild, time_point until, time_point now);

    unsigned answers_ = 0;   // the most that may leave in a window beside the timer's beats
    unsigned commands_ = 0;  // the most a command may make of it
    std::deque<time_point> sent_;
    std::deque<time_point> presences_sent_;
    std::unordered_map<snowflake, time_point> guild_free_at_;
};

}  // namespace shardgate
