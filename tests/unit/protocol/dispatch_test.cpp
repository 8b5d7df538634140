// SPDX-License-Identifier: Apache-2.0
#include "shardgate/protocol/dispatch.hpp"

#include <gtest/gtest.h>

namespace shardgate {
namespace {

TEST(Dispatch, GuildMarksReadAsTheHandlersHeaderSays) {
    EXPECT_EQ(name_of(guild_mark::none), "");
    EXPECT_EQ(name_of(guild_mark::loaded), "loaded");
    EXPECT_EQ(name_of(guild_mark::joined), "joined");
    EXPECT_EQ(name_of(guild_mark::available), "available");
    EXPECT_EQ(name_of(guild_mark::left), "left");
    EXPECT_EQ(name_of(guild_mark::unavailable), "unavailable");
    EXPECT_EQ(name_of(static_cast<guild_mark>(99)), "");
}

}  // namespace
}  // namespace shardgate
