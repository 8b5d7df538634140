// SPDX-License-Identifier: Apache-2.0
// A quantile of what a histogram took in between two looks at it, estimated within its bucket as
// Prometheus' histogram_quantile does. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "shardgate/metrics/histogram.hpp"

namespace shardgate::admin {

// Seconds; nothing: there was nothing between. Pre: `after` has counted on from `before`.
[[nodiscard]] inline std::optional<double> quantile(const histogram& before, const histogram& after,
                                                    double q) {
    const std::uint64_t all = after.count() - before.count();
    if (all == 0) return std::nullopt;
    const double rank = q * static_cast<double>(all);
    double below = 0;
    for (std::size_t i = 0; i < histogram::bounds.size(); ++i) {
        const auto here = static_cast<double>(after.bucket(i) - before.bucket(i));
        if (here > 0 && below + here >= rank) {
            const double low = i == 0 ? 0 : histogram::bounds[i - 1];
            return low + (histogram::bounds[i] - low) * (rank - below) / here;
        }
        below += here;
    }
    return histogram::bounds.back();
}

}  // namespace shardgate::admin
