// SPDX-License-Identifier: Apache-2.0
// What the simulator answers a bot's gateway commands (Discord fact sheet 7, S26).
#include "sim/bot_ops.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "unit/sim/sim_fixture.hpp"

namespace shardgate::sim {
namespace {

using namespace testing;

struct BotOps : ::testing::Test {
    static options settings() {
        options o = small_options();
        o.gateway.members = 2500;
        return o;
    }
    bench b{settings()};
    std::unique_ptr<client> c = b.connect();
    const guild* mine = nullptr;

    BotOps() {
        b.ready(*c, 0, 1);
        b.take(*c);
        mine = &b.p->guilds.at(0);
    }
    [[nodiscard]] std::string id() const { return std::to_string(mine->id); }
    std::vector<json::value> ask(const std::string& text) {
        b.say(*c, text);
        std::vector<json::value> out;
        for (const std::string& frame : b.take(*c))
            out.push_back(json::parse(frame));
        return out;
    }
    std::vector<json::value> members(const std::string& more) {
        return ask(R"({"op":8,"d":{"guild_id":")" + id() + "\"," + more + "}}");
    }
};

TEST_F(BotOps, AllMembersComeInChunksOfAThousandWithTheNonce) {
    const auto all = members(R"("query":"","limit":0,"nonce":"abc")");
    ASSERT_EQ(all.size(), 3U);
    std::size_t count = 0;
    for (std::size_t i = 0; i < 3; ++i) {
        const json::object& d = all[i].at("d").as_object();
        EXPECT_EQ(all[i].at("t").as_string(), "GUILD_MEMBERS_CHUNK");
        EXPECT_EQ(d.at("chunk_index").as_int64(), static_cast<int>(i));
        EXPECT_EQ(d.at("chunk_count").as_int64(), 3);
        EXPECT_EQ(d.at("nonce").as_string(), "abc");
        EXPECT_FALSE(d.contains("presences"));
        EXPECT_LE(d.at("members").as_array().size(), 1000U);
        count += d.at("members").as_array().size();
    }
    EXPECT_EQ(count, 2500U);
}

TEST_F(BotOps, AWholeListTwiceInHalfAMinuteIsRateLimitedAndTheSocketStaysOpen) {
    EXPECT_EQ(members(R"("query":"","limit":0)").size(), 3U);
    b.pass(10s);
    const auto no = members(R"("query":"","limit":0,"nonce":"n")");
    ASSERT_EQ(no.size(), 1U);
    EXPECT_EQ(no[0].at("t").as_string(), "RATE_LIMITED");
    const json::object& d = no[0].at("d").as_object();
    EXPECT_EQ(d.at("opcode").as_int64(), 8);
    EXPECT_NEAR(d.at("retry_after").as_double(), 20, 0.1);
    EXPECT_EQ(d.at("meta").at("guild_id").as_string(), id());
    EXPECT_EQ(d.at("meta").at("nonce").as_string(), "n");
    EXPECT_EQ(c->io.closed, -1);
    EXPECT_EQ(members(R"("query":"member1","limit":5)").size(), 1U) << "a prefix has no such limit";
    b.pass(20s);
    EXPECT_EQ(members(R"("query":"","limit":0)").size(), 3U);
}

TEST_F(BotOps, FindsByPrefixAndById) {
    auto found = members(R"("query":"member24","limit":100,"presences":true)");
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].at("d").at("members").as_array().size(), 100U);
    EXPECT_TRUE(found[0].at("d").as_object().contains("presences"));
    const std::string known = std::to_string(user_id(mine->seed, 7));
    found = members(R"("user_ids":[")" + known + R"(",12])");
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].at("d").at("members").as_array().size(), 1U);
    EXPECT_EQ(found[0].at("d").at("not_found").as_array()[0], 12) << "too small: as a number";
}

TEST_F(BotOps, ALongNonceIsLeftOut) {
    const auto one = members(R"("user_ids":"1","nonce":")" + std::string(33, 'x') + "\"");
    ASSERT_EQ(one.size(), 1U);
    EXPECT_FALSE(one[0].at("d").as_object().contains("nonce"));
}

TEST_F(BotOps, WhoseGuildItIsNotGetsNoAnswer) {
    EXPECT_TRUE(ask(R"({"op":8,"d":{"guild_id":"99","query":"","limit":0}})").empty());
    EXPECT_TRUE(ask(R"({"op":4,"d":{"guild_id":"99","channel_id":"1"}})").empty());
    EXPECT_TRUE(ask(R"({"op":43,"d":{"guild_id":"99","fields":[]}})").empty());
    EXPECT_TRUE(ask(R"({"op":31,"d":{"guild_ids":["99"]}})").empty());
    EXPECT_TRUE(ask(R"({"op":8,"d":{"guild_id":{},"user_ids":[[]]}})").empty());
    EXPECT_EQ(b.p->gate.answers().report().at("unanswered"), 5);
}

TEST_F(BotOps, VoiceSoundsAndChannelInfoAreAnswered) {
    auto got =
        ask(R"({"op":4,"d":{"guild_id":")" + id() + R"(","channel_id":"7","self_deaf":true}})");
    ASSERT_EQ(got.size(), 2U);
    EXPECT_EQ(got[0].at("t").as_string(), "VOICE_STATE_UPDATE");
    EXPECT_EQ(got[0].at("d").at("channel_id").as_string(), "7");
    EXPECT_EQ(got[1].at("t").as_string(), "VOICE_SERVER_UPDATE");
    got = ask(R"({"op":4,"d":{"guild_id":")" + id() + R"(","channel_id":null}})");
    ASSERT_EQ(got.size(), 1U);
    EXPECT_TRUE(got[0].at("d").at("channel_id").is_null());
    got = ask(R"({"op":31,"d":{"guild_ids":[")" + id() + R"("]}})");
    ASSERT_EQ(got.size(), 1U);
    EXPECT_EQ(got[0].at("t").as_string(), "SOUNDBOARD_SOUNDS");
    got = ask(R"({"op":43,"d":{"guild_id":")" + id() + R"(","fields":["status"]}})");
    ASSERT_EQ(got.size(), 1U);
    EXPECT_TRUE(got[0].at("d").at("channels").as_array()[0].as_object().contains("status"));
    EXPECT_FALSE(
        got[0].at("d").at("channels").as_array()[0].as_object().contains("voice_start_time"));
}

TEST(BotOpsIntents, AWholeListNeedsTheMembersIntent) {
    bench b;
    const auto c = b.connect();
    b.ready(*c, 0, 1, 1);
    b.take(*c);
    b.say(*c, R"({"op":8,"d":{"guild_id":")" + std::to_string(b.p->guilds.at(0).id) +
                  R"(","query":"","limit":0}})");
    EXPECT_TRUE(b.take(*c).empty());
}

}  // namespace
}  // namespace shardgate::sim
