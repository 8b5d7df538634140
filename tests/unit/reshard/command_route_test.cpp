// SPDX-License-Identifier: Apache-2.0
#include "shardgate/reshard/command_route.hpp"

#include <gtest/gtest.h>

namespace shardgate {
namespace {

constexpr auto old_set = shard_set::old_set;
constexpr auto new_set = shard_set::new_set;
constexpr std::int32_t voice = 4, members = 8;
constexpr snowflake guild{41};

TEST(CommandRoute, FollowsTheSetThatLeads) {
    command_route r;
    EXPECT_EQ(r.choose(members, guild, false, true, true), old_set);
    EXPECT_EQ(r.choose(members, guild, true, true, true), new_set);
}

TEST(CommandRoute, WhatIsAboutALiveVoiceSessionGoesWhereItWasBegun) {
    command_route r;
    EXPECT_EQ(r.choose(voice, guild, true, true, true), old_set) << "joined before";
    EXPECT_EQ(r.choose(voice, snowflake{42}, true, false, true), new_set) << "joins now";
    EXPECT_EQ(r.choose(voice, snowflake{42}, true, true, true), new_set) << "and leaves there";
    EXPECT_EQ(r.choose(voice, snowflake{43}, false, false, true), old_set);
    EXPECT_EQ(r.choose(voice, snowflake{43}, true, true, true), old_set);
}

TEST(CommandRoute, AnOldShardThatIsGoneIsNotAsked) {
    command_route r;
    EXPECT_EQ(r.choose(voice, guild, true, true, false), new_set);
    EXPECT_EQ(r.choose(members, guild, false, false, false), new_set);
}

TEST(CommandRoute, ForgetsWithTheResharding) {
    command_route r;
    EXPECT_EQ(r.choose(voice, guild, true, false, true), new_set);
    r.clear();
    EXPECT_EQ(r.choose(voice, guild, true, true, true), old_set);
}

TEST(CommandRoute, RemembersABoundedNumberOfGuilds) {
    command_route r;
    for (std::uint64_t g = 1; g <= command_route::limit + 1; ++g)
        EXPECT_EQ(r.choose(voice, snowflake{g}, true, false, true), new_set);
    EXPECT_EQ(r.choose(voice, snowflake{command_route::limit}, true, true, true), new_set);
    EXPECT_EQ(r.choose(voice, snowflake{command_route::limit + 1}, true, true, true), old_set);
}

}  // namespace
}  // namespace shardgate
