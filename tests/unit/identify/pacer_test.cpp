// SPDX-License-Identifier: Apache-2.0
#include "shardgate/identify/pacer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include "unit/identify/pacer_peer.hpp"

namespace shardgate::test {
namespace {

TEST(Pacer, FirstEveryKeyWaitsOneInterval) {
    pacer_peer p(limit_of(16));
    p.request(0);
    p.ready(0);
    EXPECT_EQ(p.permits_until(interval - 1ns), shards({}));
    EXPECT_EQ(p.permits_until(interval), shards({0}));
}

TEST(Pacer, WhatTheLedgerKnowsShortensTheFirstWait) {
    pacer_peer p(limit_of(4));
    p.pace.last_identify(1, 2s, p.now());
    p.pace.last_identify(2, 1h, p.now());
    for (std::uint32_t s = 0; s < 4; ++s)
        p.request(s), p.ready(s);
    EXPECT_EQ(p.permits_until(0s), shards({2}));
    EXPECT_EQ(p.permits_until(interval - 2s), shards({1}));
    EXPECT_EQ(p.permits_until(interval), shards({0, 3}));
}

TEST(Pacer, OneKeyIsFirstComeFirstServedAnIntervalApart) {
    pacer_peer p(limit_of(1));
    for (const std::uint32_t s : {5U, 3U, 4U})
        p.request(s), p.ready(s);
    EXPECT_EQ(p.permits_until(interval), shards({5}));
    p.sent(5);
    EXPECT_EQ(p.permits_until(2 * interval - 1ns), shards({}));
    EXPECT_EQ(p.permits_until(2 * interval), shards({3}));
    p.sent(3);
    EXPECT_EQ(p.permits_until(3 * interval), shards({4}));
}

TEST(Pacer, TheIntervalRunsFromTheSendNotFromThePermit) {
    pacer_peer p(limit_of(1));
    p.request(0), p.ready(0), p.request(1), p.ready(1);
    EXPECT_EQ(p.permits_until(interval), shards({0}));
    p.advance_to(interval + 3s);
    p.sent(0);
    EXPECT_EQ(p.permits_until(2 * interval + 3s - 1ns), shards({}));
    EXPECT_EQ(p.permits_until(2 * interval + 3s), shards({1}));
}

TEST(Pacer, KeysRunSideBySide) {
    pacer_peer p(limit_of(16));
    for (std::uint32_t s = 0; s < 64; ++s)
        p.request(s), p.ready(s);
    for (std::uint32_t wave = 0; wave < 4; ++wave) {
        const auto granted = p.permits_until((wave + 1) * interval);
        ASSERT_EQ(granted.size(), 16U);
        for (std::uint32_t k = 0; k < 16; ++k)
            EXPECT_EQ(granted[k], shard_id{wave * 16 + k});
        for (const shard_id s : granted)
            p.sent(s.value);
    }
    EXPECT_EQ(p.pace.waiting(), 0U);
}

TEST(Pacer, AHeadThatIsNotReadyHoldsNobodyAndKeepsItsPlace) {
    pacer_peer p(limit_of(1));
    for (std::uint32_t s = 0; s < 3; ++s)
        p.request(s);
    p.ready(1), p.ready(2);
    EXPECT_EQ(p.permits_until(interval), shards({1}));
    p.sent(1);
    p.ready(0);
    EXPECT_EQ(p.permits_until(2 * interval), shards({0}));
}

TEST(Pacer, NobodyReadyThenTheFirstThatGetsReadyGoesAtOnce) {
    pacer_peer p(limit_of(1));
    for (std::uint32_t s = 0; s < 3; ++s)
        p.request(s);
    EXPECT_EQ(p.permits_until(10 * interval), shards({}));
    p.ready(2);
    EXPECT_EQ(p.permits_until(10 * interval), shards({2}));
}

TEST(Pacer, TurnNearIsToldAtMostTwoIntervalsAhead) {
    pacer_peer p(limit_of(1));
    for (std::uint32_t s = 0; s < 6; ++s)
        p.request(s);
    EXPECT_EQ(p.told_until(0s), shards({0, 1}));
    p.ready(0), p.ready(1);
    EXPECT_EQ(p.told_until(interval), shards({2}));
    p.ready(2);
    EXPECT_EQ(p.granted, shards({0}));
    p.sent(0);
    EXPECT_EQ(p.told_until(interval), shards({}));
    EXPECT_EQ(p.told_until(2 * interval), shards({3}));
}

TEST(Pacer, ThoseWhoDoNotGetReadyAreReplacedInTime) {
    pacer_peer p(limit_of(1));
    for (std::uint32_t s = 0; s < 20; ++s)
        p.request(s);
    p.told_until(0s);
    EXPECT_GE(p.told_until(6 * interval).size(), 4U)
        << "the first ones are not counted on for ever";
    p.ready(5);
    EXPECT_EQ(p.permits_until(6 * interval), shards({5}));
}

TEST(Pacer, ALostConnectionKeepsItsPlaceOnceThenGoesToTheEnd) {
    pacer_peer p(limit_of(1));
    for (std::uint32_t s = 0; s < 3; ++s)
        p.request(s), p.ready(s);
    p.told_until(0s);
    p.ready(0, false);
    p.request(0, true);
    EXPECT_EQ(p.told_until(0s), shards({0})) << "told anew";
    p.ready(0);
    EXPECT_EQ(p.permits_until(interval), shards({0}));
    p.ready(0, false);  // lost again, with the permit in hand
    p.request(0, true);
    p.ready(0);
    EXPECT_EQ(p.permits_until(interval), shards({1}));
    p.sent(1);
    EXPECT_EQ(p.permits_until(2 * interval), shards({2}));
    p.sent(2);
    EXPECT_EQ(p.permits_until(3 * interval), shards({0}));
}

TEST(Pacer, AskingAnewWithoutKeepingThePlaceGoesToTheEnd) {
    pacer_peer p(limit_of(1));
    p.request(0), p.request(1), p.request(0);
    p.ready(0), p.ready(1);
    EXPECT_EQ(p.permits_until(interval), shards({1}));
}

TEST(Pacer, AReleasedPermitIsFreeAtOnce) {
    pacer_peer p(limit_of(1));
    p.request(0), p.ready(0), p.request(1), p.ready(1);
    EXPECT_EQ(p.permits_until(interval), shards({0}));
    EXPECT_EQ(p.permits_until(interval), shards({})) << "one permit at a time";
    p.pace.release(ticket(0), p.now());
    EXPECT_EQ(p.permits_until(interval), shards({1}));
    EXPECT_EQ(p.pace.waiting(), 2U);
    p.sent(1);
    p.ready(0);
    EXPECT_EQ(p.permits_until(2 * interval), shards({0}));
}

TEST(Pacer, AForgottenPermitIsTakenBackAndTheKeyWaitsAsIfItWasUsed) {
    pacer_peer p(limit_of(1));
    p.request(0), p.ready(0), p.request(1), p.ready(1);
    EXPECT_EQ(p.permits_until(interval), shards({0}));
    EXPECT_EQ(p.permits_until(interval + 5s + interval - 1ns), shards({}));
    EXPECT_EQ(p.permits_until(interval + 5s + interval), shards({1}));
    EXPECT_EQ(p.pace.taken_back(), 1U);
    p.sent(0);  // it was used after all
    EXPECT_EQ(p.pace.waiting(), 1U);
    EXPECT_EQ(p.pace.remaining(p.now()), 999U);
}

TEST(Pacer, ACancelledTicketIsGoneWhereverItWas) {
    pacer_peer p(limit_of(1));
    for (std::uint32_t s = 0; s < 4; ++s)
        p.request(s);
    p.ready(0), p.ready(1);
    EXPECT_EQ(p.permits_until(interval), shards({0}));
    for (std::uint32_t s = 0; s < 4; ++s)
        p.pace.cancel(ticket(s), p.now());
    p.pace.cancel(ticket(0), p.now());
    EXPECT_EQ(p.pace.waiting(), 0U);
    EXPECT_EQ(p.pace.deadline(), never);
    p.request(7), p.ready(7);
    EXPECT_EQ(p.permits_until(interval), shards({7})) << "the cancelled permit blocks nobody";
}

TEST(Pacer, TwoGenerationsShareTheKeys) {
    pacer_peer p(limit_of(1));
    p.pace.request(pacer_ticket{generation{1}, shard_id{0}}, false, false, p.now());
    p.pace.request(pacer_ticket{generation{2}, shard_id{0}}, false, false, p.now());
    EXPECT_EQ(p.pace.waiting(), 2U);
    p.pace.ready(pacer_ticket{generation{2}, shard_id{0}}, true, p.now());
    p.pace.ready(pacer_ticket{generation{1}, shard_id{0}}, true, p.now());
    EXPECT_EQ(p.permits_until(2 * interval), shards({0}));
    p.pace.sent(pacer_ticket{generation{1}, shard_id{0}}, p.now());
    EXPECT_EQ(p.permits_until(4 * interval), shards({0}));
}

TEST(Pacer, AChangedConcurrencyKeepsTheQueueAndMakesEveryKeyWait) {
    pacer_peer p(limit_of(1));
    for (std::uint32_t s = 0; s < 8; ++s)
        p.request(s), p.ready(s);
    EXPECT_EQ(p.permits_until(interval), shards({0}));
    p.sent(0);
    p.advance_to(interval + 1s);
    p.pace.update(limit_of(4), p.now());
    EXPECT_EQ(p.pace.max_concurrency(), 4U);
    EXPECT_EQ(p.pace.waiting(), 7U);
    EXPECT_EQ(p.permits_until(2 * interval + 1s - 1ns), shards({}));
    EXPECT_EQ(p.permits_until(2 * interval + 1s), shards({1, 2, 3, 4}));
    p.pace.update(limit_of(1), p.now());
    for (const std::uint32_t s : {1U, 2U, 3U, 4U})
        p.sent(s);
    EXPECT_EQ(p.permits_until(3 * interval + 1s), shards({5}));
}

TEST(Pacer, TheSameConcurrencyChangesNothing) {
    pacer_peer p(limit_of(1));
    p.request(0), p.ready(0);
    p.advance_to(interval - 1s);
    p.pace.update(limit_of(1), p.now());
    EXPECT_EQ(p.permits_until(interval), shards({0}));
}

TEST(Pacer, ConcurrencyIsCappedAndNeverZero) {
    pacer_settings capped;
    capped.max_concurrency_cap = 2;
    EXPECT_EQ(pacer(capped, limit_of(16), t0).max_concurrency(), 2U);
    EXPECT_EQ(pacer(capped, limit_of(1), t0).max_concurrency(), 1U);
    EXPECT_EQ(pacer({}, limit_of(0), t0).max_concurrency(), 1U);
    capped.max_concurrency_cap = 0;
    EXPECT_EQ(pacer(capped, limit_of(16), t0).max_concurrency(), 1U);
}

TEST(Pacer, TheReserveIsForExplicitRequestsOnly) {
    session_start_limit limit = limit_of(16);
    limit.remaining = 21;
    limit.reset_after = 1h;
    pacer_peer p(limit);
    for (std::uint32_t s = 0; s < 4; ++s)
        p.request(s), p.ready(s);
    EXPECT_EQ(p.permits_until(interval), shards({0})) << "20 are the reserve, and a permit counts";
    EXPECT_TRUE(p.pace.blocked_until(p.now()));
    p.sent(0);
    EXPECT_EQ(p.permits_until(10 * interval), shards({}));
    EXPECT_EQ(p.pace.blocked_until(p.now()), t0 + 1h);
    EXPECT_EQ(p.pace.deadline(), t0 + 1h);
    p.request(2, true, true);
    EXPECT_EQ(p.told_until(10 * interval), shards({2}));
    p.ready(2);
    EXPECT_EQ(p.permits_until(10 * interval), shards({2}));
    p.sent(2);
    EXPECT_EQ(p.pace.remaining(p.now()), 19U);
    EXPECT_EQ(p.permits_until(1h), shards({1, 3})) << "a new window";
    EXPECT_EQ(p.pace.remaining(p.now()), 1000U);
    EXPECT_FALSE(p.pace.blocked_until(p.now()));
}

TEST(Pacer, NothingLeftMeansNobody) {
    session_start_limit limit = limit_of(16);
    limit.remaining = 0;
    limit.reset_after = 30min;
    pacer_peer p(limit);
    p.request(0, false, true), p.ready(0);
    EXPECT_EQ(p.permits_until(30min - 1ns), shards({}));
    EXPECT_EQ(p.permits_until(30min), shards({0}));
}

TEST(Pacer, NobodyIsToldToConnectWhileTheBudgetIsUsedUp) {
    session_start_limit limit = limit_of(16);
    limit.remaining = 10;
    limit.reset_after = 1h;
    pacer_peer p(limit);
    for (std::uint32_t s = 0; s < 4; ++s)
        p.request(s);
    EXPECT_EQ(p.told_until(59min), shards({}));
    EXPECT_EQ(p.told_until(1h), shards({0, 1, 2, 3}));
}

TEST(Pacer, FreshNumbersFromDiscordLiftTheBlock) {
    session_start_limit limit = limit_of(16);
    limit.remaining = 0;
    limit.reset_after = 20h;
    pacer_peer p(limit);
    p.request(0), p.ready(0);
    EXPECT_EQ(p.permits_until(1h), shards({}));
    p.pace.update(limit_of(16), p.now());
    EXPECT_EQ(p.permits_until(1h), shards({0}));
}

TEST(Pacer, WithoutAWindowOneBeginsWithOurFirstIdentify) {
    session_start_limit limit = limit_of(1);
    limit.total = limit.remaining = 21;
    pacer_peer p(limit);
    p.request(0), p.ready(0), p.request(1), p.ready(1);
    EXPECT_EQ(p.permits_until(interval), shards({0}));
    p.sent(0);
    EXPECT_EQ(p.pace.blocked_until(p.now()), p.now() + 24h);
    EXPECT_EQ(p.permits_until(interval + 24h - 1ns), shards({}));
    EXPECT_EQ(p.permits_until(interval + 24h), shards({1}));
}

TEST(Pacer, EstimatesTheTimeUntilAllHaveIdentified) {
    pacer_peer p(limit_of(16));
    for (std::uint32_t s = 0; s < 208; ++s)
        p.request(s);
    EXPECT_EQ(p.pace.estimate(p.now()), 13 * interval) << "the first wait and 12 intervals";
    session_start_limit little = limit_of(16);
    little.remaining = 100;
    little.reset_after = 3h;
    p.pace.update(little, p.now());
    EXPECT_EQ(p.pace.estimate(p.now()), duration(3h));
    EXPECT_EQ(pacer({}, limit_of(1), t0).estimate(t0), duration::zero());
}

TEST(Pacer, TheNumberOfTicketsIsBounded) {
    pacer_peer p(limit_of(16));
    for (std::uint32_t s = 0; s < pacer::max_tickets; ++s)
        ASSERT_TRUE(p.request(s));
    EXPECT_FALSE(p.request(70000));
    EXPECT_EQ(p.pace.refused(), 1U);
    EXPECT_TRUE(p.request(5, true)) << "who waits already may still ask";
}

TEST(Pacer, CallsAboutStrangersChangeNothing) {
    pacer_peer p(limit_of(4));
    p.ready(9), p.ready(9, false);
    p.pace.cancel(ticket(9), p.now());
    p.pace.release(ticket(9), p.now());
    EXPECT_EQ(p.pace.waiting(), 0U);
    EXPECT_EQ(p.pace.deadline(), never);
    p.sent(9);
    EXPECT_EQ(p.pace.remaining(p.now()), 999U) << "an IDENTIFY was sent, whoever it was";
}

}  // namespace
}  // namespace shardgate::test
