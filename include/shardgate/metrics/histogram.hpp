// SPDX-License-Identifier: Apache-2.0
// A latency histogram with fixed buckets, in seconds, as Prometheus wants it. One writer thread.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace shardgate {

class histogram {
public:
    static constexpr std::array<double, 18> bounds{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005,
                                                   0.01,   0.025,   0.05,   0.1,   0.25,   0.5,
                                                   1.0,    2.5,     5.0,    10.0,  60.0,   600.0};

    void observe(std::chrono::nanoseconds value) noexcept {
        const std::int64_t ns = value.count();
        // Mostly it is where the last one was.
        const bool same =
            (last_ == 0 || ns > edges[last_ - 1]) && (last_ == edges.size() || ns <= edges[last_]);
        if (!same)
            last_ = static_cast<std::size_t>(std::lower_bound(edges.begin(), edges.end(), ns) -
                                             edges.begin());
        ++counts_[last_];
        sum_ns_ += static_cast<double>(ns);
        ++count_;
    }

    // Observations in bucket i (not cumulative); the last one is +Inf.
    [[nodiscard]] std::uint64_t bucket(std::size_t i) const noexcept { return counts_[i]; }
    [[nodiscard]] static constexpr std::size_t bucket_count() noexcept { return bounds.size() + 1; }
    [[nodiscard]] double sum() const noexcept { return sum_ns_ / 1e9; }
    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }

private:
    static constexpr std::array<std::int64_t, bounds.size()> edges = [] {  // nanoseconds
        std::array<std::int64_t, bounds.size()> e{};
        for (std::size_t i = 0; i < e.size(); ++i)
            e[i] = static_cast<std::int64_t>(bounds[i] * 1e9 + 0.5);
        return e;
    }();

    std::array<std::uint64_t, bounds.size() + 1> counts_{};
    std::size_t last_ = 0;  // the bucket of the last observation
    double sum_ns_ = 0;
    std::uint64_t count_ = 0;
};

}  // namespace shardgate
