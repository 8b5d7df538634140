// SPDX-License-Identifier: Apache-2.0
#include "admin/guard.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace shardgate::admin {
namespace {

using header_list = std::vector<std::pair<std::string, std::string>>;

http_request with(header_list headers) {
    http_request request;
    request.method = "GET";
    request.headers = std::move(headers);
    return request;
}

unsigned status(const std::optional<http_response>& no) {
    return no ? no->status : 200;
}

unsigned open_door(const std::string& host, header_list headers = {}, bool any_host = false) {
    guard_rules rules;
    rules.any_host = any_host;
    return status(refuse(with(std::move(headers)), host, access::token, rules));
}

TEST(Guard, WithoutATokenTheHostMustBeLocal) {
    for (const char* const host : {"127.0.0.1", "127.0.0.1:7600", "localhost", "LocalHost:80",
                                   "[::1]", "[::1]:7600", "127.1.2.3:1", "localhost:"})
        EXPECT_EQ(open_door(host), 200U) << host;
    for (const char* const host :
         {"", "evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "127.0.0.256",
          "127.0.0", "127.0.0.1.1", "127.0.0.1:x", "[::1]x", "[::1", "::1", "[::2]", "10.0.0.1",
          "127.0.0.1@evil.example", "localhost:123456", "127.0.0.1 ", "0.0.0.0", "127..0.1"})
        EXPECT_EQ(open_door(host), 403U) << host;
}

TEST(Guard, AUnixSocketTakesAnyHost) {
    EXPECT_EQ(open_door("anything", {}, true), 200U);
    EXPECT_EQ(open_door("", {}, true), 200U);
}

TEST(Guard, AForeignOriginIsRefused) {
    const std::string here = "127.0.0.1:7600";
    EXPECT_EQ(open_door(here, {{"Origin", "http://127.0.0.1:7600"}}), 200U);
    EXPECT_EQ(open_door(here, {{"origin", "HTTP://127.0.0.1:7600"}}), 200U);
    for (const char* const origin :
         {"http://evil.example", "null", "", "http://127.0.0.1:7601", "http://127.0.0.1",
          "http://localhost:7600", "file://", "http://127.0.0.1:7600.evil.example"})
        EXPECT_EQ(open_door(here, {{"Origin", origin}}), 403U) << origin;
    EXPECT_EQ(open_door(here, {{"Origin", "http://" + here}, {"Origin", "http://evil.example"}}),
              403U);
    EXPECT_EQ(open_door("any", {{"Origin", "http://evil.example"}}, true), 403U);
}

TEST(Guard, WithATokenOnlyTheTokenCounts) {
    guard_rules rules;
    rules.token = secret("right");
    const auto ask = [&](header_list headers) {
        return status(refuse(with(std::move(headers)), "bot.example", access::token, rules));
    };

    EXPECT_EQ(ask({{"Authorization", "Bearer right"}}), 200U);
    EXPECT_EQ(ask({{"AUTHORIZATION", "bEARER right"}, {"Origin", "http://evil.example"}}), 200U);
    EXPECT_EQ(ask({}), 401U);
    for (const char* const bad : {"Bearer", "Bearer ", "Bearer righ", "Bearer rightt",
                                  "Bearer right ", "right", "Basic right", "Bearerright", ""})
        EXPECT_EQ(ask({{"Authorization", bad}}), 401U) << bad;
    EXPECT_EQ(ask({{"Authorization", "Bearer right"}, {"Authorization", "Bearer right"}}), 401U);
}

TEST(Guard, ARefusalSaysHowToAuthenticate) {
    guard_rules rules;
    rules.token = secret("right");
    const auto no = refuse(with({}), "h", access::token, rules);

    ASSERT_TRUE(no);
    ASSERT_EQ(no->headers.size(), 1U);
    EXPECT_EQ(no->headers[0].first, "WWW-Authenticate");
    EXPECT_EQ(no->body.find("right"), std::string::npos);
}

TEST(Guard, MetricsHaveTheirOwnToken) {
    guard_rules rules;
    rules.token = secret("admin");
    rules.metrics_token = secret("scrape");
    const auto ask = [&](const char* token) {
        const std::string value = std::string("Bearer ") + token;
        return status(refuse(with({{"Authorization", value}}), "h", access::metrics, rules));
    };

    EXPECT_EQ(ask("scrape"), 200U);
    EXPECT_EQ(ask("admin"), 401U);
    EXPECT_EQ(ask("other"), 401U);
    EXPECT_EQ(status(refuse(with({{"Authorization", "Bearer scrape"}}), "h", access::token, rules)),
              401U);
}

TEST(Guard, MetricsWithoutATokenAreOpenButNotToWebPagesOfAnUnprotectedDaemon) {
    guard_rules rules;
    EXPECT_EQ(status(refuse(with({}), "localhost", access::metrics, rules)), 200U);
    EXPECT_EQ(status(refuse(with({}), "evil.example", access::metrics, rules)), 403U);
    rules.token = secret("admin");
    EXPECT_EQ(status(refuse(with({}), "bot.example", access::metrics, rules)), 200U);
}

TEST(Guard, AChangeMustSayThatItIsJson) {
    const auto typed = [](const char* type) { return is_json(with({{"Content-Type", type}})); };

    EXPECT_TRUE(typed("application/json"));
    EXPECT_TRUE(typed("Application/JSON ; charset=utf-8"));
    EXPECT_FALSE(typed("text/plain"));
    EXPECT_FALSE(typed("text/plain; application/json"));
    EXPECT_FALSE(typed("application/jsonx"));
    EXPECT_FALSE(typed(""));
    EXPECT_FALSE(is_json(with({})));
    EXPECT_FALSE(
        is_json(with({{"Content-Type", "application/json"}, {"Content-Type", "text/plain"}})));
}

}  // namespace
}  // namespace shardgate::admin
