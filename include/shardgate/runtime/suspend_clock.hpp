// SPDX-License-Identifier: Apache-2.0
// How long the machine has slept since it started. std::chrono::steady_clock stands still in system
// sleep on Linux, so a timer cannot notice it; connections do not survive it.
#pragma once

#include <ctime>

#include "shardgate/base/time.hpp"

namespace shardgate {

// CLOCK_BOOTTIME counts sleep, CLOCK_MONOTONIC does not (clock_gettime(2)).
[[nodiscard]] inline duration time_asleep() noexcept {
    const auto read = [](clockid_t which) {
        timespec t{};
        clock_gettime(which, &t);
        return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
    };
    // The first reading is the older one: taken the other way round, awake would look like asleep.
    const duration awake = read(CLOCK_MONOTONIC);
    return read(CLOCK_BOOTTIME) - awake;
}

}  // namespace shardgate
