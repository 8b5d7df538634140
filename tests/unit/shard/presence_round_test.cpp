// SPDX-License-Identifier: Apache-2.0
#include "shardgate/shard/presence_round.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace shardgate {
namespace {

using namespace std::chrono_literals;

struct PresenceRound : testing::Test {
    presence_round round;
    time_point now{1000s};

    static gateway_command named(std::string text) {
        gateway_command c;
        c.op = 3;
        c.presence = std::move(text);
        return c;
    }
    // Lets `span` pass; where the presence went meanwhile.
    std::vector<std::size_t> run(duration span) {
        std::vector<std::size_t> places;
        for (const time_point end = now + span; now <= end;) {
            while (const auto at = round.take(now))
                places.push_back(*at);
            if (round.deadline() > end) break;
            now = round.deadline();
        }
        return places;
    }
};

TEST_F(PresenceRound, GoesToEachOnceAndNotAtOnce) {
    round.begin(named("a"), 3, now);
    EXPECT_EQ(round.take(now), 0U);
    EXPECT_EQ(round.take(now), std::nullopt);
    EXPECT_EQ(round.deadline(), now + 100ms);
    EXPECT_EQ(run(10s), (std::vector<std::size_t>{1, 2}));
    EXPECT_FALSE(round.running());
    EXPECT_EQ(round.deadline(), never);
}

TEST_F(PresenceRound, ManyShardsTakeNoLongerThanARound) {
    round.begin(named("a"), 1024, now);
    EXPECT_EQ(run(presence_round::longest_round).size(), 1024U);
}

TEST_F(PresenceRound, ANewerOneGoesOnWhereTheLastWas) {
    round.begin(named("a"), 4, now);
    EXPECT_EQ(run(150ms), (std::vector<std::size_t>{0, 1}));
    round.begin(named("b"), 4, now);
    EXPECT_EQ(round.presence()->presence, "b");
    EXPECT_EQ(run(10s), (std::vector<std::size_t>{2, 3, 0, 1}));
}

TEST_F(PresenceRound, OneThatIsChangedAllTheTimeIsNoFlood) {
    std::size_t sent = 0;
    for (int i = 0; i < 1000; ++i) {  // a second
        round.begin(named(std::to_string(i)), 4, now);
        while (round.take(now))
            ++sent;
        now += 1ms;
    }
    EXPECT_LE(sent, 11U);
    EXPECT_GE(sent, 9U);
}

TEST_F(PresenceRound, OtherShardsHaveItAllOver) {
    round.again(7, now);
    EXPECT_FALSE(round.running()) << "nothing was ever set";
    round.begin(named("a"), 2, now);
    EXPECT_EQ(run(10s).size(), 2U);
    round.again(6, now);
    EXPECT_EQ(run(10s).size(), 6U);
    round.again(0, now);
    EXPECT_FALSE(round.running());
}

}  // namespace
}  // namespace shardgate
