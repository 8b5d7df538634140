// SPDX-License-Identifier: Apache-2.0
// When `check` warns of the plan that is stored.
#include "shardgate/app/stored_plan.hpp"

#include <gtest/gtest.h>

#include "app/plan_facts.hpp"

namespace shardgate {
namespace {

struct StoredPlan : testing::Test {
    config::settings settings;
    state_glance stored;

    StoredPlan() {
        settings.discord.token = secret("MTIz.x.y");
        settings.sharding.total = 4;
        stored.facts = {{std::string(facts::plan), "2 8 0 7 1"},
                        {std::string(facts::identity), facts::identity_of(settings.discord)}};
        stored.sessions = {{generation{2}, shard_id{3}, shard_count{8}}};
    }
};

using texts = std::vector<std::string>;

TEST_F(StoredPlan, AnotherNumberThanTheFilesIsToldWithTheWayToChangeIt) {
    EXPECT_EQ(plan_warnings(stored, settings),
              texts{"sharding.total is 4 in the file, but the plan in force has 8 shards: use "
                    "`shardgate reshard` to change it"});
}

TEST_F(StoredPlan, TheSameNumberOrNoneIsNothingToTell) {
    settings.sharding.total = 8;
    EXPECT_EQ(plan_warnings(stored, settings), texts{});
    settings.sharding.total.reset();
    EXPECT_EQ(plan_warnings(stored, settings), texts{});
}

TEST_F(StoredPlan, APlanThatAStartWouldNotTakeUpIsNothingToTell) {
    const state_glance good = stored;
    settings.discord.intents ^= 1U;
    EXPECT_EQ(plan_warnings(stored, settings), texts{}) << "other intents";
    settings.discord.intents ^= 1U;
    settings.discord.token = secret("NDU2.x.y");
    EXPECT_EQ(plan_warnings(stored, settings), texts{}) << "another bot";
    settings.discord.token = secret("MTIz.renewed.secret");
    EXPECT_EQ(plan_warnings(stored, settings).size(), 1U) << "the same bot";
    stored.sessions[0].gen = generation{1};
    EXPECT_EQ(plan_warnings(stored, settings), texts{}) << "no session of its generation";
    stored = good;
    stored.sessions[0].shards = shard_count{4};
    EXPECT_EQ(plan_warnings(stored, settings), texts{}) << "no session of its total";
    stored = good;
    stored.sessions[0].shard = shard_id{8};
    EXPECT_EQ(plan_warnings(stored, settings), texts{}) << "no session of its shards";
    stored = good;
    stored.sessions.clear();
    EXPECT_EQ(plan_warnings(stored, settings), texts{}) << "no session";
}

TEST_F(StoredPlan, APlanThatCannotBeReadIsNothingToTell) {
    for (const char* text : {"", "2", "2 8 0 8 1", "0 8 0 7 1", "x y z", "2 99999999999 0 7 1"}) {
        stored.facts[0].second = text;
        EXPECT_EQ(plan_warnings(stored, settings), texts{}) << text;
    }
    stored.facts.clear();
    EXPECT_EQ(plan_warnings(stored, settings), texts{});
}

TEST_F(StoredPlan, WithoutAStateDirectoryNothingIsRead) {
    settings.state.directory = "";
    EXPECT_EQ(stored_warnings(settings), texts{});
    settings.state.directory = "/nonexistent/state";
    EXPECT_EQ(stored_warnings(settings), texts{});
}

}  // namespace
}  // namespace shardgate
