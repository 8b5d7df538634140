// SPDX-License-Identifier: Apache-2.0
#include "sim/copies.hpp"

#include <algorithm>

namespace shardgate::sim {

namespace {

constexpr std::uint64_t above(std::uint64_t a, std::uint64_t b) noexcept {
    return a > b ? a - b : 0;
}

}  // namespace

copies_tally tally_of(const copies& c) noexcept {
    const std::uint64_t happened = 1ULL + c.must;
    const std::uint64_t right = happened + c.may;
    const std::uint64_t wanted = c.must - c.lost;  // repetitions that can still be delivered
    const std::uint64_t came = above(c.receipts, 1);
    copies_tally t;
    t.received = std::min<std::uint64_t>(came, c.must);
    t.missing = above(wanted, came);
    t.lost_received = std::min<std::uint64_t>(c.lost, above(came, wanted));
    t.same_key = above(std::min<std::uint64_t>(c.receipts, happened), c.keys.size());
    const std::uint64_t extra = above(c.receipts, right);
    t.extra_other_key = std::min(extra, above(c.keys.size(), right));
    t.extra_same_key = extra - t.extra_other_key;
    return t;
}

}  // namespace shardgate::sim
