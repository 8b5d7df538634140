// SPDX-License-Identifier: Apache-2.0
#include "shardgate/reshard/trigger.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>

namespace shardgate {
namespace {

using namespace std::chrono_literals;
using outcome = reshard_trigger::outcome;

// Days of virtual time: look() at every deadline.
class Trigger : public testing::Test {
protected:
    reshard_trigger& trigger() {
        if (!trigger_) trigger_.emplace(rules, random_, now);
        return *trigger_;
    }
    // Goes to the next look.
    bool look() {
        now = std::max(now, trigger().deadline());
        return trigger().look(load, now);
    }
    // How often a plan is asked for within `span`, each refused.
    int refused_within(duration span, const std::string& why = "No.") {
        int asked = 0;
        for (const time_point end = now + span; trigger().deadline() <= end;) {
            if (!look()) continue;
            ++asked;
            trigger().ended(outcome::refused, why, now);
        }
        return asked;
    }
    std::string logged() { return trigger().take_log().value_or(""); }

    config::resharding rules;
    reshard_load load;
    time_point now{1000h};

private:
    random_source random_{7};
    std::optional<reshard_trigger> trigger_;
};

#define EXPECT_SAYS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

TEST_F(Trigger, LooksEveryCheckIntervalAndNoSooner) {
    load.fullest = 2400;
    EXPECT_EQ(trigger().deadline(), now + 10min);
    EXPECT_FALSE(trigger().look(load, now + 10min - 1ms));
    EXPECT_TRUE(trigger().look(load, now + 10min));
    EXPECT_EQ(trigger().deadline(), now + 20min);
}

TEST_F(Trigger, AsksAtThePercentageOfTheLimit) {
    load.fullest = 1999;
    EXPECT_FALSE(look());
    load.fullest = 2000;
    EXPECT_TRUE(look());
    EXPECT_EQ(logged(), "");
}

TEST_F(Trigger, EveryPercentageIsExact) {
    rules.percentage = 33;
    load.fullest = 824;
    EXPECT_FALSE(look());
    load.fullest = 825;
    EXPECT_TRUE(look());
}

TEST_F(Trigger, NotWhileOneRuns) {
    load.fullest = 2400;
    trigger().started();
    for (int i = 0; i < 200; ++i)
        EXPECT_FALSE(look());
    EXPECT_EQ(trigger().warning(), "");  // it is being done
    trigger().ended(outcome::done, "", now);
    EXPECT_EQ(trigger().deadline(), now + 10min);
}

TEST_F(Trigger, NotTwiceBeforeItIsAnswered) {
    load.fullest = 2400;
    EXPECT_TRUE(look());
    EXPECT_FALSE(look());
    trigger().started();
    EXPECT_FALSE(look());
}

TEST_F(Trigger, DoesNotRepeatAfterSuccess) {
    load.fullest = 2100;
    EXPECT_TRUE(look());
    trigger().started();
    now += 5min;
    trigger().ended(outcome::done, "", now);
    load.fullest = 1050;
    for (int i = 0; i < 1000; ++i)
        EXPECT_FALSE(look());
    EXPECT_EQ(logged(), "");
    load.fullest = 2000;  // months later
    EXPECT_TRUE(look());
}

TEST_F(Trigger, RefusalsAreRepeatedEverMoreSeldom) {
    load.fullest = 2100;
    // 20, 40, 80, 160, 320, 640, 1280 min, then daily, a quarter more or less.
    const int first_day = refused_within(24h);
    EXPECT_GE(first_day, 5);
    EXPECT_LE(first_day, 8);
    const int a_month = refused_within(30 * 24h);
    EXPECT_GE(a_month, 29);
    EXPECT_LE(a_month, 40);
}

TEST_F(Trigger, TheFirstWaitIsTwiceTheIntervalWithJitter) {
    load.fullest = 2100;
    EXPECT_TRUE(look());
    trigger().ended(outcome::failed, "It failed.", now);
    const time_point failed = now;
    while (!look())
        EXPECT_LT(now, failed + 40min);
    EXPECT_GE(now, failed + 15min);
    EXPECT_LE(now, failed + 30min);
}

TEST_F(Trigger, SuccessMakesTheNextFailureTheFirst) {
    load.fullest = 2100;
    EXPECT_GT(refused_within(5 * 24h), 0);
    trigger().started();  // by hand
    trigger().ended(outcome::done, "", now);
    EXPECT_TRUE(look());
    trigger().ended(outcome::failed, "It failed.", now);
    const time_point failed = now;
    while (!look()) {
    }
    EXPECT_LE(now, failed + 30min);
}

TEST_F(Trigger, GuildsThatLeaveEndTheWait) {
    load.fullest = 2100;
    EXPECT_GT(refused_within(3 * 24h), 0);
    load.fullest = 1500;
    EXPECT_FALSE(look());
    load.fullest = 2001;
    EXPECT_TRUE(look());
}

TEST_F(Trigger, TheSameRefusalIsSaidOnce) {
    load.fullest = 2100;
    EXPECT_TRUE(look());
    trigger().ended(outcome::refused, "More shards are not needed.", now);
    const std::string said = logged();
    EXPECT_SAYS(said, "that cannot start: More shards are not needed. The next try is in ");
    EXPECT_GT(refused_within(5 * 24h, "More shards are not needed."), 3);
    EXPECT_EQ(logged(), "");
    while (!look()) {
    }
    trigger().ended(outcome::refused, "The budget is used up.", now);
    EXPECT_SAYS(logged(), "The budget is used up.");
}

TEST_F(Trigger, WarnsBeforeTheLimitWhenDisabled) {
    rules.enabled = false;
    load.fullest = 2249;
    EXPECT_FALSE(look());
    EXPECT_EQ(trigger().warning(), "");
    load.fullest = 2250;
    EXPECT_FALSE(look());
    EXPECT_EQ(trigger().warning(),
              "the fullest shard holds 2250 guilds of the 2500 Discord allows, and no resharding "
              "starts by itself: resharding.enabled is false");
    EXPECT_EQ(logged(), trigger().warning());
}

TEST_F(Trigger, AWarningIsCurrentButLoggedOnce) {
    rules.enabled = false;
    load.fullest = 2300;
    EXPECT_FALSE(look());
    EXPECT_NE(logged(), "");
    load.fullest = 2400;
    EXPECT_FALSE(look());
    EXPECT_SAYS(trigger().warning(), "2400 guilds");
    EXPECT_EQ(logged(), "");
    load.fullest = 2501;  // worse
    EXPECT_FALSE(look());
    EXPECT_SAYS(logged(), "It cannot identify any more once it loses its session.");
    load.fullest = 2000;
    EXPECT_FALSE(look());
    EXPECT_EQ(trigger().warning(), "");
    load.fullest = 2300;  // again
    EXPECT_FALSE(look());
    EXPECT_NE(logged(), "");
}

TEST_F(Trigger, WarnsWhenItIsImpossible) {
    load.partial = true;
    load.fullest = 2400;
    EXPECT_FALSE(look());
    EXPECT_SAYS(trigger().warning(), "this daemon holds a part of the shards");
}

TEST_F(Trigger, WarnsWithWhyTheLastAttemptFailed) {
    load.fullest = 2400;
    EXPECT_TRUE(look());
    EXPECT_EQ(trigger().warning(), "");  // it is about to be done
    trigger().ended(outcome::failed, "Shard 3 of 16 never became ready.", now);
    EXPECT_FALSE(look());
    EXPECT_SAYS(trigger().warning(), "starts by itself: Shard 3 of 16 never became ready.");
    trigger().started();
    EXPECT_EQ(trigger().warning(), "");
    trigger().ended(outcome::done, "", now);
    load.fullest = 1200;
    EXPECT_FALSE(look());
    EXPECT_EQ(trigger().warning(), "");
}

TEST_F(Trigger, AnEmptyBotIsLeftAlone) {
    for (int i = 0; i < 100; ++i)
        EXPECT_FALSE(look());
    EXPECT_EQ(trigger().warning(), "");
}

}  // namespace
}  // namespace shardgate
