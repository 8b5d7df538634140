// SPDX-License-Identifier: Apache-2.0
#include "shardgate/metrics/histogram.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace shardgate {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

std::uint64_t total(const histogram& h) {
    std::uint64_t n = 0;
    for (std::size_t i = 0; i < histogram::bucket_count(); ++i)
        n += h.bucket(i);
    return n;
}

TEST(Histogram, AValueOnABoundBelongsToThatBucket) {
    histogram h;
    h.observe(milliseconds(1));  // bound 3

    EXPECT_EQ(h.bucket(3), 1U);
    EXPECT_EQ(total(h), 1U);
}

TEST(Histogram, ValuesBetweenBoundsGoUp) {
    histogram h;
    h.observe(microseconds(1001));

    EXPECT_EQ(h.bucket(4), 1U);
}

TEST(Histogram, WhatIsAboveEveryBoundIsInfinite) {
    histogram h;
    h.observe(seconds(601));

    EXPECT_EQ(h.bucket(histogram::bucket_count() - 1), 1U);
}

TEST(Histogram, SumAndCountFollow) {
    histogram h;
    h.observe(milliseconds(250));
    h.observe(milliseconds(750));
    h.observe(seconds(-1));  // a clock that stepped back: counted in the smallest bucket

    EXPECT_EQ(h.count(), 3U);
    EXPECT_DOUBLE_EQ(h.sum(), 0.0);
    EXPECT_EQ(h.bucket(0), 1U);
    EXPECT_EQ(total(h), 3U);
}

// It looks first where the last value was.
TEST(Histogram, WhereAValueGoesDoesNotDependOnTheOneBefore) {
    std::vector<std::chrono::nanoseconds> values = {std::chrono::nanoseconds(0), -seconds(1),
                                                    seconds(3600)};
    for (const double bound : histogram::bounds)
        for (const int off : {-1, 0, 1})
            values.emplace_back(static_cast<std::int64_t>(bound * 1e9 + 0.5) + off);
    for (const auto first : values)
        for (const auto second : values) {
            histogram both, one, other;
            both.observe(first), both.observe(second);
            one.observe(first), other.observe(second);
            for (std::size_t i = 0; i < histogram::bucket_count(); ++i)
                ASSERT_EQ(both.bucket(i), one.bucket(i) + other.bucket(i))
                    << first.count() << " then " << second.count();
        }
}

}  // namespace
}  // namespace shardgate
