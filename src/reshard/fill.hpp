// SPDX-License-Identifier: Apache-2.0
// How full shards are, and would be with another number of them. Pure.
#pragma once

#include <cstdint>

#include "shardgate/reshard/plan.hpp"

namespace shardgate {

inline constexpr std::uint32_t nearly_full = 90;  // percent: from here on an operator is told

// Exact for every whole percentage.
[[nodiscard]] constexpr std::uint32_t guilds_at(std::uint32_t percentage) noexcept {
    return guilds_per_shard * percentage / 100;
}

struct fill_of_shards {
    std::uint32_t total;    // now
    std::uint32_t held;     // of those, ours
    std::uint64_t guilds;   // on ours
    std::uint64_t fullest;  // on the fullest of ours

    // Guilds on the fullest of ours with `n` in all. Guilds go to shards by the time they were made
    // ((id >> 22) % n), which is as good as chance: a tenth above the average covers the spread of
    // shards that matter (2,500 guilds: five standard deviations).
    [[nodiscard]] std::uint64_t at(std::uint32_t n) const noexcept;
    // The smallest number from `from` on with fewer than `limit` guilds on the fullest, now as
    // uneven as it may be; more than most_shards if none is.
    [[nodiscard]] std::uint32_t least(std::uint32_t limit, std::uint32_t from) const noexcept;
};

}  // namespace shardgate
