// SPDX-License-Identifier: Apache-2.0
// POST /v1/handler, GET /v1/guilds and the refusals of the calls that never end, at the router.
#include "admin/handler.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <vector>

#include "admin/router.hpp"
#include "fake_view.hpp"

namespace shardgate::admin {
namespace {

class AdminCalls : public testing::Test {
protected:
    http_response ask(std::string method, std::string target, std::string body = {}) {
        http_request request;
        request.method = std::move(method);
        request.target = std::move(target);
        request.headers = {{"Host", "localhost"}, {"Content-Type", "application/json"}};
        request.body = std::move(body);
        return routes.handle(request).value();
    }
    http_response change(std::string body) { return ask("POST", "/v1/handler", std::move(body)); }
    static std::string all_of(body_stream& s) {
        std::string out;
        while (s.read(out, {}) == body_stream::next::more) {
        }
        return out;
    }

    test::fake_view view;
    live_feeds feeds{view};
    router routes{{}, view, [] { return page_extras{}; }, &feeds};
};

TEST_F(AdminCalls, PausingAnswersTheHandlersState) {
    const http_response answer = change(R"({"paused":true})");
    ASSERT_EQ(answer.status, 200U) << answer.body;
    const auto v = boost::json::parse(answer.body);
    EXPECT_EQ(v.at("state"), "paused");
    EXPECT_EQ(answer.body.find("hunter2"), std::string::npos) << "URLs without their secrets";
    ASSERT_EQ(view.handler_changes.size(), 1U);
    EXPECT_EQ(view.handler_changes[0].paused, true);
    EXPECT_FALSE(view.handler_changes[0].urls);
}

TEST_F(AdminCalls, UrlsAndPauseMayBeChangedAtOnce) {
    const http_response answer =
        change(R"({"urls":["http://127.0.0.1:8081/","unix:/run/bot.sock:/x"],"paused":false})");
    ASSERT_EQ(answer.status, 200U) << answer.body;
    const handler_change& c = view.handler_changes.at(0);
    EXPECT_EQ(c.paused, false);
    EXPECT_EQ(c.urls,
              (std::vector<std::string>{"http://127.0.0.1:8081/", "unix:/run/bot.sock:/x"}));
}

TEST_F(AdminCalls, WhatIsNoHandlerChangesNothing) {
    for (const char* body :
         {"", "  ", "{}", "[]", "null", R"({"paused":1})", R"({"paused":"yes"})", R"({"urls":[]})",
          R"({"urls":"http://a/"})", R"({"urls":[1]})", R"({"urls":[""]})",
          R"({"urls":["ftp://a/"]})", R"({"urls":["http://user:hunter2@a/"]})",
          R"({"urls":["http://a/","http://a/"]})", R"({"urls":["http://a/#f"]})",
          R"({"url":["http://a/"]})", R"({"paused":true,"x":1})"}) {
        const http_response no = change(body);
        EXPECT_EQ(no.status, 422U) << body;
        EXPECT_EQ(no.content_type, "application/problem+json");
        EXPECT_EQ(no.body.find("hunter2"), std::string::npos) << no.body;
    }
    EXPECT_EQ(change("{\"paused\":").status, 400U);
    EXPECT_EQ(ask("POST", "/v1/handler?paused=true", "{}").status, 400U);
    std::string many = R"({"urls":[)";
    for (int i = 0; i < 65; ++i)
        many += (i == 0 ? "\"http://a/" : ",\"http://a/") + std::to_string(i) + '"';
    EXPECT_EQ(change(many + "]}").status, 422U);
    EXPECT_TRUE(view.handler_changes.empty());
}

TEST_F(AdminCalls, GuildsAreCountedAndListed) {
    const http_response count = ask("GET", "/v1/guilds");
    EXPECT_EQ(count.body, "{\"count\":3,\"unavailable\":1,\"complete\":true}\n");
    const http_response list = ask("GET", "/v1/guilds?ids=1");
    EXPECT_EQ(list.content_type, "application/x-ndjson");
    ASSERT_NE(list.stream, nullptr);
    EXPECT_EQ(all_of(*list.stream), "\"41\"\n\"42\"\n\"81384788765712384\"\n");
    EXPECT_EQ(ask("GET", "/v1/guilds?ids=yes").status, 400U);
    EXPECT_EQ(ask("GET", "/v1/guilds?id=1").status, 400U);
}

TEST_F(AdminCalls, AListOfGuildsComesInBoundedPieces) {
    view.all_guilds.ids.clear();
    std::string wanted;
    for (std::uint64_t i = 0; i < 50000; ++i) {
        view.all_guilds.ids.push_back(1000000000000000000 + i);
        wanted += '"' + std::to_string(1000000000000000000 + i) + "\"\n";
    }
    const http_response list = ask("GET", "/v1/guilds?ids=1");
    std::string got;
    for (auto next = body_stream::next::more; next == body_stream::next::more;) {
        std::string piece;
        next = list.stream->read(piece, {});
        EXPECT_LE(piece.size(), 64U * 1024 + 30);
        got += piece;
    }
    EXPECT_EQ(got, wanted);
}

TEST_F(AdminCalls, ATailsFilterIsReadStrictly) {
    for (const char* target :
         {"/v1/events", "/v1/events?type=A,B&type=C&guild=41&shard=0,3&payload=1",
          "/v1/events?payload=0", "/v1/stats"}) {
        const http_response answer = ask("GET", target);
        EXPECT_EQ(answer.status, 200U) << target;
        EXPECT_EQ(answer.content_type, "text/event-stream");
        EXPECT_NE(answer.stream, nullptr);
    }
    for (const char* target :
         {"/v1/events?typ=A", "/v1/events?type=", "/v1/events?guild=x", "/v1/events?guild=-1",
          "/v1/events?shard=1,", "/v1/events?shard=99999999999", "/v1/events?payload=2",
          "/v1/stats?x=1"})
        EXPECT_EQ(ask("GET", target).status, 400U) << target;
    std::string many = "/v1/events?shard=0";
    for (int i = 1; i < 65; ++i)
        many += "," + std::to_string(i);
    EXPECT_EQ(ask("GET", many).status, 400U);
    EXPECT_EQ(view.watcher, nullptr) << "every client has gone";
}

TEST_F(AdminCalls, MoreClientsThanThereIsRoomForComeBackLater) {
    std::vector<http_response> open;
    for (std::size_t i = 0; i < tail_limits{}.clients; ++i)
        open.push_back(ask("GET", "/v1/events"));
    const http_response no = ask("GET", "/v1/events");
    EXPECT_EQ(no.status, 503U);
    ASSERT_EQ(no.headers.size(), 1U);
    EXPECT_EQ(no.headers[0].first, "Retry-After");
    open.pop_back();
    EXPECT_EQ(ask("GET", "/v1/events").status, 200U);
}

}  // namespace
}  // namespace shardgate::admin
