// SPDX-License-Identifier: Apache-2.0
// What a handler's answer means for the event. Pure.
#pragma once

#include <cstdint>

#include "shardgate/delivery/delivery.hpp"

namespace shardgate {

enum class answer : std::uint8_t {
    accepted,  // 2xx
    refused,   // the event's own fault: dead letters, the next one follows
    away,      // the handler is not there, or not now: the same event again
};

// interface.md section 3, Answer. No answer at all is `away`.
[[nodiscard]] constexpr answer read_answer(const delivery_outcome& outcome) noexcept {
    if (outcome.status >= 200 && outcome.status < 300) return answer::accepted;
    switch (outcome.status) {
    case 400:
    case 409:
    case 413:
    case 415:
    case 422: return answer::refused;
    default: return answer::away;
    }
}

}  // namespace shardgate
