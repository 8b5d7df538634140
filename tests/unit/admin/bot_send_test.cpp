// SPDX-License-Identifier: Apache-2.0
// Sending through a shard, and reconnecting one, as callers see it.
#include "admin/bot_send.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "unit/admin/fake_view.hpp"

namespace shardgate::admin {
namespace {

struct AdminSend : testing::Test {
    test::fake_view view;
    target shard = *parse_target("/v1/shards/3/send");
    target any = *parse_target("/v1/send");
    target again = *parse_target("/v1/shards/3/reconnect");
    const std::string voice = R"({"op":4,"d":{"guild_id":"41","channel_id":null}})";

    AdminSend() {
        view.sent.what = send_reply::kind::accepted;
        view.sent.shard = 3;
        view.sent.generation = 2;
        view.sent.waiting = 5;
    }
};

TEST_F(AdminSend, HandsTheCommandOnAndAnswersWhereItWent) {
    const http_response r = send_to_shard(view, shard, voice);
    EXPECT_EQ(r.status, 202U);
    EXPECT_EQ(r.body, "{\"shard\":3,\"generation\":2,\"shards\":1,\"waiting\":5}\n");
    ASSERT_EQ(view.sends.size(), 1U);
    EXPECT_EQ(view.sends[0].shard, 3U);
    EXPECT_EQ(view.sends[0].generation, std::nullopt);
    EXPECT_EQ(view.sends[0].op, 4);
    EXPECT_EQ(view.sends[0].d, R"({"guild_id":"41","channel_id":null})");

    EXPECT_EQ(send(view, any, voice).status, 202U);
    EXPECT_EQ(view.sends[1].shard, std::nullopt);
    EXPECT_EQ(send_to_shard(view, *parse_target("/v1/shards/3/send?generation=7"), voice).status,
              202U);
    EXPECT_EQ(view.sends[2].generation, 7U);
}

TEST_F(AdminSend, WhatGoesToAllNamesNoShard) {
    view.sent.to_all = true;
    view.sent.shards = 16;
    const http_response r = send(view, any, R"({"op":3,"d":{"status":"idle"}})");
    EXPECT_EQ(r.body, "{\"generation\":2,\"shards\":16,\"waiting\":5}\n");
}

TEST_F(AdminSend, EveryRefusalHasItsStatus) {
    view.sent.detail = "Because.";
    const auto status = [&](send_reply::kind what) {
        view.sent.what = what;
        const http_response r = send(view, any, voice);
        EXPECT_NE(r.body.find("Because."), std::string::npos);
        return r.status;
    };
    EXPECT_EQ(status(send_reply::kind::not_here), 404U);
    EXPECT_EQ(status(send_reply::kind::wrong), 422U);
    EXPECT_EQ(status(send_reply::kind::down), 503U);
    view.sent.retry_after_s = 12.2;
    EXPECT_EQ(status(send_reply::kind::full), 429U);
    const http_response r = send(view, any, voice);
    ASSERT_EQ(r.headers.size(), 1U);
    EXPECT_EQ(r.headers[0], (std::pair<std::string, std::string>{"Retry-After", "13"}));
}

TEST_F(AdminSend, RetryAfterIsWholeSecondsAndNeverNone) {
    EXPECT_EQ(retry_after(0), "1");
    EXPECT_EQ(retry_after(-3), "1");
    EXPECT_EQ(retry_after(0.01), "1");
    EXPECT_EQ(retry_after(60.5), "61");
    EXPECT_EQ(retry_after(std::numeric_limits<double>::quiet_NaN()), "1");
    EXPECT_EQ(retry_after(std::numeric_limits<double>::infinity()), "86400");
}

TEST_F(AdminSend, ABodyThatIsNoCommandReachesNobody) {
    const std::pair<const char*, unsigned> bad[] = {
        {"", 422},
        {"{", 400},
        {"[]", 422},
        {"7", 422},
        {"{}", 422},
        {R"({"op":4})", 422},
        {R"({"op":"4","d":{}})", 422},
        {R"({"op":4.0,"d":{}})", 422},
        {R"({"op":2,"d":{}})", 422},
        {R"({"op":4294967300,"d":{}})", 422},
        {R"({"op":4,"d":[]})", 422},
        {R"({"op":4,"d":{},"x":1})", 422},
        {"{\"op\":4,\"d\":{\"\xff\":1}}", 400},
    };
    for (const auto& [body, status] : bad)
        EXPECT_EQ(send(view, any, body).status, status) << body;
    const std::string deep = R"({"op":4,"d":{"a":)" + std::string(5000, '[');
    EXPECT_EQ(send(view, any, deep).status, 400U);
    for (const char* path :
         {"/v1/shards/x/send", "/v1/shards/-1/send", "/v1/shards/4294967296/send"})
        EXPECT_EQ(send_to_shard(view, *parse_target(path), voice).status, 404U) << path;
    EXPECT_EQ(send_to_shard(view, *parse_target("/v1/shards/3/send?generation=x"), voice).status,
              400U);
    EXPECT_EQ(send(view, *parse_target("/v1/send?shard=3"), voice).status, 400U);
    EXPECT_TRUE(view.sends.empty());
}

TEST_F(AdminSend, ReconnectsWithTheSessionOrANewOne) {
    const http_response r = reconnect(view, again, "");
    EXPECT_EQ(r.status, 202U);
    EXPECT_EQ(r.body, "{\"shard\":3,\"generation\":2,\"identify\":false}\n");
    EXPECT_EQ(reconnect(view, again, "{}").status, 202U);
    EXPECT_EQ(reconnect(view, again, R"({"identify":true})").status, 202U);
    ASSERT_EQ(view.reconnects.size(), 3U);
    EXPECT_FALSE(view.reconnects[0].identify);
    EXPECT_TRUE(view.reconnects[2].identify);
    EXPECT_EQ(view.reconnects[2].shard, 3U);
    view.sent.what = send_reply::kind::wrong;
    EXPECT_EQ(reconnect(view, again, "").status, 422U);
}

TEST_F(AdminSend, AMisspeltReconnectDoesNothing) {
    for (const char* body :
         {R"({"identfy":true})", R"({"identify":1})", "[true]", R"({"identify":true,"x":1})"})
        EXPECT_EQ(reconnect(view, again, body).status, 422U) << body;
    EXPECT_EQ(reconnect(view, again, "{").status, 400U);
    EXPECT_EQ(reconnect(view, *parse_target("/v1/shards/x/reconnect"), "").status, 404U);
    EXPECT_TRUE(view.reconnects.empty());
}

}  // namespace
}  // namespace shardgate::admin
