// SPDX-License-Identifier: Apache-2.0
// HELLO and READY, honest and hostile.
#include <gtest/gtest.h>

#include <string>

#include "shardgate/protocol/envelope.hpp"

namespace shardgate {
namespace {

using namespace std::string_literals;

TEST(Hello, IntervalIsRead) {
    scanner s;
    const auto interval = s.hello_interval_ms(
        R"({"_trace":["[\"heartbeat_interval\":1]"],"heartbeat_interval":41250})");
    ASSERT_TRUE(interval);
    EXPECT_EQ(*interval, 41250u);
}

TEST(Hello, AnUnusableIntervalIsRefused) {
    scanner s;
    for (const char* d :
         {"{}", "null", "[]", "", R"({"heartbeat_interval":0})", R"({"heartbeat_interval":-1})",
          R"({"heartbeat_interval":"41250"})", R"({"heartbeat_interval":41250.5})",
          R"({"heartbeat_interval":86400001})", R"({"heartbeat_interval":1e9})",
          R"({"x":{"heartbeat_interval":5}})", R"({"heartbeat_interval":})"})
        EXPECT_FALSE(s.hello_interval_ms(d)) << d;
}

TEST(Ready, EverythingWeNeedIsRead) {
    scanner s;
    const auto r =
        s.ready(R"({"v":10,"user":{"email":null,"id":"42","x":{"id":"1"}},)"
                R"("guilds":[{"id":"1","unavailable":true},{"unavailable":true,"id":2}],)"
                R"("session_id":"abc123","resume_gateway_url":"wss:\/\/r.discord.gg",)"
                R"("shard":[0,1],"application":{"flags":1,"id":"43"}})");
    ASSERT_TRUE(r);
    EXPECT_EQ(r->session_id, "abc123");
    EXPECT_EQ(r->resume_gateway_url, "wss://r.discord.gg");
    EXPECT_EQ(r->guilds, (std::vector<snowflake>{snowflake(1), snowflake(2)}));
    EXPECT_EQ(r->guilds_ignored, 0u);
    EXPECT_EQ(r->user, snowflake(42));
    EXPECT_EQ(r->application, snowflake(43));
}

TEST(Ready, OnlyTheSessionIdIsIndispensable) {
    scanner s;
    const auto r = s.ready(R"({"session_id":"x"})");
    ASSERT_TRUE(r);
    EXPECT_TRUE(r->resume_gateway_url.empty());
    EXPECT_TRUE(r->guilds.empty());
    EXPECT_EQ(r->user, snowflake());
}

TEST(Ready, ASessionIdThatCouldBreakOutOfAHeaderIsRefused) {
    scanner s;
    for (const std::string& id :
         {R"("")"s, R"("a\r\nX: y")"s, R"("a b")"s, "\"\xc3\xa9\""s, R"("\u0000")"s, R"("\q")"s,
          "5"s, "null"s, "{}"s, "\"" + std::string(257, 'a') + "\""})
        EXPECT_FALSE(s.ready(R"({"session_id":)" + id + "}")) << id;
    EXPECT_FALSE(s.ready("{}"));
    EXPECT_FALSE(s.ready("[]"));
    EXPECT_FALSE(s.ready(R"({"session_id":"x","guilds":[})"));
    EXPECT_TRUE(s.ready(R"({"session_id":")" + std::string(256, 'a') + "\"}"));
}

TEST(Ready, AnUnusableResumeUrlCountsAsLeftOut) {
    scanner s;
    for (const std::string& url :
         {"\"wss://a b\""s, "5"s, "null"s, "\"" + std::string(2049, 'a') + "\"", R"("a\n")"s})
        EXPECT_EQ(
            s.ready(R"({"session_id":"x","resume_gateway_url":)" + url + "}")->resume_gateway_url,
            "")
            << url;
}

TEST(Ready, OddGuildListsAreTakenForWhatTheyHave) {
    scanner s;
    const auto r =
        s.ready(R"({"session_id":"x","guilds":[{"id":"1"},null,7,{"id":null},{},[{"id":"9"}]]})");
    ASSERT_TRUE(r);
    EXPECT_EQ(r->guilds, std::vector<snowflake>{snowflake(1)});
    EXPECT_EQ(r->guilds_ignored, 5u);
    EXPECT_TRUE(s.ready(R"({"session_id":"x","guilds":{"id":"1"}})")->guilds.empty());
}

TEST(Ready, MoreGuildsThanTheBoundAreIgnoredAndCounted) {
    scanner s;
    std::string d = R"({"session_id":"x","guilds":[)";
    for (std::size_t i = 1; i <= max_ready_guilds + 5; ++i)
        d += "{\"id\":" + std::to_string(i) + "},";
    d.back() = ']';
    d += '}';
    const auto r = s.ready(d);
    ASSERT_TRUE(r);
    EXPECT_EQ(r->guilds.size(), max_ready_guilds);
    EXPECT_EQ(r->guilds_ignored, 5u);
}

TEST(Ready, ReadingItLeavesTheScannedEnvelopeAlone) {
    scanner s;
    const std::string frame =
        R"({"op":0,"s":1,"t":"READ\u0059","d":{"session_id":"x","guilds":[]}})";
    const auto e = s.scan(frame);
    ASSERT_TRUE(e);
    ASSERT_TRUE(s.ready(e->d));
    EXPECT_EQ(e->t, "READY");
}

}  // namespace
}  // namespace shardgate
