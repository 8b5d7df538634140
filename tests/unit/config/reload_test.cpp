// SPDX-License-Identifier: Apache-2.0
// Which keys a reload takes over, which wait, and that what comes out is sound.
#include "shardgate/config/reload.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "config/schema.hpp"
#include "config/secrets.hpp"
#include "unit/config/fixture.hpp"

namespace shardgate::config::test {
namespace {

using keys = std::vector<std::string>;

TEST(Reload, TheSameFileChangesNothing) {
    settings running = good("[handler]\ntimeout = \"3s\"\n");
    const reload_plan plan = take_over(running, running);
    EXPECT_EQ(plan.applied, keys{});
    EXPECT_EQ(plan.needs_restart, keys{});
    std::size_t all = secret_keys().size();
    for (const entry& e : schema())
        all += e.same ? 1U : 0U;
    EXPECT_EQ(plan.unchanged, all);
}

TEST(Reload, WhatMayChangeIsTakenOverAndTheRestWaits) {
    settings running = good("");
    const settings wanted = good(
        "[filter]\ndrop = [\"TYPING_START\"]\n[handler]\ntimeout = \"3s\"\nordering = \"shard\"\n"
        "[log]\nlevel = \"debug\"\n[sharding]\ntotal = 4\n");
    const reload_plan plan = take_over(running, wanted);
    EXPECT_EQ(plan.applied, (keys{"filter.drop", "handler.timeout", "log.level"}));
    EXPECT_EQ(plan.needs_restart, (keys{"sharding.total", "handler.ordering"}));
    EXPECT_EQ(running.filter.drop, wanted.filter.drop);
    EXPECT_EQ(running.handler.timeout, std::chrono::seconds(3));
    EXPECT_EQ(running.log.level, log::level::debug);
    EXPECT_EQ(running.handler.ordering, ordering_mode::guild);
    EXPECT_EQ(running.sharding.total, std::nullopt);
    EXPECT_TRUE(plan.applies("filter."));
    EXPECT_TRUE(plan.applies("handler.timeout"));
    EXPECT_FALSE(plan.applies("handler.urls"));
    // Still different, so it is said again; what was taken over is not.
    const reload_plan again = take_over(running, wanted);
    EXPECT_EQ(again.applied, keys{});
    EXPECT_EQ(again.needs_restart, plan.needs_restart);
}

TEST(Reload, SecretsAreComparedAndTakenOver) {
    world w = with_token();
    w.files["/keys"] = "one\ntwo\n";
    const std::string text = intents_line +
                             "[handler]\nsecret = \"old\"\nsigning_key_file = \"/keys\"\n"
                             "[admin]\ntoken = \"admin\"\n";
    settings running = *w.load(text).settings;
    w.files["/keys"] = "two\nthree\n";
    w.variables["SHARDGATE_TOKEN"] = "MTIz.other.9";
    const std::string changed = intents_line +
                                "[handler]\nsecret = \"new\"\nsigning_key_file = \"/keys\"\n"
                                "[admin]\ntoken = \"admin\"\nmetrics_token = \"m\"\n";
    const reload_plan plan = take_over(running, *w.load(changed).settings);
    EXPECT_EQ(plan.applied,
              (keys{"handler.secret", "admin.metrics_token", "handler.signing_key_file"}));
    EXPECT_EQ(plan.needs_restart, keys{"discord.token"});
    EXPECT_EQ(running.handler.authorization.reveal(), "new");
    ASSERT_EQ(running.handler.signing_keys.size(), 2U);
    EXPECT_EQ(running.handler.signing_keys[1].reveal(), "three");
    EXPECT_EQ(running.admin.metrics_token.reveal(), "m");
    EXPECT_EQ(running.discord.token.reveal(), token);
}

TEST(Reload, AnAdminTokenIsNotTakenAwayFromADaemonThatOthersReach) {
    settings running = good("[admin]\nlisten = \"0.0.0.0:7600\"\ntoken = \"t\"\n");
    const reload_plan plan = take_over(running, good("[admin]\nlisten = \"127.0.0.1:7600\"\n"));
    EXPECT_EQ(plan.applied, keys{});
    EXPECT_EQ(plan.needs_restart, (keys{"admin.listen", "admin.token"}));
    EXPECT_EQ(running.admin.token.reveal(), "t");
}

TEST(Reload, AnAutomaticGuildCreateWaitsWithTheEnvelopeItFollows) {
    settings running = good("");
    ASSERT_EQ(running.filter.guild_create, guild_create_mode::mark);
    const reload_plan plan = take_over(running, good("[handler]\nenvelope = \"raw\"\n"));
    EXPECT_EQ(plan.needs_restart, (keys{"filter.guild_create", "handler.envelope"}));
    EXPECT_EQ(running.filter.guild_create, guild_create_mode::mark);
}

TEST(Reload, LimitsThatOnlyAProxyAllowsWaitForIt) {
    settings running = good("");
    const std::string text =
        "discord.api_url = \"http://127.0.0.1:9/api\"\n"
        "[resharding]\npercentage = 2\noverlap = \"20s\"\n";
    const reload_plan plan = take_over(running, good(text));
    EXPECT_EQ(plan.applied, keys{"resharding.overlap"});
    EXPECT_EQ(running.resharding.percentage, 80U);
}

// Whatever two files are mixed, the result passes the checks a file passes.
TEST(ReloadProperty, EveryKeyIsEitherTakenOverOrLeftAlone) {
    for (const entry& e : schema()) {
        if (!e.same) continue;
        ASSERT_TRUE(e.copy) << e.key;
    }
    for (const std::string_view key : secret_keys()) {
        settings a, b;
        EXPECT_TRUE(same_secret(key, a, b)) << key;
        if (key == "handler.signing_key_file")
            b.handler.signing_keys.emplace_back("x");
        else
            continue;
        EXPECT_FALSE(same_secret(key, a, b)) << key;
        copy_secret(key, b, a);
        EXPECT_TRUE(same_secret(key, a, b)) << key;
    }
    EXPECT_FALSE(may_change("admin.listen"));
    EXPECT_FALSE(may_change("discord.token"));
    EXPECT_FALSE(may_change("state.directory"));
    EXPECT_FALSE(may_change("queue.overflow"));
    EXPECT_FALSE(may_change("filter"));
    EXPECT_TRUE(may_change("filter.only"));
    EXPECT_TRUE(may_change("admin.token"));
}

}  // namespace
}  // namespace shardgate::config::test
