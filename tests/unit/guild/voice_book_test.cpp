// SPDX-License-Identifier: Apache-2.0
#include "shardgate/guild/voice_book.hpp"

#include <gtest/gtest.h>

namespace shardgate {
namespace {

constexpr snowflake on_shard(std::uint64_t n) {
    return snowflake{n << 22U};
}

TEST(VoiceBook, KnowsWhereTheBotIs) {
    voice_book b;
    b.set(on_shard(3), true);
    EXPECT_TRUE(b.has(on_shard(3)));
    EXPECT_TRUE(b.any_on(shard_id{3}, shard_count{8}));
    EXPECT_TRUE(b.any_on(shard_id{1}, shard_count{2}));
    EXPECT_FALSE(b.any_on(shard_id{0}, shard_count{2}));
    b.set(on_shard(3), false);
    EXPECT_FALSE(b.has(on_shard(3)));
    b.set(snowflake{}, true);
    EXPECT_TRUE(b.guilds().empty()) << "no guild at all";
}

TEST(VoiceBook, SaysOnceThatItChanged) {
    voice_book b;
    EXPECT_EQ(b.take_changed(), std::nullopt);
    b.set(snowflake{7}, true);
    b.set(snowflake{5}, true);
    b.set(snowflake{5}, true);
    EXPECT_EQ(b.take_changed(), "5 7");
    EXPECT_EQ(b.take_changed(), std::nullopt);
    b.set(snowflake{9}, false);
    EXPECT_EQ(b.take_changed(), std::nullopt) << "it was not there";
    b.set(snowflake{5}, false);
    b.set(snowflake{7}, false);
    EXPECT_EQ(b.take_changed(), "");
}

TEST(VoiceBook, ComesBackFromItsText) {
    voice_book b;
    b.restore("5 7 18446744073709551615");
    EXPECT_EQ(b.guilds().size(), 3U);
    EXPECT_EQ(b.take_changed(), std::nullopt);
    voice_book damaged;
    damaged.restore("5 x 7");
    EXPECT_EQ(damaged.guilds().size(), 1U);
    damaged.restore("");
    EXPECT_EQ(damaged.guilds().size(), 1U);
}

TEST(VoiceBook, RemembersNoMoreThanItsLimit) {
    voice_book b;
    for (std::uint64_t n = 1; n <= voice_book::limit + 10; ++n)
        b.set(snowflake{n}, true);
    EXPECT_EQ(b.guilds().size(), voice_book::limit);
}

}  // namespace
}  // namespace shardgate
