// SPDX-License-Identifier: Apache-2.0
// Durations counted in log-linear buckets (16 to a power of two of microseconds), for percentiles
// within 6 %. Pure.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "shardgate/base/time.hpp"

namespace shardgate::sim {

class latency {
public:
    void observe(duration value) noexcept {
        const auto us = std::chrono::duration_cast<std::chrono::microseconds>(value).count();
        const auto v = static_cast<std::uint64_t>(std::max<std::int64_t>(us, 0));
        ++buckets_[bucket_of(v)];
        ++count_;
        max_ = std::max(max_, v);
    }

    // The upper edge of the bucket that holds the share `p` (0 to 1) of all observations; zero when
    // there are none.
    [[nodiscard]] std::chrono::microseconds percentile(double p) const noexcept {
        if (count_ == 0) return {};
        const auto rank = static_cast<std::uint64_t>(p * static_cast<double>(count_ - 1)) + 1;
        std::uint64_t seen = 0;
        for (std::size_t i = 0; i < buckets_.size(); ++i) {
            seen += buckets_[i];
            if (seen >= rank) return to_us(std::min(upper_edge(i), max_));
        }
        return max();
    }

    [[nodiscard]] std::chrono::microseconds max() const noexcept { return to_us(max_); }
    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }

private:
    static constexpr unsigned sub_bits = 4;
    static constexpr std::uint64_t sub = 1U << sub_bits;

    [[nodiscard]] static std::chrono::microseconds to_us(std::uint64_t v) noexcept {
        return std::chrono::microseconds(static_cast<std::int64_t>(v));
    }
    [[nodiscard]] static std::size_t bucket_of(std::uint64_t v) noexcept {
        if (v < sub) return static_cast<std::size_t>(v);
        const auto shift = static_cast<unsigned>(std::bit_width(v)) - sub_bits - 1;
        const std::uint64_t at = (static_cast<std::uint64_t>(shift) << sub_bits) + (v >> shift);
        return static_cast<std::size_t>(std::min<std::uint64_t>(at, bucket_total - 1));
    }
    [[nodiscard]] static std::uint64_t upper_edge(std::size_t bucket) noexcept {
        if (bucket < 2 * sub) return bucket;
        const auto shift = static_cast<unsigned>(bucket >> sub_bits) - 1;
        return (((bucket & (sub - 1)) + sub + 1) << shift) - 1;
    }

    static constexpr std::size_t bucket_total = 40 * sub;  // up to about 2^43 µs
    std::array<std::uint64_t, bucket_total> buckets_{};
    std::uint64_t count_ = 0, max_ = 0;
};

}  // namespace shardgate::sim
