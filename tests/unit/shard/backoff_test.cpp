// SPDX-License-Identifier: Apache-2.0
#include "shardgate/shard/backoff.hpp"

#include <gtest/gtest.h>

namespace shardgate {
namespace {

using namespace std::chrono_literals;

constexpr time_point t0{1h};

TEST(Backoff, StepsDoubleUpToTheMaximumWithJitterBelow) {
    random_source random(1);
    backoff b(1s, 60s, 5s);
    duration step = 1s;
    for (int i = 0; i < 40; ++i) {
        const duration wait = b.next(t0, false, random);
        EXPECT_GE(wait, step / 2);
        EXPECT_LE(wait, step);
        step = std::min<duration>(step * 2, 60s);
    }
}

TEST(Backoff, TheFirstFailureMayWaitForNothing) {
    random_source random(1);
    backoff b(1s, 60s, 5s);
    EXPECT_EQ(b.next(t0, true, random), duration::zero());
    EXPECT_GE(b.next(t0, true, random), duration(500ms));
}

TEST(Backoff, OnlyASuccessThatLastsResets) {
    random_source random(1);
    backoff b(1s, 60s, 5s);
    for (int i = 0; i < 5; ++i)
        (void)b.next(t0, true, random);
    b.succeeded(t0);
    EXPECT_GE(b.next(t0 + 4s, true, random), duration(8s)) << "dropped at once: no success";
    b.succeeded(t0 + 10s);
    EXPECT_EQ(b.next(t0 + 15s, true, random), duration::zero());
    EXPECT_EQ(b.failures(), 1U);
}

TEST(Backoff, JitterSpreads) {
    random_source random(1);
    duration lowest = 1h, highest = 0s;
    for (int i = 0; i < 200; ++i) {
        backoff b(8s, 60s, 5s);
        const duration wait = b.next(t0, false, random);
        lowest = std::min(lowest, wait);
        highest = std::max(highest, wait);
    }
    EXPECT_LT(lowest, duration(4500ms));
    EXPECT_GT(highest, duration(7500ms));
}

}  // namespace
}  // namespace shardgate
