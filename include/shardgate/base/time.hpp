// SPDX-License-Identifier: Apache-2.0
// Time as a parameter: every class below the I/O layer is told what time it is and never asks.
// Only the shells call clock::now() and wall_now().
#pragma once

#include <chrono>
#include <cstdint>

namespace shardgate {

using clock = std::chrono::steady_clock;
using duration = clock::duration;
using time_point = clock::time_point;

// Unix time. Only for what the outside sees or sends: snowflakes, time stamps, stored rows.
using wall_ms = std::chrono::sys_time<std::chrono::milliseconds>;

// "No deadline": later than any time that is reached.
inline constexpr time_point never = time_point::max();

// Adds without wrapping past `never`. `d` is not negative.
[[nodiscard]] constexpr time_point later(time_point t, duration d) noexcept {
    return t > never - d ? never : t + d;
}

}  // namespace shardgate
