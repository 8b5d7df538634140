// SPDX-License-Identifier: Apache-2.0
// The small value types of base/: identifiers, secrets, randomness, results, times.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <limits>
#include <ostream>
#include <string>
#include <type_traits>
#include <unordered_set>
#include <vector>

#include "shardgate/base/ids.hpp"
#include "shardgate/base/log.hpp"
#include "shardgate/base/random.hpp"
#include "shardgate/base/result.hpp"
#include "shardgate/base/secret.hpp"
#include "shardgate/base/time.hpp"
#include "shardgate/base/time_text.hpp"

namespace shardgate {
namespace {

// The ways a secret could get out by accident do not compile.
template <class T>
concept streamable = requires(std::ostream& out, const T& v) {
    out << v;
};
template <class T>
concept comparable = requires(const T& v) {
    v == v;
};
static_assert(!streamable<secret>);
static_assert(!comparable<secret>);
static_assert(!fmt::is_formattable<secret>::value);
static_assert(!std::is_convertible_v<secret, std::string>);
static_assert(!std::is_convertible_v<secret, std::string_view>);
static_assert(!std::is_convertible_v<std::string, secret>);
static_assert(!std::is_constructible_v<log::field, std::string_view, secret>);

// Numbers of different kinds do not turn into each other.
static_assert(!std::is_convertible_v<shard_id, shard_count>);
static_assert(!std::is_constructible_v<shard_id, shard_count>);
static_assert(!std::is_convertible_v<std::uint32_t, shard_id>);

TEST(Secret, EqualsOnlyItself) {
    const secret s("abc");

    EXPECT_TRUE(s.equals("abc"));
    EXPECT_FALSE(s.equals("abd"));
    EXPECT_FALSE(s.equals("xbc"));
    EXPECT_FALSE(s.equals("ab"));
    EXPECT_FALSE(s.equals("abcd"));
    EXPECT_FALSE(s.equals(""));
}

TEST(Secret, ComparesEveryByteValue) {
    const std::string all = [] {
        std::string text;
        for (int c = 0; c < 256; ++c)
            text.push_back(static_cast<char>(c));
        return text;
    }();
    const secret s{all};

    EXPECT_TRUE(s.equals(all));
    EXPECT_FALSE(s.empty());
    EXPECT_TRUE(secret().empty());
    EXPECT_EQ(s.reveal(), all);
}

TEST(Ids, ShardOfFollowsDiscordsFormula) {
    // (guild_id >> 22) % num_shards
    EXPECT_EQ(shard_of(snowflake{197038439483310086}, shard_count{16}).value,
              (197038439483310086ULL >> 22) % 16);
    EXPECT_EQ(shard_of(snowflake{0}, shard_count{7}).value, 0U);
    EXPECT_EQ(shard_of(snowflake{std::numeric_limits<std::uint64_t>::max()}, shard_count{1}).value,
              0U);
}

TEST(Ids, SnowflakesKnowWhenTheyWereMade) {
    // The example of Discord's reference: 2016-04-30 11:18:25.796 UTC.
    EXPECT_EQ(created_unix_ms(snowflake{175928847299117063}), 1462015105796);
}

TEST(Ids, OrderAndHashFollowTheNumber) {
    EXPECT_LT(seq_no{1}, seq_no{2});
    std::unordered_set<snowflake> seen;
    for (std::uint64_t i = 0; i < 1000; ++i)
        seen.insert(snowflake{i << 22});
    EXPECT_EQ(seen.size(), 1000U);
}

TEST(Random, TheSameSeedRepeatsTheRun) {
    random_source a(7), b(7);
    for (int i = 0; i < 100; ++i)
        EXPECT_EQ(a.below(1000), b.below(1000));
}

TEST(Random, ValuesStayInTheirRange) {
    random_source random(11);
    bool low = false, high = false;
    for (int i = 0; i < 2000; ++i) {
        const double u = random.unit();
        EXPECT_TRUE(u >= 0 && u < 1);
        const duration d = random.between(duration(3), duration(5));
        EXPECT_TRUE(d >= duration(3) && d <= duration(5));
        low = low || d == duration(3);
        high = high || d == duration(5);
        EXPECT_LT(random.below(3), 3U);
    }
    EXPECT_TRUE(low && high);  // both ends belong to it
    EXPECT_EQ(random.below(1), 0U);
    EXPECT_EQ(random.between(duration(4), duration(4)), duration(4));
}

TEST(Result, HoldsAValueOrAFailure) {
    const result<int> good = 5;
    const result<int> bad = failure("no such shard");

    EXPECT_EQ(good.value(), 5);
    ASSERT_TRUE(bad.has_error());
    EXPECT_EQ(bad.error().detail, "no such shard");
}

TEST(Result, AskingAFailureForItsValueIsABugThatNamesItself) {
    const result<int> bad = failure("no such shard");
    try {
        static_cast<void>(bad.value());
        FAIL() << "did not throw";
    } catch (const std::logic_error& e) {
        EXPECT_NE(std::string(e.what()).find("no such shard"), std::string::npos);
    }
}

TEST(Time, LaterDoesNotWrap) {
    const time_point t{std::chrono::hours(1)};

    EXPECT_EQ(later(t, std::chrono::seconds(1)), t + std::chrono::seconds(1));
    EXPECT_EQ(later(t, duration::max()), never);
    EXPECT_EQ(later(never, std::chrono::seconds(1)), never);
}

TEST(TimeText, WritesUtcAsRfc3339) {
    EXPECT_EQ(rfc3339(wall_ms{std::chrono::milliseconds(1795286647123)}),
              "2026-11-21T18:44:07.123Z");
    EXPECT_EQ(rfc3339(wall_ms{}), "1970-01-01T00:00:00.000Z");
    EXPECT_EQ(rfc3339(wall_ms{std::chrono::milliseconds(-1)}), "1969-12-31T23:59:59.999Z");
    EXPECT_EQ(rfc3339(wall_ms{std::chrono::milliseconds(951782400000)}),
              "2000-02-29T00:00:00.000Z");
}

TEST(TimeText, WritesTheDateHttpWants) {
    // The example of RFC 9110 section 5.6.7.
    EXPECT_EQ(http_date(wall_ms{std::chrono::milliseconds(784111777000)}),
              "Sun, 06 Nov 1994 08:49:37 GMT");
}

}  // namespace
}  // namespace shardgate
