// SPDX-License-Identifier: Apache-2.0
// How often the loop looks at its sockets when events travel together (pipelining, batches). Pure.
//
// A handler that takes 16 ms to answer is not served sooner by being written to for each event that
// comes: what comes within one of them may as well leave together, for a part of the CPU. So what
// this adds to an event's way is at most an eighth of what its answer takes, and never more than
// two milliseconds; to a handler that answers at once it adds nothing.
#pragma once

#include <algorithm>
#include <chrono>

#include "shardgate/base/time.hpp"

namespace shardgate {

inline constexpr int turns_per_answer = 8;
inline constexpr duration longest_turn = std::chrono::milliseconds(2);

// From the beginning of one turn to that of the next. `answer`: delivery::answer_time().
[[nodiscard]] constexpr duration turn_pace(duration answer) noexcept {
    return std::clamp<duration>(answer / turns_per_answer, duration::zero(), longest_turn);
}

}  // namespace shardgate
