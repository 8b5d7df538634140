// SPDX-License-Identifier: Apache-2.0
#include "admin/reshard.hpp"

#include <gtest/gtest.h>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <optional>
#include <set>
#include <string>

#include "admin/router.hpp"
#include "fake_view.hpp"

namespace shardgate::admin {
namespace {

using boost::json::object;
using kind = reshard_reply::kind;
using names = std::set<std::string>;

class Reshard : public testing::Test {
protected:
    // Through the router; the daemon answers `reply`.
    http_response ask(std::string method, std::string body, std::string target = "/v1/reshard") {
        const router r({}, view, [] { return page_extras{}; });
        http_request request;
        request.method = std::move(method);
        request.target = std::move(target);
        request.headers = {{"Host", "localhost"}, {"Content-Type", "application/json"}};
        request.body = std::move(body);
        std::optional<http_response> later;
        auto at_once = r.handle(request, [&](http_response answer) { later = std::move(answer); });
        EXPECT_NE(at_once.has_value(), !view.waiting.empty());
        if (at_once) return *at_once;
        EXPECT_FALSE(later.has_value());
        view.waiting.front()(reply);
        view.waiting.clear();
        return later.value();
    }
    http_response post(std::string body) { return ask("POST", std::move(body)); }
    static object body(const http_response& a) { return boost::json::parse(a.body).as_object(); }
    static names keys(const object& o) {
        names out;
        for (const auto& member : o)
            out.insert(std::string(member.key()));
        return out;
    }
    static std::string detail(const http_response& a) {
        EXPECT_EQ(a.content_type, "application/problem+json");
        return std::string(body(a).at("detail").as_string());
    }

