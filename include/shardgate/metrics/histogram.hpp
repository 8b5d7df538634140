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
        const double seconds = std::chrono::duration<double>(value).count();
        const auto at = std::lower_bound(bounds.begin(), bounds.end(), seconds) - bounds.begin();
        ++counts_[static_cast<std::size_t>(at)];
        sum_ += seconds;
        ++count_;
    }

    // Observations in bucket i (not cumulative); the last one is +Inf.
    [[nodiscard]] std::uint64_t bucket(std::size_t i) const noexcept { return counts_[i]; }
    [[nodiscard]] static constexpr std::size_t bucket_count() noexcept { return bounds.size() + 1; }
    [[nodiscard]] double sum() const noexcept { return sum_; }
    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }

private:
    std::array<std::uint64_t, bounds.size() + 1> counts_{};
    double sum_ = 0;
    std::uint64_t count_ = 0;
};

}  // namespace shardgate
