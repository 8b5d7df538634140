// SPDX-License-Identifier: Apache-2.0
// Pacing, budget and refusals of IDENTIFY (S2, S14, S15).
#include "sim/identify_rules.hpp"

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

#include <vector>

#include "sim/rng.hpp"

namespace shardgate::sim {
namespace {

using namespace std::chrono_literals;
using outcome = identify_verdict::outcome;

constexpr time_point t0{std::chrono::hours(5)};

identify_request ask(std::uint32_t shard, std::uint32_t shards) {
    identify_request r;
    r.token = "simulated-token";
    r.shard = shard;
    r.shards = shards;
    return r;
}

TEST(IdentifyRules, OneKeyHasOneIdentifyPerFiveSeconds) {
    options o;
    identify_rules rules(o);

    EXPECT_EQ(rules.check(ask(0, 2), 1, t0).what, outcome::accepted);
    EXPECT_EQ(rules.check(ask(1, 2), 1, t0 + 4979ms).what, outcome::invalid_session);
    EXPECT_EQ(rules.check(ask(1, 2), 1, t0 + 4980ms).what, outcome::accepted)
        << "20 ms of tolerance";
    EXPECT_EQ(rules.pacing_violations(), 1U);
}

TEST(IdentifyRules, KeysAreIndependent) {
    options o;
    o.gateway.max_concurrency = 16;
    identify_rules rules(o);
    for (std::uint32_t shard = 0; shard < 16; ++shard)
        EXPECT_EQ(rules.check(ask(shard, 64), 1, t0).what, outcome::accepted);

    EXPECT_EQ(rules.check(ask(16, 64), 1, t0 + 1s).what, outcome::invalid_session);
    EXPECT_EQ(rules.timeline().size(), 17U);
    EXPECT_EQ(rules.timeline().back().key, 0U);
}

TEST(IdentifyRules, ScaleShortensTheInterval) {
    options o;
    o.scale = 100;
    identify_rules rules(o);
    EXPECT_EQ(rules.check(ask(0, 1), 1, t0).what, outcome::accepted);

    EXPECT_EQ(rules.check(ask(0, 1), 1, t0 + 49ms).what, outcome::invalid_session);
    EXPECT_EQ(rules.check(ask(0, 1), 1, t0 + 51ms).what, outcome::accepted);
}

TEST(IdentifyRules, TheBudgetFallsPerAcceptedIdentifyAndComesBack) {
    options o;
    o.gateway.starts_total = 3;
    o.gateway.token_reset = false;
    o.gateway.max_concurrency = 16;
    identify_rules rules(o);
    EXPECT_EQ(rules.budget_at(t0).reset_after, duration::zero());
    for (std::uint32_t s = 0; s < 3; ++s)
        (void)rules.check(ask(s, 16), 1, t0);

    EXPECT_EQ(rules.budget_at(t0 + 1h).remaining, 0U);
    EXPECT_EQ(rules.budget_at(t0 + 1h).reset_after, duration(23h));
    EXPECT_EQ(rules.check(ask(4, 16), 1, t0 + 1h).what, outcome::invalid_session);
    EXPECT_EQ(rules.budget_at(t0 + 24h).remaining, 3U);
    EXPECT_EQ(rules.check(ask(4, 16), 1, t0 + 24h).what, outcome::accepted);
    EXPECT_EQ(rules.budget_at(t0 + 24h).remaining, 2U);
}

TEST(IdentifyRules, WhatComesBeyondTheBudgetIsCounted) {
    options o;
    o.gateway.starts_total = 1;
    o.gateway.max_concurrency = 16;
    identify_rules rules(o);
    (void)rules.check(ask(0, 16), 1, t0);
    EXPECT_EQ(rules.beyond_budget(), 0U);
    (void)rules.check(ask(1, 16), 1, t0 + 1s);
    EXPECT_EQ(rules.beyond_budget(), 1U);
    EXPECT_TRUE(rules.revoked());
    (void)rules.check(ask(2, 16), 1, t0 + 2s);
    EXPECT_EQ(rules.beyond_budget(), 2U) << "with the token that the first one cost";
    rules.clear(t0);

    EXPECT_EQ(rules.beyond_budget(), 0U);
}

TEST(IdentifyRules, WithoutBudgetTheTokenIsReset) {
    options o;
    o.gateway.starts_remaining = 0;
    identify_rules rules(o);

    EXPECT_EQ(rules.check(ask(0, 1), 1, t0).what, outcome::token_reset);
    EXPECT_FALSE(rules.token_valid("simulated-token"));
    EXPECT_EQ(rules.check(ask(0, 1), 1, t0 + 10s).code, 4004);
    rules.clear(t0);
    EXPECT_TRUE(rules.token_valid("Bot simulated-token"));
}

TEST(IdentifyRules, RefusedOnesSpendNothing) {
    options o;
    o.gateway.shard_multiple = 16;
    identify_rules rules(o);

    EXPECT_EQ(rules.check(ask(0, 24), 1, t0).code, 4010);
    EXPECT_EQ(rules.check(ask(0, 32), 2501, t0).code, 4011);
    EXPECT_EQ(rules.check(ask(32, 32), 1, t0).code, 4010);
    EXPECT_EQ(rules.budget_at(t0).remaining, 1000U);
    EXPECT_EQ(rules.check(ask(0, 32), 2500, t0).what, outcome::accepted);
}

TEST(IdentifyRules, ReadsWhatAClientMaySend) {
    const auto read = [](const char* text) { return read_identify(boost::json::parse(text)); };
    const auto r = read(R"({"token":"a","properties":{},"intents":513,"compress":true,
                            "shard":[3,16],"presence":{"status":"online"}})");

