// SPDX-License-Identifier: Apache-2.0
// Which events carry their identity as key, and how that is kept on disk.
#include "shardgate/reshard/identity_keys.hpp"

#include <gtest/gtest.h>

#include <string>

namespace shardgate {
namespace {

constexpr generation old_set{1}, new_set{2};
constexpr event_identity some{0x0123456789abcdefULL, 0xfedcba9876543210ULL, false};
constexpr event_identity message{1, 2, true};

key_ranges ranges(std::uint64_t when, std::vector<key_range> of) {
    return {when, std::move(of)};
}

TEST(IdentityKeys, AreWantedBetweenTwoSeqs) {
    identity_keys keys;
    EXPECT_FALSE(keys.any());
    EXPECT_FALSE(keys.wants(old_set, shard_id{0}, seq_no{5}));
    keys.set(old_set, ranges(7, {{10, UINT64_MAX}, {0, 20}}));
    EXPECT_TRUE(keys.any());
    EXPECT_FALSE(keys.wants(old_set, shard_id{0}, seq_no{9}));
    EXPECT_TRUE(keys.wants(old_set, shard_id{0}, seq_no{10}));
    EXPECT_TRUE(keys.wants(old_set, shard_id{1}, seq_no{19}));
    EXPECT_FALSE(keys.wants(old_set, shard_id{1}, seq_no{20}));
    EXPECT_FALSE(keys.wants(old_set, shard_id{2}, seq_no{15})) << "no such shard";
    EXPECT_FALSE(keys.wants(new_set, shard_id{0}, seq_no{15})) << "no such set";
    keys.forget(old_set);
    EXPECT_FALSE(keys.any());
}

TEST(IdentityKeys, CountEventsThatAreAlike) {
    identity_keys keys;
    keys.set(old_set, ranges(7, {{}}));
    keys.set(new_set, ranges(7, {{}}));
    EXPECT_EQ(keys.next(old_set, some), "0123456789abcdeffedcba9876543210-7.1");
    EXPECT_EQ(keys.next(new_set, some), "0123456789abcdeffedcba9876543210-7.2")
        << "whichever set shows it";
    EXPECT_EQ(keys.next(old_set, message), "00000000000000010000000000000002-7.1");
    EXPECT_EQ(keys.next(old_set, message), "00000000000000010000000000000002-7.1")
        << "a copy after all";
}

TEST(IdentityKeys, OfTwoReshardingsDiffer) {
    identity_keys keys;
    keys.set(old_set, ranges(7, {{}}));
    const std::string first(keys.next(old_set, some));
    keys.set(old_set, ranges(8, {{}}));
    EXPECT_NE(keys.next(old_set, some), first);
}

TEST(IdentityKeys, FitIntoTheRoomAnEventHas) {
    identity_keys keys;
    keys.set(old_set, ranges(UINT64_MAX / 1000, {{}}));
    for (int i = 0; i < 1000; ++i)
        EXPECT_LE(keys.next(old_set, some).size(), 64U);
}

TEST(IdentityKeys, ANewSessionInTheWindowsTakesPartFromItsFirstEvent) {
    identity_keys keys;
    keys.set(old_set, ranges(7, {{100, UINT64_MAX}, {100, 200}}));
    keys.on_new_session(old_set, shard_id{0});
    EXPECT_TRUE(keys.wants(old_set, shard_id{0}, seq_no{1}));
    keys.on_new_session(old_set, shard_id{1});
    EXPECT_FALSE(keys.wants(old_set, shard_id{1}, seq_no{150}))
        << "after them it never had an identity for a key";
    keys.on_new_session(new_set, shard_id{0});
    keys.on_new_session(old_set, shard_id{7});
}

TEST(IdentityKeys, RangesComeBackFromTheirText) {
    const key_ranges some_ranges = ranges(1732240000000, {{0, 5}, {17, UINT64_MAX}});
    const auto back = read_key_ranges(text_of(some_ranges));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->when, some_ranges.when);
    ASSERT_EQ(back->of.size(), 2U);
    EXPECT_EQ(back->of[0].until, 5U);
    EXPECT_EQ(back->of[1].from, 17U);
    EXPECT_EQ(back->of[1].until, UINT64_MAX);
}

TEST(IdentityKeys, TextThatNobodyWroteIsNone) {
    for (const char* const text :
         {"", "x", "7 1", "7 1 2 3", "7 1 2 x", "7 -1 2", "99999999999999999999999 1 2"})
        EXPECT_FALSE(read_key_ranges(text)) << text;
    ASSERT_TRUE(read_key_ranges("7"));
    EXPECT_TRUE(read_key_ranges("7")->of.empty());
}

}  // namespace
}  // namespace shardgate
