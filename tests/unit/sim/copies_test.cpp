// SPDX-License-Identifier: Apache-2.0
// Equal events: every repetition has to arrive under a key of its own, and not one more.
#include "sim/copies.hpp"

#include <gtest/gtest.h>

#include <random>

#include "sim/truth.hpp"

namespace shardgate::sim {
namespace {

const time_point t0 = time_point{} + std::chrono::hours(1);

// Number 1 happens, and `again` times more.
struct typed {
    truth book;

    explicit typed(int again, std::string_view name = "TYPING_START") {
        book.sent(sent_event(1, name, 7), t0);
        for (int i = 0; i < again; ++i)
            book.happened_again(1);
    }
    void come(std::string_view key, std::uint64_t n = 1) {
        received_event r;
        r.n = n;
        r.name = "TYPING_START";
        r.key = key;
        book.received(r, t0);
    }
    [[nodiscard]] const truth::counts& counts() const { return book.totals(); }
};

TEST(Repeats, EachMustCome) {
    typed t(2);
    t.come("a-1");
    t.come("a-2");
    EXPECT_EQ(t.counts().missing(), 0U);
    EXPECT_EQ(t.counts().repeats_sent, 2U);
    EXPECT_EQ(t.counts().repeats_received, 1U);
    EXPECT_EQ(t.counts().repeats_missing, 1U);
    EXPECT_FALSE(t.book.flawless());
    const auto named = t.book.report().at("repeats_missing_first").as_array();
    ASSERT_EQ(named.size(), 1U);
    EXPECT_EQ(named[0].at("detail").as_string(), "2 of 3 came");

    t.come("a-3");
    EXPECT_EQ(t.counts().repeats_missing, 0U);
    EXPECT_TRUE(t.book.flawless());
    EXPECT_TRUE(t.book.report().at("repeats_missing_first").as_array().empty());
}

TEST(Repeats, NoneHasComeWhenNothingHas) {
    typed t(3);
    EXPECT_EQ(t.counts().missing(), 1U);
    EXPECT_EQ(t.counts().repeats_missing, 3U);
}

TEST(Repeats, OneReceiptMoreIsAFault) {
    typed t(1);
    for (const char* key : {"a-1", "a-2", "a-3"})
        t.come(key);
    EXPECT_EQ(t.counts().duplicates_other_key, 1U);
    t.come("a-3");
    EXPECT_EQ(t.counts().duplicates_same_key, 1U);
    EXPECT_EQ(t.counts().repeats_received, 1U);
    boost::json::object account;
    t.book.account(account);
    EXPECT_EQ(account.at("doubles").as_uint64(), 1U);
    EXPECT_EQ(account.at("copies").as_uint64(), 1U);
    EXPECT_EQ(account.at("doubles_first").as_array().size(), 1U);
    EXPECT_FALSE(t.book.flawless());
}

TEST(Repeats, AUsedKeyIsAFaultOfItsOwn) {
    typed t(1);
    t.come("a-1");
    t.come("a-1");
    EXPECT_EQ(t.counts().repeats_missing, 0U) << "it came";
    EXPECT_EQ(t.counts().repeats_same_key, 1U) << "and a handler that looks at keys drops it";
    EXPECT_EQ(t.counts().duplicates(), 0U);
    EXPECT_FALSE(t.book.flawless());
    boost::json::object account;
    t.book.account(account);
    EXPECT_EQ(account.at("repeats_same_key").as_uint64(), 1U);
    EXPECT_EQ(account.at("repeats_same_key_first").as_array().size(), 1U);
}

TEST(Repeats, ACopyOfTheFirstIsTakenForARepetitionUntilThatComes) {
    typed t(1);
    t.come("a-1");
    t.come("a-1");  // after a crash
    t.come("a-2");
    EXPECT_EQ(t.counts().repeats_same_key, 0U);
    EXPECT_EQ(t.counts().duplicates_same_key, 1U);
    EXPECT_EQ(t.counts().duplicates_other_key, 0U);
    EXPECT_EQ(t.counts().repeats_missing, 0U);
}

TEST(Repeats, WhatCameBeforeItHappenedAgainIsNotTheRepetition) {
    typed t(0);
    t.come("a-1");
    t.come("a-2");
    EXPECT_EQ(t.counts().duplicates_other_key, 1U);
    t.book.happened_again(1);
    EXPECT_EQ(t.counts().repeats_missing, 1U);
    t.come("a-3");
    EXPECT_EQ(t.counts().repeats_missing, 0U);
    EXPECT_EQ(t.counts().duplicates_other_key, 1U);
}

TEST(Repeats, OrderIsNotAsked) {
    typed t(1);
    t.book.sent(sent_event(2, "MESSAGE_CREATE", 7), t0);
    t.come("a-2", 2);
    t.come("a-1");
    t.come("a-3");
    EXPECT_EQ(t.counts().out_of_order, 0U);
    EXPECT_TRUE(t.book.flawless());
}

TEST(Repeats, ALostOneIsWantedLess) {
    typed t(2);
    t.come("a-1");
    t.book.lost(1, "invalidated", 2);
    EXPECT_EQ(t.counts().repeats_missing, 1U);
    EXPECT_EQ(t.counts().repeats_lost, 1U);
    t.come("a-2");
    EXPECT_TRUE(t.book.flawless());
    EXPECT_EQ(t.book.report().at("lost_by").at("invalidated").to_number<int>(), 1);
    t.come("a-3");  // had it all the same
    EXPECT_TRUE(t.book.flawless());
    EXPECT_EQ(t.counts().lost_received, 1U);
    EXPECT_TRUE(t.book.report().at("lost_by").as_object().empty());
}

TEST(Repeats, WhenAllAreLostTheFirstIsToo) {
    typed t(1);
    t.book.lost(1, "invalidated", 0);
    EXPECT_EQ(t.counts().missing(), 1U) << "one of the two can still come";
    EXPECT_EQ(t.counts().repeats_missing, 0U);
    t.book.lost(1, "invalidated", 1);
    EXPECT_EQ(t.counts().missing(), 0U);
    EXPECT_EQ(t.counts().lost, 2U);
    EXPECT_TRUE(t.book.was_lost(1));
    EXPECT_TRUE(t.book.flawless());
}

TEST(Repeats, WhatHasComeIsNotLost) {
    typed t(1);
    t.come("a-1");
    t.book.lost(1, "ring overrun", 0);  // the first's copy
    EXPECT_EQ(t.counts().lost, 0U);
    EXPECT_EQ(t.counts().repeats_missing, 1U);
}

TEST(Repeats, WhatNeedNotComeNeedNotComeAgain) {
    truth book;
    auto dropped = sent_event(1, "TYPING_START", 7);
    dropped.expected = expectation::filtered;
    book.sent(dropped, t0);
    book.happened_again(1);
    EXPECT_EQ(book.totals().repeats_sent, 0U);
    EXPECT_TRUE(book.flawless());
    book.happened_again(99);
    EXPECT_TRUE(book.flawless());
}

TEST(Repeats, CopiesOnPurposeMayComeBesideThem) {
    typed t(1);
    t.book.sent_again(1);
    t.come("a-1");
    t.come("a-2");
    EXPECT_TRUE(t.book.flawless());
    t.come("a-3");
    EXPECT_TRUE(t.book.flawless());
    t.come("a-4");
    EXPECT_EQ(t.counts().duplicates_other_key, 1U);
}

TEST(Repeats, TheCountsAreThoseOfTheReceiptsProperty) {
    const std::uint64_t seed = std::random_device{}();
    std::mt19937_64 random(seed);
    for (int round = 0; round < 2000; ++round) {
        copies c;
        c.must = random() % 4;
        c.may = random() % 2;
        c.lost = c.must == 0 ? 0 : static_cast<std::uint32_t>(random() % (c.must + 1));
        const int receipts = static_cast<int>(random() % 7);
        for (int i = 0; i < receipts; ++i) {
            ++c.receipts;
            const auto key = static_cast<std::uint32_t>(random() % 5);
            if (std::find(c.keys.begin(), c.keys.end(), key) == c.keys.end()) c.keys.push_back(key);
        }
        const copies_tally t = tally_of(c);
        // Every receipt is the first, a repetition, on purpose, or one too many.
        const std::uint64_t extra = t.extra_same_key + t.extra_other_key;
        const std::uint64_t first = c.receipts > 0 ? 1 : 0;
        ASSERT_LE(first + t.received + extra, c.receipts) << "seed " << seed;
        ASSERT_GE(first + t.received + extra + c.may, c.receipts) << "seed " << seed;
        ASSERT_LE(t.missing + t.received, c.must) << "seed " << seed;
        ASSERT_EQ(t.missing == 0, t.received >= c.must - c.lost) << "seed " << seed;
        ASSERT_LE(t.same_key, t.received) << "seed " << seed;
    }
}

}  // namespace
}  // namespace shardgate::sim