    ASSERT_TRUE(r);
    EXPECT_EQ(r->shard, 3U);
    EXPECT_EQ(r->shards, 16U);
    EXPECT_EQ(r->intents, 513U);
    EXPECT_TRUE(r->compress);
    EXPECT_EQ(read(R"({"token":"a","properties":{},"intents":0})")->shards, 1U);
    EXPECT_FALSE(read("[]"));
    EXPECT_FALSE(read(R"({"token":"a","intents":0})"));
    EXPECT_FALSE(read(R"({"token":1,"properties":{},"intents":0})"));
    EXPECT_FALSE(read(R"({"token":"a","properties":{},"intents":-1})"));
    EXPECT_FALSE(read(R"({"token":"a","properties":{},"intents":0,"compress":1})"));
    EXPECT_FALSE(read(R"({"token":"a","properties":{},"intents":0,"presence":[]})"));
    EXPECT_EQ(read(R"({"token":"a","properties":{},"intents":0,"shard":[1,99999999999]})")->shards,
              0U);
}

TEST(IdentifyRules, TheTimelineIsBounded) {
    options o;
    o.gateway.starts_total = UINT32_MAX - 1;
    identify_rules rules(o);
    for (int i = 0; i < 50000; ++i)
        (void)rules.check(ask(0, 1), 1, t0 + i * 5s);

    EXPECT_LE(rules.timeline().size(), 20000U);
}

// Whatever is asked when: two accepted ones of a key are never closer than interval - tolerance.
TEST(IdentifyRulesProperty, AcceptedOnesKeepTheirDistance) {
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        SCOPED_TRACE(seed);
        options o;
        o.gateway.max_concurrency = 1 + static_cast<std::uint32_t>(seed % 16);
        o.gateway.starts_total = 100000;
        identify_rules rules(o);
        rng random(seed);
        time_point now = t0;
        std::vector<time_point> last(16, t0 - 1h);
        for (int i = 0; i < 2000; ++i) {
            now += milliseconds(random.below(1500));
            const std::uint32_t shard = random.below(64);
            const std::uint32_t key = shard % o.gateway.max_concurrency;
            const bool accepted = rules.check(ask(shard, 64), 1, now).what == outcome::accepted;
            EXPECT_EQ(accepted, now - last[key] >= 4980ms);
            if (accepted) last[key] = now;
        }
    }
}

}  // namespace
}  // namespace shardgate::sim
