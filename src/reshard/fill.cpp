// SPDX-License-Identifier: Apache-2.0
#include "reshard/fill.hpp"

#include <algorithm>

namespace shardgate {

namespace {

constexpr std::uint64_t divided_up(std::uint64_t a, std::uint64_t b) noexcept {
    return a / b + (a % b != 0 ? 1 : 0);
}

}  // namespace

std::uint64_t fill_of_shards::at(std::uint32_t n) const noexcept {
    if (n == total) return fullest;
    if (n == 1) return guilds;
    // guilds / (n * held / total), and a tenth.
    std::uint64_t out = divided_up(guilds * 11 * total, std::uint64_t{10} * n * held);
    // Every shard of a multiple has its guilds from one shard of ours.
    if (n % total == 0) out = std::min(out, fullest);
    return std::min(out, guilds);
}

std::uint32_t fill_of_shards::least(std::uint32_t limit, std::uint32_t from) const noexcept {
    std::uint32_t n = std::max(from, 1U);
    for (; n <= most_shards; ++n) {
        const std::uint64_t as_uneven =
            n > total ? divided_up(fullest * total, n) : std::uint64_t{0};
        if (std::max(at(n), as_uneven) < limit) break;
    }
    return n;
}

}  // namespace shardgate
