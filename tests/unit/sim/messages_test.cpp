// SPDX-License-Identifier: Apache-2.0
// What a bot writes over REST (Discord docs, Create Message), and what it commands over the
// gateway, as a test reads them.
#include "sim/messages.hpp"

#include <gtest/gtest.h>

#include <string>

#include "sim/command_log.hpp"
#include "unit/sim/sim_fixture.hpp"

namespace shardgate::sim {
namespace {

using namespace testing;

struct Messages : ::testing::Test {
    bench b;
    const guild& g = b.p->guilds.at(0);

    [[nodiscard]] http_answer post(const std::string& channel, std::string body,
                                   std::string auth = "Bot simulated-token",
                                   std::string type = "application/json") {
        http_call c;
        c.method = "POST";
        c.target = "/api/v10/channels/" + channel + "/messages";
        c.body = std::move(body);
        c.authorization = std::move(auth);
        c.content_type = std::move(type);
        return b.p->rest.answer(c, b.now);
    }
    [[nodiscard]] std::string channel(std::uint32_t index = 0) const {
        return std::to_string(world::channel(g, index));
    }
    [[nodiscard]] static std::int64_t code(const http_answer& a) {
        return json::parse(a.body).at("code").as_int64();
    }
};

TEST_F(Messages, AreAnsweredWithTheMessageAndKept) {
    const http_answer a = post(channel(), R"({"content":"hi \"you\""})");
    ASSERT_EQ(a.status, 200U);
    const json::value made = json::parse(a.body);
    EXPECT_EQ(made.at("content").as_string(), "hi \"you\"");
    EXPECT_EQ(made.at("channel_id").as_string(), channel());
    EXPECT_TRUE(made.at("author").at("bot").as_bool());
    EXPECT_TRUE(made.at("timestamp").as_string().starts_with("2025-"));
    EXPECT_EQ(post(std::to_string(b.p->guilds.dm(0)), R"({"content":"hi"})").status, 200U);
    const json::array kept = b.p->rest.written().list();
    ASSERT_EQ(kept.size(), 2U);
    EXPECT_EQ(kept[0].at("id"), made.at("id"));
    EXPECT_NE(kept[1].at("id"), made.at("id"));
    EXPECT_EQ(
        b.p->rest.report(b.now.at).at("calls").at("POST /channels/…/messages").to_number<int>(), 2);
}

TEST_F(Messages, OnlyTheNewestAreKept) {
    for (std::size_t i = 0; i < messages::kept + 3; ++i)
        ASSERT_EQ(post(channel(), R"({"content":")" + std::to_string(i) + "\"}").status, 200U);
    const json::array kept = b.p->rest.written().list();
    ASSERT_EQ(kept.size(), messages::kept);
    EXPECT_EQ(kept.front().at("content").as_string(), "3");
    b.p->rest.clear();
    EXPECT_TRUE(b.p->rest.written().list().empty());
}

TEST_F(Messages, OnlyWhatDiscordTakesIsTaken) {
    EXPECT_EQ(post(channel(), R"({"content":"x"})", "").status, 401U);
    EXPECT_EQ(post(channel(), R"({"content":"x"})", "Bot other").status, 401U);
    EXPECT_EQ(code(post(channel(), "content=x", "Bot simulated-token", "text/plain")), 50035);
    for (const std::string& nowhere :
         {std::string("1"), std::string("x"), std::string(), std::string("18446744073709551616"),
          std::to_string(g.id), channel(g.channels)})
        EXPECT_EQ(code(post(nowhere, R"({"content":"x"})")), 10003) << nowhere;
    for (const char* body : {"{", "[]", "7", ""})
        EXPECT_EQ(code(post(channel(), body)), 50109) << body;
    for (const char* body : {"{}", R"({"content":""})", R"({"content":null,"embeds":[]})"})
        EXPECT_EQ(code(post(channel(), body)), 50006) << body;
    EXPECT_EQ(code(post(channel(), R"({"content":7})")), 50035);
    std::string wide;
    for (int i = 0; i < 2000; ++i)
        wide += "ä";
    EXPECT_EQ(post(channel(), R"({"content":")" + wide + "\"}").status, 200U);
    EXPECT_EQ(code(post(channel(), R"({"content":")" + wide + "x\"}")), 50035);
    EXPECT_EQ(post(channel(), R"({"embeds":[{"title":"x"}]})").status, 200U);
    b.p->guilds.leave(0);
    EXPECT_EQ(code(post(channel(), R"({"content":"x"})")), 10003);
}

TEST(Commands, AreKeptWithTheirShardAsTheyCame) {
    bench b;
    const auto c = b.connect();
    b.ready(*c, 1, 2);
    b.pass(500ms);
    b.say(*c, R"({"op":3,"d":{"status":"idle"}})");
    b.say(*c, R"({"op":4,"d":7})");
    const json::array heard = b.p->gate.answers().heard().list(b.p->started);
    ASSERT_EQ(heard.size(), 2U);
    EXPECT_EQ(heard[0].at("op").to_number<int>(), 3);
    EXPECT_EQ(heard[0].at("shard").to_number<int>(), 1);
    EXPECT_EQ(heard[0].at("shards").to_number<int>(), 2);
    EXPECT_EQ(heard[0].at("d").at("status").as_string(), "idle");
    EXPECT_GE(heard[0].at("ms").to_number<double>(), 500);
    EXPECT_EQ(heard[1].at("d").to_number<int>(), 7);
}

TEST(Commands, OnlyTheNewestAreKept) {
    command_log log;
    for (std::size_t i = 0; i < command_log::kept + 2; ++i)
        log.add(static_cast<std::uint32_t>(i), 2000, 3, nullptr, time_point{});
    ASSERT_EQ(log.list({}).size(), command_log::kept);
    EXPECT_EQ(log.list({}).front().at("shard").to_number<int>(), 2);
    EXPECT_TRUE(log.list({}).front().at("d").is_null());
    log.clear();
    EXPECT_TRUE(log.list({}).empty());
}

}  // namespace
}  // namespace shardgate::sim
