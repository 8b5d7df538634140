// SPDX-License-Identifier: Apache-2.0
// Randomness as a parameter, so that a test can repeat a run. Not for secrets.
#pragma once

#include <cstdint>
#include <random>

#include "shardgate/base/time.hpp"

namespace shardgate {

class random_source {
public:
    explicit random_source(std::uint64_t seed) : engine_(seed) {}

    // In [0, 1).
    [[nodiscard]] double unit() {
        return std::uniform_real_distribution<double>(0.0, 1.0)(engine_);
    }

    // In [low, high].
    [[nodiscard]] duration between(duration low, duration high) {
        return duration(
            std::uniform_int_distribution<duration::rep>(low.count(), high.count())(engine_));
    }

    // In [0, bound). Pre: bound > 0.
    [[nodiscard]] std::uint64_t below(std::uint64_t bound) {
        return std::uniform_int_distribution<std::uint64_t>(0, bound - 1)(engine_);
    }

private:
    std::mt19937_64 engine_;
};

}  // namespace shardgate
