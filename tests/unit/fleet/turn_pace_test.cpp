// SPDX-License-Identifier: Apache-2.0
#include "fleet/turn_pace.hpp"

#include <gtest/gtest.h>

namespace shardgate {
namespace {

using namespace std::chrono_literals;

TEST(TurnPace, IsAnEighthOfAnAnswerAndTwoMillisecondsAtMost) {
    EXPECT_EQ(turn_pace(0ns), 0ns);
    EXPECT_EQ(turn_pace(160us), 20us);
    EXPECT_EQ(turn_pace(8ms), 1ms);
    EXPECT_EQ(turn_pace(16ms), 2ms);
    EXPECT_EQ(turn_pace(30s), 2ms);
}

}  // namespace
}  // namespace shardgate
