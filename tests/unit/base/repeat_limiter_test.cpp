// SPDX-License-Identifier: Apache-2.0
#include "base/repeat_limiter.hpp"

#include <gtest/gtest.h>

namespace shardgate {
namespace {

using std::chrono::seconds;

const time_point start{std::chrono::hours(1)};

TEST(RepeatLimiter, OnePassesAWindowAndTellsHowManyWereHeldBack) {
    repeat_limiter limiter(seconds(60), 4);

    EXPECT_EQ(limiter.admit("a", start), 0U);
    EXPECT_EQ(limiter.admit("a", start + seconds(1)), std::nullopt);
    EXPECT_EQ(limiter.admit("a", start + seconds(59)), std::nullopt);
    EXPECT_EQ(limiter.admit("a", start + seconds(60)), 2U);
    EXPECT_EQ(limiter.admit("a", start + seconds(61)), std::nullopt);
    EXPECT_EQ(limiter.admit("a", start + seconds(120)), 1U);
}

TEST(RepeatLimiter, KeysDoNotDisturbEachOther) {
    repeat_limiter limiter(seconds(60), 4);

    EXPECT_EQ(limiter.admit("a", start), 0U);
    EXPECT_EQ(limiter.admit("b", start), 0U);
    EXPECT_EQ(limiter.admit("b", start), std::nullopt);
}

TEST(RepeatLimiter, TheTableIsBoundedAndForgetsWhatPassedLongestAgo) {
    repeat_limiter limiter(seconds(60), 2);
    EXPECT_EQ(limiter.admit("a", start), 0U);
    EXPECT_EQ(limiter.admit("b", start + seconds(1)), 0U);
    EXPECT_EQ(limiter.admit("a", start + seconds(61)), 0U);  // passed later than b

    EXPECT_EQ(limiter.admit("c", start + seconds(62)), 0U);

    EXPECT_EQ(limiter.size(), 2U);
    EXPECT_EQ(limiter.admit("a", start + seconds(63)), std::nullopt);
    EXPECT_EQ(limiter.admit("b", start + seconds(64)), 0U);  // forgotten, so it passes
}

TEST(RepeatLimiter, LongKeysTakeBoundedMemory) {
    repeat_limiter limiter(seconds(60), 2);
    const std::string common(128, 'k');

    EXPECT_EQ(limiter.admit(common + std::string(100000, 'x'), start), 0U);
    EXPECT_EQ(limiter.admit(common + "y", start), std::nullopt);
}

}  // namespace
}  // namespace shardgate
