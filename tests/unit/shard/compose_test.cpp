// SPDX-License-Identifier: Apache-2.0
#include "shardgate/shard/compose.hpp"

#include <gtest/gtest.h>

#include <string>

namespace shardgate {
namespace {

constexpr shard_count sixteen{16};

std::string refusal(int op, const std::string& d) {
    const auto c = compose_command(op, d, sixteen);
    EXPECT_FALSE(c) << d;
    return c ? std::string() : c.error().detail;
}

TEST(Compose, APresenceGetsWhatDiscordRequires) {
    const auto c = compose_command(3, R"({"status":"idle"})", sixteen);
    ASSERT_TRUE(c) << c.error().detail;
    EXPECT_EQ(c->text,
              R"({"op":3,"d":{"status":"idle","since":null,"activities":[],"afk":false}})");
    EXPECT_EQ(c->presence, R"({"status":"idle","since":null,"activities":[],"afk":false})");
    EXPECT_EQ(c->guild, snowflake{});
}

TEST(Compose, AGuildInAPresenceOnlySaysWhere) {
    const auto c = compose_command(3, R"({"guild_id":"41","status":"dnd"})", sixteen);
    ASSERT_TRUE(c);
    EXPECT_EQ(c->guild, snowflake{41});
    EXPECT_EQ(c->text.find("guild_id"), std::string::npos);
    EXPECT_FALSE(compose_command(3, R"({"guild_id":"x"})", sixteen));
}

TEST(Compose, WhatDiscordDocumentsPasses) {
    const struct {
        int op;
        const char* d;
    } good[] = {
        {3,
         R"({"since":91879201,"activities":[{"name":"x","type":4,"state":"y"}],"status":"dnd","afk":true})"},
        {4, R"({"guild_id":"41","channel_id":"42","self_mute":false,"self_deaf":true})"},
        {4, R"({"guild_id":"41","channel_id":null})"},
        {8, R"({"guild_id":"41","query":"","limit":0})"},
        {8,
         R"({"guild_id":"41","query":"bo","limit":5,"presences":true,"nonce":"0123456789abcdef0123456789abcdef"})"},
        {8, R"({"guild_id":"41","user_ids":"7"})"},
        {8, R"({"guild_id":"41","user_ids":["7",8],"query":"","limit":0})"},
        {31, R"({"guild_ids":["41","42"]})"},
        {43, R"({"guild_id":"41","fields":["status"]})"},
    };
    for (const auto& g : good) {
        const auto c = compose_command(g.op, g.d, sixteen);
        ASSERT_TRUE(c) << g.d << ": " << c.error().detail;
        EXPECT_EQ(c->guild == snowflake{}, g.op == 3) << g.d;
    }
}

TEST(Compose, EverySlipIsNamed) {
    const struct {
        int op;
        const char* d;
        const char* named;
    } bad[] = {
        {3, "[]", "not an object"},
        {3, "{", "not JSON"},
        {3, R"({"status":"busy"})", "d.status"},
        {3, R"({"since":"now"})", "d.since"},
        {3, R"({"afk":0})", "d.afk"},
        {3, R"({"activities":{}})", "d.activities"},
        {3, R"({"activities":[{"name":"x"}]})", "d.activities"},
        {3, R"({"activities":[{"type":0,"name":7}]})", "d.activities"},
        {3, R"({"activities":["x"]})", "d.activities"},
        {4, R"({"channel_id":null})", "d.guild_id"},
        {4, R"({"guild_id":"41"})", "d.channel_id is missing"},
        {4, R"({"guild_id":"41","channel_id":"general"})", "d.channel_id"},
        {4, R"({"guild_id":"41","channel_id":"1","self_mute":"no"})", "d.self_mute"},
        {8, R"({"guild_id":"41"})", "neither"},
        {8, R"({"guild_id":["41"],"query":"","limit":0})", "d.guild_id"},
        {8, R"({"guild_id":"41","query":""})", "d.limit"},
        {8, R"({"guild_id":"41","query":7,"limit":0})", "d.query"},
        {8, R"({"guild_id":"41","query":"a","limit":-1})", "d.limit"},
        {8, R"({"guild_id":"41","query":"a","user_ids":["1"],"limit":0})", "one of them"},
        {8, R"({"guild_id":"41","user_ids":[]})", "d.user_ids"},
        {8, R"({"guild_id":"41","user_ids":["a"]})", "d.user_ids"},
        {8, R"({"guild_id":"41","query":"","limit":0,"presences":1})", "d.presences"},
        {8, R"({"guild_id":"41","query":"","limit":0,"nonce":7})", "d.nonce"},
        {8, R"({"guild_id":"41","query":"","limit":0,"nonce":"0123456789abcdef0123456789abcdef0"})",
         "33 bytes"},
        {8, R"({"guild_id":"41","query":"","limit":0,"nonce":"shardgate:1"})", "marks"},
        {31, R"({})", "d.guild_ids"},
        {31, R"({"guild_ids":[]})", "d.guild_ids"},
        {31, R"({"guild_ids":["41",{}]})", "d.guild_ids"},
        {31, R"({"guild_ids":["4194304","8388608"]})", "several shards"},
        {43, R"({"guild_id":"41"})", "d.fields"},
        {43, R"({"guild_id":"41","fields":[1]})", "d.fields"},
        {2, "{}", "op 2 cannot be sent"},
        {1, "{}", "op 1 cannot be sent"},
    };
    for (const auto& b : bad)
        EXPECT_NE(refusal(b.op, b.d).find(b.named), std::string::npos) << b.d << refusal(b.op, b.d);
    std::string many = R"({"guild_id":"41","user_ids":["1")";
    for (int i = 0; i < 100; ++i)
        many += ",\"2\"";
    EXPECT_NE(refusal(8, many + "]}").find("1 to 100"), std::string::npos);
    EXPECT_NE(refusal(3, R"({"status":"dnd","x":")" + std::string(4096, 'x') + "\"}").find("4096"),
              std::string::npos);
}

TEST(Compose, EachShardsPresenceHasItsNumber) {
    const auto c = compose_command(
        3, R"({"activities":[{"name":"{{shard}} of {{shards}}","type":0}]})", sixteen);
    ASSERT_TRUE(c);
    const auto mine = presence_for(*c, shard_id{7}, sixteen);
    ASSERT_TRUE(mine);
    EXPECT_NE(mine->text.find("7 of 16"), std::string::npos) << mine->text;
    EXPECT_EQ(mine->op, 3);
}

TEST(Compose, MemberRequestsThatAreEqualHaveOneText) {
    const snowflake guild{41};
    const auto a = compose_member_request(guild, R"({"limit":0,"query":""})", "");
    const auto b = compose_member_request(guild, "{}", "");
    ASSERT_TRUE(a && b);
    EXPECT_EQ(a->text, b->text);
    EXPECT_TRUE(a->full_member_list);
    const auto ids = compose_member_request(guild, R"({"user_ids":["1"],"presences":true})", "n");
    ASSERT_TRUE(ids);
    EXPECT_EQ(ids->text,
              R"({"op":8,"d":{"guild_id":"41","user_ids":["1"],"presences":true,"nonce":"n"}})");
    EXPECT_FALSE(ids->full_member_list);
    for (const char* bad : {R"({"nonce":"x"})", R"({"guild_id":"7"})", R"({"limit":"x"})", "7",
                            R"({"user_ids":["x"]})"})
        EXPECT_FALSE(compose_member_request(guild, bad, "n")) << bad;
}

}  // namespace
}  // namespace shardgate
