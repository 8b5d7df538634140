// SPDX-License-Identifier: Apache-2.0
// Fast repeatable randomness for payloads: splitmix64. One value names a whole stream, so that the
// same user, guild or message is rendered alike each time. Not for secrets.
#pragma once

#include <cstdint>

namespace shardgate::sim {

class rng {
public:
    explicit constexpr rng(std::uint64_t seed) noexcept : state_(seed) {}

    constexpr std::uint64_t next() noexcept {
        std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
        return z ^ (z >> 31);
    }

    // In [0, bound). Pre: 0 < bound <= 2^32. The bias of the multiply is below 2^-32.
    constexpr std::uint32_t below(std::uint64_t bound) noexcept {
        return static_cast<std::uint32_t>(((next() >> 32) * bound) >> 32);
    }

    // In [0, 1).
    constexpr double unit() noexcept { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

    constexpr bool chance(double p) noexcept { return p > 0 && unit() < p; }

private:
    std::uint64_t state_;
};

// One stream's seed out of two names.
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept {
    return rng(a ^ (b * 0xd6e8feb86659fd93ULL)).next();
}

}  // namespace shardgate::sim
