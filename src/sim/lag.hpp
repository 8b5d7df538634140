// SPDX-License-Identifier: Apache-2.0
// How late a session delivers its dispatches: between 0 and a bound, slowly up and down, each
// session in its own way. Two shard sets are as far apart as that. Pure.
#pragma once

#include <cstdint>

#include "shardgate/base/time.hpp"
#include "sim/rng.hpp"

namespace shardgate::sim {

class lag_curve {
public:
    lag_curve() : lag_curve(0) {}
    explicit lag_curve(std::uint64_t seed);

    // In [0, most]. `scale` divides the period, as it does all of the simulator's intervals.
    [[nodiscard]] duration at(time_point now, duration most, double scale) const noexcept;

private:
    double low_, high_;  // shares of the bound
    double period_;      // seconds, 5 to 30
    double phase_;       // radians
};

}  // namespace shardgate::sim
