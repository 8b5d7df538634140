// SPDX-License-Identifier: Apache-2.0
// What was identified when, over restarts; how runs of the daemon ended.
#include "shardgate/identify/ledger.hpp"
#include "fixture.hpp"
#include "store/ledger_book.hpp"

namespace shardgate {
namespace {

using namespace testing;

class DiskLedger : public store_fixture {
public:
    void end_cleanly() {
        bool done = false;
        disk->mark_clean_end([&] { done = true; });
        EXPECT_FALSE(done);
        EXPECT_TRUE(run_until(loop, [&] { return done; }));
    }
};

TEST_F(DiskLedger, KnowsNothingAtFirst) {
    open();
    EXPECT_EQ(disk->ledger().last(0, 1, wall_now()), std::nullopt);
    EXPECT_EQ(disk->ledger().starts_last_day(wall_now()), 0U);
}

TEST_F(DiskLedger, AnswersAtOnceAndAfterARestart) {
    const wall_ms now = wall_now();
    open();
    disk->ledger().record(2, 16, now, {});
    EXPECT_EQ(disk->ledger().last(2, 16, now), now);
    EXPECT_EQ(disk->ledger().starts_last_day(now), 1U);
    ASSERT_TRUE(record(3, 16, now + 1s));
    ASSERT_TRUE(record(2, 16, now + 5s));
    reopen();
    EXPECT_EQ(disk->ledger().last(2, 16, now + 6s), now + 5s);
    EXPECT_EQ(disk->ledger().last(3, 16, now + 6s), now + 1s);
    EXPECT_EQ(disk->ledger().last(4, 16, now + 6s), std::nullopt);
    EXPECT_EQ(disk->ledger().starts_last_day(now + 6s), 3U);
}

TEST_F(DiskLedger, SurvivesACrash) {
    const wall_ms now = wall_now();
    open();
    ASSERT_TRUE(record(0, 1, now));
    crash_into("crashed");
    open();
    EXPECT_EQ(disk->ledger().last(0, 1, now), now);
    EXPECT_EQ(disk->ledger().starts_last_day(now), 1U);
    EXPECT_EQ(disk->crashes(1h), 1U);
}

TEST_F(DiskLedger, AnotherMaxConcurrencyMakesKeysUnknownButNotStarts) {
    const wall_ms now = wall_now();
    open();
    ASSERT_TRUE(record(0, 1, now));
    EXPECT_EQ(disk->ledger().last(0, 16, now), std::nullopt);
    ASSERT_TRUE(record(5, 16, now));
    for (int round = 0; round < 2; ++round) {
        EXPECT_EQ(disk->ledger().last(0, 16, now), std::nullopt);
        EXPECT_EQ(disk->ledger().last(0, 1, now), std::nullopt);
        EXPECT_EQ(disk->ledger().last(5, 16, now), now);
        EXPECT_EQ(disk->ledger().starts_last_day(now), 2U);
        reopen();
    }
}

TEST_F(DiskLedger, TimesFromTheFutureAreNotTimesButStarts) {
    const wall_ms now = wall_now();
    open();
    ASSERT_TRUE(record(0, 1, now + 2h));
    reopen();
    EXPECT_EQ(disk->ledger().last(0, 1, now), std::nullopt);
    EXPECT_EQ(disk->ledger().starts_last_day(now), 1U);
    ASSERT_EQ(state.notices.size(), 1U);
    EXPECT_NE(state.notices[0].find("a clock was set back"), std::string::npos);
}

TEST_F(DiskLedger, CountsTheStartsOfADay) {
    const wall_ms now = wall_now();
    open();
    ASSERT_TRUE(record(0, 1, now - 25h));
    ASSERT_TRUE(record(0, 1, now - 23h));
    ASSERT_TRUE(record(0, 1, now));
    EXPECT_EQ(disk->ledger().starts_last_day(now), 2U);
    reopen();
    EXPECT_EQ(disk->ledger().starts_last_day(now), 2U);
    EXPECT_EQ(disk->ledger().starts_last_day(now + 2h), 1U);
}

TEST_F(DiskLedger, CountsRunsThatDidNotEnd) {
    open();
    EXPECT_EQ(disk->crashes(1h), 0U);
    reopen();
    EXPECT_EQ(disk->crashes(1h), 1U);
    reopen();
    EXPECT_EQ(disk->crashes(1h), 2U);
    end_cleanly();
    reopen();
    EXPECT_EQ(disk->crashes(1h), 2U);
    EXPECT_EQ(disk->crashes(duration::max()), 2U);
    reopen();
    EXPECT_EQ(disk->crashes(1h), 3U);
}

TEST_F(DiskLedger, ACrashIsNotRecentForEver) {
    open();
    reopen();
    EXPECT_EQ(disk->crashes(0s), 0U);
    EXPECT_EQ(disk->crashes(1h), 1U);
}

TEST_F(DiskLedger, RemembersSoManyRuns) {
    for (int i = 0; i < 270; ++i)
        open(), close();
    open();
    EXPECT_LE(disk->crashes(24h), 256U);
    EXPECT_GE(disk->crashes(24h), 250U);
}

TEST(LedgerBook, ForgetsTheOldestBeyondItsBound) {
    store::ledger_book book;
    const wall_ms now = wall_now();
    for (std::size_t i = 0; i < store::ledger_book::max_starts + 10; ++i)
        book.started(now);
    EXPECT_EQ(book.starts().size(), store::ledger_book::max_starts);
    book.started(now + 49h);
    EXPECT_EQ(book.starts().size(), 1U);
}

TEST(LedgerBook, TakesBackTheStartThatWasNone) {
    store::ledger_book book;
    book.started(wall_ms(1ms));
    book.started(wall_ms(2ms));
    book.started(wall_ms(1ms));
    book.not_started(wall_ms(1ms));
    book.not_started(wall_ms(7ms));
    EXPECT_EQ(book.starts(), (std::deque<wall_ms>{wall_ms(1ms), wall_ms(2ms)}));
}

TEST(LedgerBook, AgreesWithTheLedgerInMemory) {
    store::ledger_book book;
    memory_ledger other;
    wall_ms now(1000h);
    for (std::uint32_t i = 0; i < 500; ++i) {
        const std::uint32_t concurrency = i % 100 < 50 ? 1 : 16;
        now += std::chrono::minutes(i % 11);
        book.identified({i % concurrency, concurrency, now});
        book.started(now);
        other.record(i % concurrency, concurrency, now, {});
        ASSERT_EQ(book.starts_last_day(now), other.starts_last_day(now));
        for (std::uint32_t key = 0; key < 16; ++key) {
            ASSERT_EQ(book.last(key, 16, now), other.last(key, 16, now));
            ASSERT_EQ(book.last(key, 1, now), other.last(key, 1, now));
        }
    }
}

}  // namespace
}  // namespace shardgate