    test::fake_view view;
    reshard_reply reply;
};

TEST_F(Reshard, APlanHasTheKeysScriptsRelyOn) {
    reply.what = kind::accepted;
    reply.plan = {8, 16, 16, 977, 78.75, {"81384788765712384"}, {"Near."}};
    const http_response a = post(R"({"shards":16})");
    EXPECT_EQ(a.status, 202U);
    EXPECT_EQ(a.content_type, "application/json");
    EXPECT_EQ(a.body,
              "{\"from\":8,\"to\":16,\"session_starts\":16,\"remaining\":977,\"estimated_s\":78.75,"
              "\"voice_guilds\":[\"81384788765712384\"],\"warnings\":[\"Near.\"]}\n");
    ASSERT_EQ(view.reshards.size(), 1U);
    EXPECT_EQ(view.reshards[0].shards, 16U);
    EXPECT_FALSE(view.reshards[0].dry_run);
}

TEST_F(Reshard, ADryRunIs200) {
    reply.what = kind::planned;
    EXPECT_EQ(post(R"({"shards":"auto","dry_run":true})").status, 200U);
    ASSERT_EQ(view.reshards.size(), 1U);
    EXPECT_EQ(view.reshards[0].shards, std::nullopt);
    EXPECT_TRUE(view.reshards[0].dry_run);
    EXPECT_EQ(post(R"({"dry_run":false,"shards":4294967295})").status, 200U);
    EXPECT_EQ(view.reshards[1].shards, 4294967295U);
    EXPECT_FALSE(view.reshards[1].dry_run);
}

TEST_F(Reshard, WhatTheDaemonRefusesIsAProblemWithItsReason) {
    reply.detail = "Because \xff.";
    for (const auto& [what, status] :
         {std::pair{kind::busy, 409U}, {kind::refused, 422U}, {kind::unavailable, 503U}}) {
        reply.what = what;
        const http_response a = post(R"({"shards":16})");
        EXPECT_EQ(a.status, status);
        EXPECT_EQ(detail(a), "Because \xEF\xBF\xBD.");
    }
}

TEST_F(Reshard, WhatIsNotUnderstoodReachesNobody) {
    for (const char* const wrong : {"",
                                    " \n",
                                    "{}",
                                    "[]",
                                    "16",
                                    "\"auto\"",
                                    "null",
                                    R"({"shards":null})",
                                    R"({"shards":"16"})",
                                    R"({"shards":"AUTO"})",
                                    R"({"shards":-1})",
                                    R"({"shards":16.0})",
                                    R"({"shards":1e3})",
                                    R"({"shards":4294967296})",
                                    R"({"shards":18446744073709551615})",
                                    R"({"shards":[16]})",
                                    R"({"shards":true})",
                                    R"({"shards":16,"dryrun":true})",
                                    R"({"shards":16,"dry_run":1})",
                                    R"({"shards":16,"dry_run":"true"})",
                                    R"({"shards":16,"dry_run":null})",
                                    R"({"dry_run":true})"}) {
        const http_response a = post(wrong);
        EXPECT_EQ(a.status, 422U) << wrong;
        EXPECT_NE(detail(a).find("Allowed: "), std::string::npos) << wrong;
    }
    for (const char* const broken : {"{", "shards=16", "{\"shards\":16}}", "\xff"})
        EXPECT_EQ(post(broken).status, 400U) << broken;
    EXPECT_EQ(ask("POST", R"({"shards":16})", "/v1/reshard?dry_run=1").status, 400U);
    EXPECT_EQ(ask("GET", "", "/v1/reshard?x=1").status, 400U);
    EXPECT_EQ(ask("DELETE", "", "/v1/reshard?x=1").status, 400U);
    for (const char* const wanted : {"{\"shards\":16}", "[]", "{", "null"})
        EXPECT_EQ(ask("DELETE", wanted).status, 400U) << wanted;
    EXPECT_TRUE(view.reshards.empty());
}

TEST_F(Reshard, WithoutAWayToAnswerLaterNothingIsBegun) {
    const router r({}, view, [] { return page_extras{}; });
    http_request request;
    request.method = "POST";
    request.target = "/v1/reshard";
    request.headers = {{"Host", "localhost"}, {"Content-Type", "application/json"}};
    request.body = R"({"shards":16})";
    EXPECT_EQ(r.handle(request)->status, 503U);
    EXPECT_TRUE(view.reshards.empty());
}

TEST_F(Reshard, ProgressHasTheKeysScriptsRelyOn) {
    reshard_snapshot& r = view.all.reshard;
    r.state = "overlap";
    r.from = 8;
    r.to = 16;
    r.ready = 16;
    r.percent = 80;
    r.eta_s = 12.5;
    r.generation = 3;
    r.automatic = true;
    r.held = 4;
    const http_response a = ask("GET", "");
    EXPECT_EQ(a.status, 200U);
    EXPECT_EQ(a.body,
              "{\"state\":\"overlap\",\"from\":8,\"to\":16,\"ready\":16,\"percent\":80,"
              "\"eta_s\":12.5,\"reason\":null,\"generation\":3,\"automatic\":true,"
              "\"started_ago_s\":0,\"pairing\":{\"forwarded\":0,\"dropped\":0,\"released\":0,"
              "\"expired\":0,\"guessed\":0,\"held_bytes\":4},\"warning\":null}\n");
}

TEST_F(Reshard, BeforeTheFirstMostIsNull) {
    const object idle = body(ask("GET", ""));
    EXPECT_EQ(idle.at("state"), "idle");
    for (const char* const key : {"from", "to", "eta_s", "reason", "generation", "started_ago_s"})
        EXPECT_TRUE(idle.at(key).is_null()) << key;
    view.all.reshard.state = "failed";
    view.all.reshard.reason = "Shard 3 \xff";
    EXPECT_EQ(body(ask("GET", "")).at("reason"), "Shard 3 \xEF\xBF\xBD");
}

TEST_F(Reshard, AbortAnswersTheProgress) {
    view.all.reshard.state = "starting";
    const http_response a = ask("DELETE", "");
    EXPECT_EQ(a.status, 202U);
    EXPECT_EQ(body(a).at("state"), "starting");
    EXPECT_EQ(ask("DELETE", "{}").status, 202U);
    view.abort = abort_reply::nothing_runs;
    EXPECT_EQ(ask("DELETE", "").status, 409U);
    view.abort = abort_reply::too_late;
    const http_response late = ask("DELETE", "");
    EXPECT_EQ(late.status, 409U);
    EXPECT_NE(detail(late).find("too late"), std::string::npos);
}

TEST_F(Reshard, OtherMethodsAreToldWhichThereAre) {
    const http_response a = ask("PUT", "{}");
    EXPECT_EQ(a.status, 405U);
    EXPECT_NE(detail(a).find("GET, HEAD, POST, DELETE"), std::string::npos);
}

}  // namespace
}  // namespace shardgate::admin
