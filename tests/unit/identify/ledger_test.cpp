// SPDX-License-Identifier: Apache-2.0
#include "shardgate/identify/ledger.hpp"

#include <gtest/gtest.h>

namespace shardgate {
namespace {

using namespace std::chrono_literals;

constexpr wall_ms t0{std::chrono::hours(480000)};

void put(memory_ledger& l, std::uint32_t key, wall_ms when, std::uint32_t concurrency = 16) {
    bool stored = false;
    l.record(key, concurrency, when, [&](bool ok) { stored = ok; });
    EXPECT_TRUE(stored);
}

TEST(MemoryLedger, KnowsWhenAKeyLastIdentified) {
    memory_ledger l;
    EXPECT_EQ(l.last(3, 16, t0), std::nullopt);
    put(l, 3, t0);
    put(l, 3, t0 + 6s);
    EXPECT_EQ(l.last(3, 16, t0 + 7s), t0 + 6s);
    EXPECT_EQ(l.last(4, 16, t0 + 7s), std::nullopt);
}

TEST(MemoryLedger, AnotherConcurrencyOrAClockSetBackMakesItUnknown) {
    memory_ledger l;
    put(l, 0, t0);
    EXPECT_EQ(l.last(0, 1, t0 + 1s), std::nullopt);
    EXPECT_EQ(l.last(0, 16, t0 - 1s), std::nullopt);
    put(l, 1, t0 + 1s, 4);
    EXPECT_EQ(l.last(0, 4, t0 + 2s), std::nullopt) << "the keys changed their meaning";
    EXPECT_EQ(l.last(1, 4, t0 + 2s), t0 + 1s);
}

TEST(MemoryLedger, CountsTheLastDay) {
    memory_ledger l;
    for (int i = 0; i < 10; ++i)
        put(l, 0, t0 + i * 1h);
    EXPECT_EQ(l.starts_last_day(t0 + 9h), 10U);
    EXPECT_EQ(l.starts_last_day(t0 + 24h), 10U);
    EXPECT_EQ(l.starts_last_day(t0 + 24h + 1ms), 9U);
    EXPECT_EQ(l.starts_last_day(t0 + 40h), 0U);
    EXPECT_EQ(l.starts_last_day(t0 - 48h), 10U) << "rows from the future count";
}

TEST(MemoryLedger, IsBounded) {
    memory_ledger l;
    for (std::size_t i = 0; i < memory_ledger::max_rows + 10; ++i)
        put(l, 0, t0);
    EXPECT_EQ(l.starts_last_day(t0), memory_ledger::max_rows);
    l.record(1, 16, t0, nullptr);
    EXPECT_EQ(l.last(1, 16, t0), t0);
}

TEST(WithinOwnCount, TakesTheSmallerOfBoth) {
    session_start_limit limit;
    limit.total = 1000;
    limit.remaining = 900;
    EXPECT_EQ(within_own_count(limit, 50).remaining, 900U);
    EXPECT_EQ(within_own_count(limit, 400).remaining, 600U);
    EXPECT_EQ(within_own_count(limit, 5000).remaining, 0U);
}

}  // namespace
}  // namespace shardgate
