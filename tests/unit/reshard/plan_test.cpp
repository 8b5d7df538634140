// SPDX-License-Identifier: Apache-2.0
#include "shardgate/reshard/plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

namespace shardgate {
namespace {

using namespace std::chrono_literals;
using ids = std::vector<std::uint32_t>;

// 8 shards of about 1,000 guilds each, a fresh budget.
struct Plan : testing::Test {
    Plan() {
        q.current = 8;
        q.last = 7;
        q.recommended = 8;
        q.limit_total = 1000;
        q.remaining = 1000;
        q.identify_interval = 5250ms;
        q.identify_reserve = 20;
        q.guilds = 8000;
        q.fullest = 1080;
    }
    reshard_plan good() {
        const auto plan = make_plan(q, rules);
        EXPECT_TRUE(plan) << plan.error().detail;
        return plan ? *plan : reshard_plan{};
    }
    std::string refusal() {
        const auto plan = make_plan(q, rules);
        EXPECT_FALSE(plan) << plan->to;
        return plan ? "" : plan.error().detail;
    }
    bool warned(const std::string& part) {
        for (const std::string& w : good().warnings)
            if (w.find(part) != std::string::npos) return true;
        return false;
    }

    reshard_question q;
    config::resharding rules;
};

#define EXPECT_SAYS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

TEST_F(Plan, ANumberByHandIsPlannedWithItsCost) {
    q.wanted = 16;
    const reshard_plan p = good();
    EXPECT_EQ(p.from, 8U);
    EXPECT_EQ(p.to, 16U);
    EXPECT_EQ(p.first, 0U);
    EXPECT_EQ(p.last, 15U);
    EXPECT_TRUE(p.ids.empty());
    EXPECT_EQ(p.session_starts, 16U);
    EXPECT_EQ(p.remaining, 1000U);
    EXPECT_EQ(p.identifying, 15 * 5250ms);
    EXPECT_EQ(p.estimated, 15 * 5250ms + 30s);
    EXPECT_TRUE(p.warnings.empty()) << p.warnings[0];
}

TEST_F(Plan, ShrinkingAndAFreshSetAreAllowedByHand) {
    q.wanted = 5;
    EXPECT_EQ(good().to, 5U);
    EXPECT_TRUE(warned("Discord recommends 8 shards"));
    q.wanted = 8;
    EXPECT_EQ(good().session_starts, 8U);
    EXPECT_TRUE(warned("stays the same"));
}

TEST_F(Plan, NumbersOutsideAllBoundsAreRefused) {
    for (const std::uint32_t n : {0U, 16385U, 0xFFFFFFFFU}) {
        q.wanted = n;
        EXPECT_SAYS(refusal(), "allowed: 1 to 16384");
    }
    q.wanted = 16384;
    q.limit_total = q.remaining = 100000;
    EXPECT_EQ(good().last, 16383U);
}

TEST_F(Plan, WithoutShardsThereIsNothingToReplace) {
    q.wanted = 2;
    q.current = 0;
    EXPECT_SAYS(refusal(), "no shards yet");
    q.current = 8;
    q.last = 8;
    EXPECT_SAYS(refusal(), "no shards yet");
    q.first = 3;
    q.last = 2;
    EXPECT_SAYS(refusal(), "no shards yet");
}

// ---- time ----

TEST_F(Plan, ConcurrencyMakesItFaster) {
    q.wanted = 33;
    q.max_concurrency = 16;
    EXPECT_EQ(good().estimated, 2 * 5250ms + 30s);
    q.max_concurrency_cap = 4;
    EXPECT_EQ(good().estimated, 8 * 5250ms + 30s);
    q.max_concurrency_cap = 99;
    EXPECT_EQ(good().estimated, 2 * 5250ms + 30s);
    q.max_concurrency = 0;  // an API that says nothing
    q.max_concurrency_cap.reset();
    EXPECT_EQ(good().estimated, 32 * 5250ms + 30s);
}

TEST_F(Plan, TheOverlapCountsThreeTimes) {
    q.wanted = 1;
    q.guilds = q.fullest = 100;
    rules.overlap = 2s;
    EXPECT_EQ(good().estimated, 6s);
}

// ---- budget ----

TEST_F(Plan, TheReserveMustRemainByHandToo) {
    q.wanted = 16;
    q.remaining = 116;
    EXPECT_EQ(good().remaining, 116U);
    q.remaining = 115;
    q.reset_after = 3h + 4min + 1s;
    EXPECT_EQ(refusal(),
              "16 session starts are needed and 100 must remain (resharding.identify_reserve), but "
              "only 115 of 1000 are left; Discord renews them in 3 h 5 min.");
    q.reset_after = 0s;
    EXPECT_SAYS(refusal(), "only 115 of 1000 are left.");
}

TEST_F(Plan, ANumberThatTheBudgetNeverAllowsIsSaidSo) {
    q.wanted = 950;
    EXPECT_SAYS(refusal(), "never grants more than 1000: lower resharding.identify_reserve.");
    q.wanted = 1001;
    EXPECT_SAYS(refusal(), "never grants more than 1000.");
}

TEST_F(Plan, OnlyAPersonMayGoIntoTheOtherReserve) {
    rules.identify_reserve = 0;
    q.recommended = 16;
    q.remaining = 20;
    EXPECT_EQ(good().to, 16U);
    EXPECT_TRUE(warned("sharding.identify_reserve"));
    q.by_hand = false;
    EXPECT_SAYS(refusal(), "20 must remain (sharding.identify_reserve)");
    q.remaining = 36;
    EXPECT_EQ(good().to, 16U);
    EXPECT_FALSE(warned("sharding.identify_reserve"));
}

// ---- which number ----

TEST_F(Plan, AutoIsWhatDiscordRecommends) {
    q.recommended = 12;
    EXPECT_EQ(good().to, 12U);
    q.recommended = 6;
    EXPECT_EQ(good().to, 6U);
}

TEST_F(Plan, AutoThatChangesNothingIsRefused) {
    EXPECT_SAYS(refusal(), "ask for 8 by number");
    q.by_hand = false;
    EXPECT_SAYS(refusal(), "More shards are not needed");
    q.recommended = 4;
    EXPECT_SAYS(refusal(), "Discord recommends 4 and there are 8");
}

TEST_F(Plan, AutoIsNeverSoFewThatAShardIsAsFullAsThePercentage) {
    q.guilds = 16000;
    q.fullest = 2100;
    q.recommended = 8;
    q.by_hand = false;
    const reshard_plan p = good();
    EXPECT_EQ(p.to, 9U);  // 16,000 / 9 and a tenth: 1,956
    rules.percentage = 50;
    EXPECT_EQ(good().to, 15U);  // 1,174, and 14 would be 1,258
    q.recommended = 20;
    EXPECT_EQ(good().to, 20U);
}

TEST_F(Plan, AutoKnowsThatGuildsMayBeUneven) {
    // Shards of a small bot: the fullest holds twice the average.
    q.guilds = 1600;
    q.fullest = 400;
    q.by_hand = false;
    rules.percentage = 10;      // 250
    EXPECT_EQ(good().to, 13U);  // 400 x 8 / 13 = 247
}

TEST_F(Plan, AutoIsBounded) {
    q.recommended = 0xFFFFFFF0U;
    EXPECT_SAYS(refusal(), "more than the 16384");
    q.recommended = 1;
    q.guilds = q.fullest = std::uint64_t{40} << 20;
    EXPECT_SAYS(refusal(), "more than the 16384");
}

// ---- full shards ----

TEST_F(Plan, AShardPastTheLimitIsRefused) {
    q.wanted = 3;
    EXPECT_EQ(refusal(),
              "With 3 shards the fullest would hold about 2934 guilds, and Discord allows 2500; at "
              "least 4 shards are needed.");
    q.wanted = 4;
    EXPECT_EQ(good().to, 4U);
    EXPECT_TRUE(warned("enough to reshard again"));
    rules.enabled = false;
    EXPECT_FALSE(warned("enough to reshard again"));
}

TEST_F(Plan, AShardNearTheLimitIsWarnedOf) {
    q.guilds = 8300;  // 2,283 on the fullest of 4
    q.wanted = 4;
    EXPECT_TRUE(warned("about 2283 guilds, near the 2500"));
}

TEST_F(Plan, OneShardHoldsExactlyEveryGuild) {
    q.guilds = 2500;
    q.fullest = 340;
    q.wanted = 1;
    EXPECT_EQ(good().to, 1U);
    q.guilds = 2501;
    EXPECT_SAYS(refusal(), "at least 2 shards");
}

TEST_F(Plan, TheNumberInForceIsKnownNotGuessed) {
    q.guilds = 19200;
    q.fullest = 2450;  // a guess would be 2,640
    q.wanted = 8;
    EXPECT_EQ(good().to, 8U);
    q.wanted = 16;
    q.fullest = 1100;  // a guess would be 1,320; a shard's guilds only spread
    EXPECT_FALSE(warned("guilds"));
}

// ---- large bots ----

TEST_F(Plan, LargeBotsGoByMultiplesOfTheirConcurrency) {
    q.current = 128;
    q.last = 127;
    q.guilds = 128000;
    q.max_concurrency = 32;
    q.recommended = 130;
    EXPECT_EQ(good().to, 160U);
    q.wanted = 150;
    EXPECT_EQ(refusal(),
              "150 shards cannot be: a bot of 128000 guilds needs a multiple of 32; the nearest: "
              "128 or 160.");
    q.wanted = 160;
    EXPECT_EQ(good().to, 160U);
    rules.large_bot_sharding = false;
    q.wanted = 150;
    EXPECT_EQ(good().to, 150U);
}

TEST_F(Plan, LargeBotsWithoutConcurrencyGoByMultiplesOf16) {
    q.current = 128;
    q.last = 127;
    q.guilds = 100000;
    q.max_concurrency = 1;
    q.max_concurrency_cap = 4;  // ours has no say in what Discord accepts
    q.wanted = 129;
    EXPECT_SAYS(refusal(), "a multiple of 16; the nearest: 128 or 144.");
    q.guilds = 99999;
    EXPECT_EQ(good().to, 129U);
}

TEST_F(Plan, ANearestNumberThatIsTooSmallIsNotOffered) {
    q.current = 41;
    q.last = 40;
    q.guilds = 100000;
    q.wanted = 35;  // 32 would be 3,438 guilds a shard
    EXPECT_SAYS(refusal(), "; the nearest: 48.");
    q.wanted = 5;
    EXPECT_SAYS(refusal(), "a multiple of 16.");
    q.wanted = 16;
    EXPECT_SAYS(refusal(), "at least 48 shards are needed");
}

// ---- a part of the shards ----

TEST_F(Plan, APartKeepsTheGuildsOfItsShards) {
    q.first = 2;
    q.last = 3;
    q.guilds = 2000;
    q.wanted = 24;
    const reshard_plan p = good();
    EXPECT_EQ(p.ids, (ids{2, 3, 10, 11, 18, 19}));
    EXPECT_EQ(p.first, 2U);
    EXPECT_EQ(p.last, 19U);
    EXPECT_EQ(p.session_starts, 6U);
    EXPECT_TRUE(warned("Every daemon of this bot has to go to 24 shards"));
    // Each guild of an old shard is on a new one of ours: (id >> 22) % 24 for all with % 8 == 2, 3.
    for (std::uint32_t n = 0; n < 240; ++n) {
        const bool ours = n % 8 == 2 || n % 8 == 3;
        EXPECT_EQ(std::count(p.ids.begin(), p.ids.end(), n % 24), ours ? 1 : 0) << n;
    }
}

TEST_F(Plan, APartAgainIsOneRange) {
    q.first = 4;
    q.guilds = 4000;
    q.wanted = 8;
    const reshard_plan p = good();
    EXPECT_EQ(p.first, 4U);
    EXPECT_EQ(p.last, 7U);
    EXPECT_TRUE(p.ids.empty());
    EXPECT_EQ(p.session_starts, 4U);
}

TEST_F(Plan, APartTakesMultiplesOnlyAndNeverByItself) {
    q.last = 3;
    q.guilds = 4000;
    q.wanted = 12;
    EXPECT_EQ(refusal(),
              "12 shards cannot be: this daemon holds shards 0 to 3 only, whose guilds stay with "
              "it only with a multiple of 8; the nearest: 8 or 16.");
    q.wanted = 4;
    EXPECT_SAYS(refusal(), "the nearest: 8.");
    q.wanted.reset();
    q.recommended = 16;
    EXPECT_SAYS(refusal(), "say which, a multiple of 8");
    q.by_hand = false;
    EXPECT_SAYS(refusal(), "a part of the shards");
}

TEST_F(Plan, APartOfALargeBotObeysBothMultiples) {
    q.current = 24;
    q.first = 12;
    q.last = 23;
    q.guilds = 50000;  // of 100,000
    q.fullest = 4200;
    q.wanted = 72;
    EXPECT_SAYS(refusal(), "multiple of 16, and this daemon holds shards 12 to 23 only");
    EXPECT_SAYS(refusal(), "the nearest: 48 or 96.");
    q.wanted = 96;
    EXPECT_EQ(good().session_starts, 48U);
}

TEST_F(Plan, APartsTimeIsThatOfItsFullestKey) {
    q.current = 16;
    q.first = q.last = 0;
    q.guilds = 1000;
    q.max_concurrency = 16;
    q.wanted = 64;  // shards 0, 16, 32, 48: one key
    EXPECT_EQ(good().estimated, 3 * 5250ms + 30s);
}

TEST_F(Plan, ASnapshotSaysTheSame) {
    q.wanted = 16;
    const reshard_plan_snapshot s = snapshot_of(good(), {"81384788765712384"});
    EXPECT_EQ(s.from, 8U);
    EXPECT_EQ(s.to, 16U);
    EXPECT_EQ(s.session_starts, 16U);
    EXPECT_EQ(s.remaining, 1000U);
    EXPECT_DOUBLE_EQ(s.estimated_s, 108.75);
    EXPECT_EQ(s.voice_guilds.size(), 1U);
}

}  // namespace
}  // namespace shardgate
