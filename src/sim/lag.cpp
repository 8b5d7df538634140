// SPDX-License-Identifier: Apache-2.0
#include "sim/lag.hpp"

#include <cmath>

namespace shardgate::sim {

namespace {

constexpr double turn = 6.283185307179586;

}  // namespace

lag_curve::lag_curve(std::uint64_t seed) {
    rng random(seed);
    low_ = 0.5 * random.unit();
    high_ = 0.5 + 0.5 * random.unit();
    period_ = 5 + 25 * random.unit();
    phase_ = turn * random.unit();
}

duration lag_curve::at(time_point now, duration most, double scale) const noexcept {
    const double seconds = std::chrono::duration<double>(now.time_since_epoch()).count() * scale;
    const double wave = 0.5 + 0.5 * std::sin(turn * seconds / period_ + phase_);
    const double share = low_ + (high_ - low_) * wave;
    return std::chrono::duration_cast<duration>(
        std::chrono::duration<double, std::nano>(static_cast<double>(most.count()) * share));
}

}  // namespace shardgate::sim
