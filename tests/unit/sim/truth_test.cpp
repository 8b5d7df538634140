// SPDX-License-Identifier: Apache-2.0
// The truth book tells loss, doubles and disorder apart from what is right.
#include "sim/truth.hpp"

#include <gtest/gtest.h>

#include <random>

namespace shardgate::sim {
namespace {

using std::chrono::milliseconds;
const time_point t0 = time_point{} + std::chrono::hours(1);

sent_event message(std::uint64_t n, std::uint64_t lane = 7) {
    return sent_event(n, "MESSAGE_CREATE", lane);
}

received_event receipt(std::uint64_t n, std::string_view key = "k-1") {
    received_event r;
    r.n = n;
    r.name = "MESSAGE_CREATE";
    r.key = key;
    return r;
}

TEST(Truth, AllThatWasSentAndCameOnceInOrderIsFlawless) {
    truth book;
    for (std::uint64_t n = 1; n <= 200000; ++n)
        book.sent(message(n, n % 50), t0);
    for (std::uint64_t n = 1; n <= 200000; ++n)
        book.received(receipt(n), t0 + milliseconds(3));

    EXPECT_TRUE(book.flawless());
    EXPECT_EQ(book.totals().received_expected, 200000U);
    const auto p50 = book.lag().percentile(0.5);
    EXPECT_NEAR(static_cast<double>(p50.count()), 3000.0, 200.0);
}

TEST(Truth, WhatDidNotComeIsNamed) {
    truth book;
    for (std::uint64_t n = 1; n <= 100; ++n)
        book.sent(message(n), t0);
    for (std::uint64_t n = 1; n <= 100; ++n)
        if (n != 42) book.received(receipt(n), t0);

    EXPECT_FALSE(book.flawless());
    EXPECT_EQ(book.totals().missing(), 1U);
    const auto report = book.report();
    const auto& first = report.at("missing_first").as_array();
    ASSERT_EQ(first.size(), 1U);
    EXPECT_EQ(first[0].at("n").to_number<int>(), 42);
    EXPECT_EQ(first[0].at("name").as_string(), "MESSAGE_CREATE");
    EXPECT_EQ(first[0].at("lane").as_string(), "7");
}

TEST(Truth, ADoubleIsTheHandlersBusinessOnlyWithAnotherKey) {
    truth book;
    book.sent(message(1), t0);
    book.sent(message(2), t0);
    book.received(receipt(1, "s-1"), t0);
    book.received(receipt(1, "s-1"), t0);
    book.received(receipt(2, "s-2"), t0);
    book.received(receipt(2, "s-9"), t0);

    EXPECT_EQ(book.totals().duplicates_same_key, 1U);
    EXPECT_EQ(book.totals().duplicates_other_key, 1U);
    EXPECT_EQ(book.totals().received_unique, 2U);
    EXPECT_FALSE(book.flawless());
    EXPECT_EQ(book.report().at("duplicates_first").as_array().size(), 2U);
}

TEST(Truth, TheAccountTellsCopiesFromDoublesHoweverManyCopiesThereAre) {
    truth book;
    for (std::uint64_t n = 1; n <= 40; ++n)
        book.sent(sent_event(n, "MESSAGE_CREATE", 7), time_point{});
    const auto receive = [&](std::uint64_t n, const std::string& key) {
        received_event r;
        r.n = n;
        r.name = "MESSAGE_CREATE";
        r.key = key;
        book.received(r, time_point{});
    };
    for (int times = 0; times < 2; ++times)
        for (std::uint64_t n = 1; n <= 30; ++n)
            receive(n, "s-" + std::to_string(n));
    receive(5, "t-1");
    boost::json::object account;
    book.account(account);

    EXPECT_EQ(account.at("sent").as_uint64(), 40U);
    EXPECT_EQ(account.at("received").as_uint64(), 30U);
    EXPECT_EQ(account.at("missing").as_uint64(), 10U);
    EXPECT_EQ(account.at("missing_first").as_array().at(0).at("n").as_uint64(), 31U);
    EXPECT_EQ(account.at("copies").as_uint64(), 30U);
    EXPECT_EQ(account.at("doubles").as_uint64(), 1U);
    EXPECT_EQ(account.at("doubles_first").as_array().at(0).at("n").as_uint64(), 5U);
    EXPECT_EQ(account.at("out_of_order").as_uint64(), 0U) << "copies are no disorder";
}

TEST(Truth, ACopySentOnPurposeMayComeTwiceButNotThrice) {
    truth book;
    book.sent(message(1), t0);
    book.sent_again(1);
    book.received(receipt(1, "s-1"), t0);
    book.received(receipt(1, "s-2"), t0);
    EXPECT_TRUE(book.flawless());

    book.received(receipt(1, "s-2"), t0);
    EXPECT_EQ(book.totals().duplicates(), 1U);
}

TEST(Truth, OrderIsHeldWithinALaneOnly) {
    truth book;
    book.sent(message(1, 7), t0);
    book.sent(message(2, 8), t0);
    book.sent(message(3, 7), t0);
    book.received(receipt(2), t0);
    book.received(receipt(3), t0);
    EXPECT_EQ(book.totals().out_of_order, 0U);

    book.received(receipt(1), t0);
    EXPECT_EQ(book.totals().out_of_order, 1U);
    EXPECT_EQ(book.report().at("out_of_order_first").as_array()[0].at("detail").as_string(),
              "after 3");
}

TEST(Truth, ARedeliveryOfAnOlderEventIsADoubleAndNotDisorder) {
    truth book;
    book.sent(message(1), t0);
    book.sent(message(2), t0);
    for (const std::uint64_t n : {1, 2, 1})
        book.received(receipt(n), t0);

    EXPECT_EQ(book.totals().out_of_order, 0U);
    EXPECT_EQ(book.totals().duplicates_same_key, 1U);
}

TEST(Truth, FilteredEventsMustNotComeAndOptionalOnesMay) {
    truth book;
    auto unfurl = sent_event(1, "MESSAGE_UPDATE", 7);
    unfurl.expected = expectation::filtered;
    unfurl.unfurl = true;
    auto loading = sent_event(2, "GUILD_CREATE", 7);
    loading.expected = expectation::may_arrive;
    book.sent(unfurl, t0);
    book.sent(loading, t0);
    EXPECT_TRUE(book.flawless()) << "neither has to arrive";

    auto forwarded = receipt(2);
    forwarded.name = "GUILD_LOADED_DD";
    book.received(forwarded, t0);
    EXPECT_TRUE(book.flawless());
    EXPECT_EQ(book.report().at("forwarded").at("GUILD_LOADED_DD").to_number<int>(), 1);

    book.received(receipt(1), t0);
    EXPECT_FALSE(book.flawless());
    EXPECT_EQ(book.totals().filtered_received, 1U);
    EXPECT_EQ(book.totals().unfurls_received, 1U);
    EXPECT_EQ(book.totals().may_arrive_received, 1U);
}

TEST(Truth, AnUnfurlIsExcusedWhenItsMessageNeverCame) {
    truth book;
    book.sent(message(1), t0);
    book.sent(message(2), t0);
    auto dropped = message(3);  // the test has the daemon drop it by name
    dropped.expected = expectation::filtered;
    book.sent(dropped, t0);
    for (const std::uint64_t n : {1, 2, 3}) {
        auto unfurl = sent_event(10 + n, "MESSAGE_UPDATE", 7);
        unfurl.expected = expectation::filtered;
        unfurl.unfurl = true;
        unfurl.about = n;
        book.sent(unfurl, t0);
    }

    book.received(receipt(2), t0);
    book.received(receipt(11), t0);
    EXPECT_EQ(book.totals().filtered_received, 0U) << "1 went down with its session";
    EXPECT_EQ(book.totals().may_arrive_received, 1U);
    book.lost(1, "session expired");
    EXPECT_TRUE(book.flawless());

    book.received(receipt(12), t0);
    EXPECT_EQ(book.totals().filtered_received, 1U) << "2 was there to compare with";
    book.received(receipt(13), t0);
    EXPECT_EQ(book.totals().filtered_received, 2U) << "3 was there, though it was not forwarded";
}

TEST(Truth, LostEventsAreNotMissedAndNoFaultWhenTheyComeAllTheSame) {
    truth book;
    for (std::uint64_t n = 1; n <= 3; ++n)
        book.sent(message(n), t0);
    book.received(receipt(1), t0);
    book.lost(1, "session gone");  // came already: not lost
    book.lost(2, "session gone");
    book.lost(2, "session gone");
    book.lost(3, "dropped");
    book.received(receipt(3), t0);
    book.lost(99, "never sent");

    EXPECT_TRUE(book.flawless());
    EXPECT_EQ(book.totals().lost, 2U);
    EXPECT_EQ(book.totals().expected, 1U);
    EXPECT_EQ(book.totals().lost_received, 1U);
    EXPECT_EQ(book.report().at("lost_by").at("session gone").to_number<int>(), 1);
    EXPECT_TRUE(book.was_lost(2));
    EXPECT_FALSE(book.was_lost(1));
}

TEST(Truth, WhatNeedNotComeIsNotLost) {
    truth book;
    auto loading = message(2);
    loading.expected = expectation::may_arrive;
    book.sent(loading, t0);
    book.lost(2, "session gone");
    EXPECT_TRUE(book.was_lost(2)) << "an update of it is excused";
    EXPECT_TRUE(book.report().at("lost_by").as_object().empty());
    book.received(receipt(2), t0);
    EXPECT_EQ(book.totals().lost_received, 0U);
    auto dropped = message(1);
    dropped.expected = expectation::filtered;
    book.sent(dropped, t0);
    book.lost(1, "session gone");
    EXPECT_EQ(book.totals().lost, 0U);
    book.received(receipt(1), t0);
    EXPECT_EQ(book.totals().filtered_received, 1U);
}

TEST(Truth, WhatWasCalledLostAndCameHasNoReasonAnyMore) {
    truth book;
    for (std::uint64_t n = 1; n <= 3; ++n)
        book.sent(sent_event(n, "MESSAGE_CREATE", 7), time_point{});
    book.lost(1, "ring overrun");
    book.lost(2, "session expired");
    book.lost(3, "ring overrun");
    const auto receive = [&](std::uint64_t n) {
        const std::string key = "a-" + std::to_string(n);
        received_event r;
        r.n = n;
        r.name = "MESSAGE_CREATE";
        r.key = key;
        book.received(r, time_point{});
    };
    receive(2);
    receive(3);
    receive(3);
    boost::json::object account;
    book.account(account);

    const auto& why = account.at("lost_by").as_object();
    EXPECT_EQ(why.size(), 1U);
    EXPECT_EQ(why.at("ring overrun").as_uint64(), 1U);
    EXPECT_EQ(account.at("lost").as_uint64(), 3U);
    EXPECT_EQ(account.at("lost_received").as_uint64(), 2U);
    EXPECT_EQ(account.at("copies").as_uint64(), 1U);
    EXPECT_EQ(account.at("doubles").as_uint64(), 0U);
}

TEST(Truth, NumbersNeverGivenOutAreCounted) {
    truth book;
    book.received(receipt(1), t0);
    book.sent(message(1), t0);
    book.received(receipt(1ULL << 60), t0);

    EXPECT_EQ(book.totals().unknown, 2U);
    EXPECT_FALSE(book.flawless());
    EXPECT_EQ(book.lane_of(5), 0U);
    EXPECT_FALSE(book.was_received(5));
}

TEST(Truth, EventsWithoutNumberAreCountedByName) {
    truth book;
    received_event ready;
    ready.name = "READY";
    book.received(ready, t0);

    EXPECT_EQ(book.totals().unnumbered, 1U);
    EXPECT_EQ(book.totals().received, 0U);
    EXPECT_EQ(book.report().at("forwarded").at("READY").to_number<int>(), 1);
}

TEST(Truth, AnInteractionsReceiptIsFoundByItsId) {
    truth book;
    auto click = sent_event(1, "INTERACTION_CREATE", 7);
    click.interaction = snowflake{77};
    book.sent(click, t0);
    EXPECT_EQ(book.interaction(snowflake{77}), nullptr);

    auto r = receipt(1);
    r.attempt = 2;
    r.interaction_mark = "deferred";
    book.received(r, t0 + milliseconds(5));
    const auto* found = book.interaction(snowflake{77});
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->attempt, 2U);
    EXPECT_EQ(found->mark, "deferred");
    EXPECT_EQ(found->when, t0 + milliseconds(5));
}

TEST(Truth, ClearStartsAnewAndIgnoresOlderReceipts) {
    truth book;
    book.sent(message(1), t0);
    book.sent(message(2), t0);
    book.clear();
    book.received(receipt(1), t0);
    book.sent(message(3), t0);
    book.received(receipt(3), t0);

    EXPECT_TRUE(book.flawless());
    EXPECT_EQ(book.totals().sent, 1U);
    EXPECT_EQ(book.totals().received, 1U);
}

TEST(Truth, LatencySurvivesTheClocksWrap) {
    truth book;
    book.sent(message(1), t0);
    const auto late = t0 + std::chrono::hours(20);  // 2^32 ticks of 16 µs are 19.09 hours
    book.sent(message(2), late);
    book.received(receipt(2), late + milliseconds(10));
    EXPECT_NEAR(static_cast<double>(book.lag().max().count()), 10000.0, 50.0);
}

TEST(Truth, LatencyCanBeTakenByTheStretch) {
    truth book;
    for (std::uint64_t n = 1; n <= 3; ++n)
        book.sent(message(n), t0);
    book.received(receipt(1), t0 + milliseconds(500));
    EXPECT_NEAR(book.take_latency().at("max_ms").to_number<double>(), 500, 1);
    book.received(receipt(2), t0 + milliseconds(20));
    const auto second = book.take_latency();
    EXPECT_EQ(second.at("count").to_number<int>(), 1);
    EXPECT_NEAR(second.at("max_ms").to_number<double>(), 20, 1);
    EXPECT_EQ(book.take_latency().at("count").to_number<int>(), 0);
    EXPECT_EQ(book.lag().count(), 2U) << "the report's goes on";
}

TEST(Truth, RandomLossDoublesAndDisorderAreCountedExactlyProperty) {
    const std::uint64_t seed = std::random_device{}();
    std::mt19937_64 random(seed);
    truth book;
    std::uint64_t dropped = 0, doubled = 0;
    for (std::uint64_t n = 1; n <= 20000; ++n) {
        book.sent(message(n, random() % 9), t0);
        const auto what = random() % 10;
        if (what == 0) {
            ++dropped;
            continue;
        }
        book.received(receipt(n), t0);
        if (what == 1) {
            book.received(receipt(n), t0);
            ++doubled;
        }
    }
    EXPECT_EQ(book.totals().missing(), dropped) << "seed " << seed;
    EXPECT_EQ(book.totals().duplicates(), doubled) << "seed " << seed;
    EXPECT_EQ(book.totals().out_of_order, 0U) << "seed " << seed;
    const auto shown = book.report().at("missing_first").as_array().size();
    EXPECT_EQ(shown, std::min<std::uint64_t>(dropped, 20)) << "seed " << seed;
}

TEST(Latency, PercentilesAreWithinSixPercent) {
    latency lag;
    EXPECT_EQ(lag.percentile(0.5).count(), 0);
    for (int us = 1; us <= 100000; ++us)
        lag.observe(std::chrono::microseconds(us));
    for (const double p : {0.1, 0.5, 0.9, 0.99}) {
        const double exact = p * 100000;
        EXPECT_NEAR(static_cast<double>(lag.percentile(p).count()), exact, exact * 0.07) << p;
    }
    EXPECT_EQ(lag.max().count(), 100000);
    EXPECT_EQ(lag.percentile(1).count(), 100000);
}

}  // namespace
}  // namespace shardgate::sim
