// SPDX-License-Identifier: Apache-2.0
#include "shardgate/shard/command.hpp"

#include <gtest/gtest.h>

#include <string>

namespace shardgate {
namespace {

TEST(Command, ReadsWhatTheLimitsNeed) {
    const auto members =
        read_command(R"({"op":8,"d":{"guild_id":"81384788765712384","query":"","limit":0}})", 8);
    ASSERT_TRUE(members);
    EXPECT_EQ(members->guild, snowflake{81384788765712384});
    EXPECT_TRUE(members->full_member_list);

    const auto presence = read_command(R"({"op":3,"d":{"status":"idle","since":null}})", 3);
    ASSERT_TRUE(presence);
    EXPECT_EQ(presence->presence, R"({"status":"idle","since":null})");
    EXPECT_FALSE(presence->full_member_list);
}

TEST(Command, OnlyAnUnfilteredMemberRequestIsAFullList) {
    const auto full = [](const std::string& d) {
        const auto c = read_command(R"({"op":8,"d":)" + d + "}", 8);
        EXPECT_TRUE(c) << d;
        return c && c->full_member_list;
    };
    EXPECT_TRUE(full(R"({"guild_id":"1","limit":0})"));
    EXPECT_TRUE(full(R"({"guild_id":1,"query":"","limit":0})"));
    EXPECT_FALSE(full(R"({"guild_id":"1","query":"bo","limit":5})"));
    EXPECT_FALSE(full(R"({"guild_id":"1","query":"","limit":5})"));
    EXPECT_FALSE(full(R"({"guild_id":"1","limit":1})"));
    EXPECT_TRUE(full(R"({"guild_id":"1","query":"","limit":"5"})"))
        << "not a number: to be careful";
    EXPECT_FALSE(full(R"({"guild_id":"1","user_ids":["2"]})"));
}

TEST(Command, SnowflakesAreUnsigned64Bits) {
    const auto c = read_command(R"({"op":4,"d":{"guild_id":"18446744073709551615"}})", 4);
    ASSERT_TRUE(c);
    EXPECT_EQ(c->guild.value, 18446744073709551615U);
}

TEST(Command, ExactlyTheLimitPassesAndOneByteMoreDoesNot) {
    const std::string head = R"({"op":3,"d":{"status":")";
    const std::string tail = R"("}})";
    const std::string fits = head + std::string(4096 - head.size() - tail.size(), 'x') + tail;
    ASSERT_EQ(fits.size(), 4096U);
    EXPECT_TRUE(read_command(fits, 3));
    const auto refused = read_command(fits + " ", 3);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().detail.find("4097"), std::string::npos);
}

TEST(Command, WhatDiscordWouldPunishIsRefusedWithASentence) {
    const struct {
        const char* text;
        int op;
    } bad[] = {
        {R"({"op":2,"d":{}})", 2},
        {R"({"op":6,"d":{}})", 6},
        {R"({"op":1,"d":null})", 1},
        {R"({"op":-1,"d":{}})", -1},
        {R"({"op":3,"d":{}})", 4},
        {R"({"op":"3","d":{}})", 3},
        {R"({"op":3})", 3},
        {R"({"op":3,"d":[]})", 3},
        {R"({"d":{}})", 3},
        {R"([3])", 3},
        {R"({"op":3,"d":{})", 3},
        {"", 3},
        {"\xff\xfe", 3},
        {R"({"op":8,"d":{"query":""}})", 8},
        {R"({"op":8,"d":{"guild_id":"0"}})", 8},
        {R"({"op":8,"d":{"guild_id":"12x"}})", 8},
        {R"({"op":8,"d":{"guild_id":"99999999999999999999"}})", 8},
        {R"({"op":4,"d":{"guild_id":-5}})", 4},
        {R"({"op":43,"d":{}})", 43},
    };
    for (const auto& b : bad) {
        const auto c = read_command(b.text, b.op);
        ASSERT_FALSE(c) << b.text;
        EXPECT_FALSE(c.error().detail.empty());
    }
    std::string nested = R"({"op":3,"d":{"a":)" + std::string(1500, '[');
    nested += std::string(1500, ']') + "}}";
    EXPECT_FALSE(read_command(nested, 3)) << "too deep";
}

}  // namespace
}  // namespace shardgate
