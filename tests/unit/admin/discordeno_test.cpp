// SPDX-License-Identifier: Apache-2.0
// What a Discordeno bot process says, and what it is answered.
#include "admin/discordeno.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <string>
#include <vector>

#include "admin/router.hpp"
#include "unit/admin/fake_view.hpp"

namespace shardgate::admin {
namespace {

struct Discordeno : testing::Test {
    test::fake_view view;

    Discordeno() { view.sent.what = send_reply::kind::accepted; }
    http_response ask(std::string_view body) { return discordeno(view, body); }
    [[nodiscard]] http_response route(const std::string& token, const std::string& given,
                                      std::string method = "POST", std::string path = "/",
                                      std::string type = "application/json") {
        guard_rules rules;
        rules.token = secret(token);
        const router r(rules, view, [] { return page_extras{}; });
        http_request q;
        q.method = std::move(method);
        q.target = std::move(path);
        q.headers = {{"Host", "127.0.0.1"}, {"Content-Type", std::move(type)}};
        if (!given.empty()) q.headers.emplace_back("Authorization", given);
        q.body = R"({"type":"GET_SHARD_INFO"})";
        return *r.handle(q);
    }
};

TEST_F(Discordeno, APayloadGoesToItsGuildWhateverTheShard) {
    const http_response r = ask(
        R"({"type":"ShardPayload","shardId":9,"payload":{"op":4,"d":{"guild_id":"41","channel_id":null}}})");
    EXPECT_EQ(r.status, 200U);
    EXPECT_EQ(r.body, "{\"processing\":true}\n");
    ASSERT_EQ(view.sends.size(), 1U);
    EXPECT_EQ(view.sends[0].shard, std::nullopt);
    EXPECT_EQ(view.sends[0].op, 4);
    EXPECT_EQ(
        ask(R"({"type":"SHARD_PAYLOAD","shardId":2,"data":{"op":3,"d":{"status":"idle"}}})").status,
        200U);
    EXPECT_EQ(view.sends[1].shard, 2U);
}

TEST_F(Discordeno, APresenceForAllAndAMemberRequestAreTranslated) {
    EXPECT_EQ(
        ask(R"({"type":"EditShardsPresence","payload":{"status":"dnd","activities":[]}})").status,
        200U);
    EXPECT_EQ(view.sends[0].op, 3);
    EXPECT_EQ(view.sends[0].shard, std::nullopt);
    EXPECT_EQ(
        ask(R"({"type":"REQUEST_MEMBERS","guildId":"41","options":{"userIds":["7"],"nonce":"n"}})")
            .status,
        200U);
    EXPECT_EQ(view.sends[1].d, R"({"guild_id":"41","user_ids":["7"],"nonce":"n"})");
    EXPECT_EQ(ask(R"({"type":"REQUEST_MEMBERS","guildId":"41"})").status, 200U);
    EXPECT_EQ(view.sends[2].d, R"({"guild_id":"41","query":"","limit":0})");
}

// requestMembers(guild, {limit: 10}) of @discordeno/bot 21: neither a query nor user_ids.
TEST_F(Discordeno, AMemberRequestWithoutAQueryGetsTheEmptyOne) {
    const auto sent = [this](const std::string& d) {
        EXPECT_EQ(
            ask(R"({"type":"ShardPayload","shardId":0,"payload":{"op":8,"d":)" + d + "}}").status,
            200U);
        return view.sends.back().d;
    };
    EXPECT_EQ(sent(R"({"guild_id":"41","limit":10,"presences":false,"nonce":"n"})"),
              R"({"guild_id":"41","limit":10,"presences":false,"nonce":"n","query":""})");
    EXPECT_EQ(sent(R"({"guild_id":"41","limit":1,"user_ids":["7"]})"),
              R"({"guild_id":"41","limit":1,"user_ids":["7"]})");
    EXPECT_EQ(sent(R"({"guild_id":"41","query":"x","limit":3})"),
              R"({"guild_id":"41","query":"x","limit":3})");
}

TEST_F(Discordeno, TellsShards) {
    EXPECT_EQ(ask(R"({"type":"ShardInfoFromGuild"})").body, "{\"shardId\":0,\"rtt\":41}\n");
    EXPECT_EQ(ask(R"({"type":"ShardInfoFromGuild","guildId":"4194304"})").body,
              "{\"shardId\":1,\"rtt\":-1}\n");
    const http_response all = ask(R"({"type":"GET_SHARD_INFO"})");
    const auto list = boost::json::parse(all.body).as_array();
    ASSERT_EQ(list.size(), 3U) << "of the active set";
    EXPECT_EQ(list[0].at("state"), 0);
    EXPECT_EQ(list[1].at("state"), 4);
    EXPECT_EQ(list[0].at("rtt"), 41);
    std::erase_if(view.all.shards, [](const shard_snapshot& shard) { return shard.id == 2; });
    const http_response elsewhere = ask(R"({"type":"ShardInfoFromGuild","guildId":"8388608"})");
    EXPECT_EQ(elsewhere.status, 400U);
    EXPECT_EQ(elsewhere.body,
              "{\"message\":\"The shard of that guild does not run here.\","
              "\"error\":\"The shard of that guild does not run here.\"}\n");
}

TEST_F(Discordeno, RefusalsAreMessages) {
    view.sent.what = send_reply::kind::full;
    view.sent.detail = "Full.";
    view.sent.retry_after_s = 3;
    const http_response full =
        ask(R"({"type":"ShardPayload","shardId":0,"payload":{"op":3,"d":{}}})");
    EXPECT_EQ(full.status, 429U);
    EXPECT_EQ(full.body, "{\"message\":\"Full.\"}\n");
    EXPECT_EQ(full.headers[0].second, "3");
    const std::size_t before = view.sends.size();
    for (const char* body : {"[]", "{}", R"({"type":7})", R"({"type":"IDENTIFY_SHARD"})",
                             R"({"type":"ShardPayload","shardId":0})",
                             R"({"type":"ShardPayload","payload":{"op":3,"d":{}}})",
                             R"({"type":"ShardPayload","shardId":-1,"payload":{"op":3,"d":{}}})",
                             R"({"type":"ShardPayload","shardId":0,"payload":{"op":-3,"d":{}}})",
                             R"({"type":"EditShardsPresence","payload":[]})",
                             R"({"type":"ShardInfoFromGuild","guildId":"x"})",
                             R"({"type":"REQUEST_MEMBERS","guildId":"0"})"}) {
        const http_response r = ask(body);
        EXPECT_EQ(r.status, 422U) << body;
        EXPECT_TRUE(r.body.starts_with("{\"message\":")) << body;
    }
    EXPECT_EQ(ask("{").status, 400U);
    EXPECT_EQ(view.sends.size(), before);
}

TEST_F(Discordeno, TheSecretIsBareAndItsLackAMessage) {
    EXPECT_EQ(route("s3cret", "s3cret").status, 200U);
    EXPECT_EQ(route("s3cret", "Bearer s3cret").status, 200U);
    for (const char* wrong : {"", "s3cre", "s3cret ", "Bearer", "Bot s3cret"}) {
        const http_response r = route("s3cret", wrong);
        EXPECT_EQ(r.status, 401U) << wrong;
        EXPECT_TRUE(r.body.starts_with("{\"message\":")) << r.body;
    }
    EXPECT_EQ(route("", "anything").status, 200U) << "no token: whoever is local";
    EXPECT_EQ(route("s3cret", "s3cret", "POST", "/", "text/plain").status, 415U);
    EXPECT_EQ(route("s3cret", "s3cret", "GET", "/timecheck").status, 200U);
    EXPECT_TRUE(route("s3cret", "s3cret", "GET", "/timecheck").body.starts_with("{\"message\":1"));
    EXPECT_EQ(route("s3cret", "", "GET", "/timecheck").status, 401U);
    EXPECT_EQ(route("s3cret", "s3cret", "GET", "/v1/status").status, 401U) << "only there";
}

}  // namespace
}  // namespace shardgate::admin
