// SPDX-License-Identifier: Apache-2.0
#include "admin/router.hpp"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <string>
#include <vector>

#include "fake_view.hpp"

namespace shardgate::admin {
namespace {

using boost::json::value;

class Router : public testing::Test {
protected:
    http_response ask(
        std::string method, std::string target,
        std::vector<std::pair<std::string, std::string>> headers = {{"Host", "127.0.0.1:7600"}},
        std::string body = {}) {
        const router r(rules, view, [] { return page_extras{}; });
        http_request request;
        request.method = std::move(method);
        request.target = std::move(target);
        request.headers = std::move(headers);
        request.body = std::move(body);
        return r.handle(request).value();
    }
    http_response get(std::string target) { return ask("GET", std::move(target)); }
    static value body(const http_response& answer) { return boost::json::parse(answer.body); }

    test::fake_view view;
    guard_rules rules;
};

void expect_keys(const value& v, const std::vector<std::string>& wanted) {
    for (const std::string& key : wanted)
        EXPECT_TRUE(v.as_object().contains(key)) << key << " in " << boost::json::serialize(v);
}

std::string header(const http_response& answer, std::string_view name) {
    for (const auto& [key, text] : answer.headers)
        if (key == name) return text;
    return {};
}

// A problem says in words what is wrong (RFC 9457).
void expect_problem(const http_response& answer, unsigned status) {
    EXPECT_EQ(answer.status, status);
    EXPECT_EQ(answer.content_type, "application/problem+json");
    const value v = boost::json::parse(answer.body);
    expect_keys(v, {"type", "title", "status", "detail"});
    EXPECT_EQ(v.at("status").to_number<unsigned>(), status);
    EXPECT_GT(v.at("detail").as_string().size(), 10U);
}

TEST_F(Router, StatusHasTheKeysScriptsRelyOn) {
    const http_response answer = get("/v1/status");

    ASSERT_EQ(answer.status, 200U);
    EXPECT_EQ(answer.content_type, "application/json");
    const value v = body(answer);
    expect_keys(v, {"version", "uptime_s", "generation", "guilds", "shards", "session_start_limit",
                    "handler", "queue", "plan"});
    expect_keys(v.at("shards"), {"total", "first", "last", "ready"});
    expect_keys(v.at("session_start_limit"),
                {"total", "remaining", "reset_after_s", "max_concurrency"});
    expect_keys(v.at("handler"), {"state", "urls"});
    expect_keys(v.at("plan"), {"total", "source"});
    EXPECT_EQ(v.at("version"), "1.2.3");
    EXPECT_EQ(v.at("shards").at("ready").to_number<int>(), 1);
    EXPECT_EQ(v.at("session_start_limit").at("remaining").to_number<int>(), 977);
    EXPECT_EQ(v.at("handler").at("state"), "up");
    EXPECT_EQ(v.at("plan").at("source"), "file");
    EXPECT_EQ(v.at("queue").at("events").to_number<int>(), 5);
}

TEST_F(Router, NumbersAreWrittenPlainly) {
    EXPECT_NE(get("/v1/status").body.find("\"uptime_s\":12.5,"), std::string::npos);
    EXPECT_NE(get("/v1/shards/0").body.find("\"latency_ms\":41.25,"), std::string::npos);
    EXPECT_EQ(get("/v1/status").body.back(), '\n');
}

TEST_F(Router, HandlerUrlsShowNoSecrets) {
    const std::string text = get("/v1/status").body + get("/metrics").body;

    EXPECT_EQ(text.find("hunter2"), std::string::npos);
    EXPECT_NE(text.find("http://***@127.0.0.1:8080/?***"), std::string::npos);
}

TEST_F(Router, ShardsAreAnArrayOfTheActiveSet) {
    const value v = body(get("/v1/shards"));

    ASSERT_EQ(v.as_array().size(), 3U);
    const value& first = v.at(0);
    expect_keys(first,
                {"id", "total", "generation", "state", "session", "received", "safe", "latency_ms",
                 "guilds", "guilds_loaded", "events", "last_close", "worker", "url"});
    EXPECT_EQ(first.at("state"), "ready");
    EXPECT_EQ(first.at("session"), "abcdefgh…");
    EXPECT_EQ(first.at("guilds_loaded"), true);
    EXPECT_TRUE(first.at("last_close").is_null());
    EXPECT_EQ(v.at(1).at("last_close").to_number<int>(), 4000);
    EXPECT_TRUE(v.at(2).at("latency_ms").is_null());
    EXPECT_TRUE(v.at(2).at("session").is_null());
}

TEST_F(Router, AnotherGenerationIsAskedForByName) {
    const value v = body(get("/v1/shards?generation=3"));

    ASSERT_EQ(v.as_array().size(), 1U);
    EXPECT_EQ(v.at(0).at("state"), "loading");
    EXPECT_EQ(body(get("/v1/shards/0?generation=3")).at("generation").to_number<int>(), 3);
    expect_problem(get("/v1/shards?generation=9"), 404);
    expect_problem(get("/v1/shards/2?generation=3"), 404);
    expect_problem(get("/v1/shards?generation=two"), 400);
    expect_problem(get("/v1/shards?generation="), 400);
    expect_problem(get("/v1/shards?generation=-1"), 400);
    expect_problem(get("/v1/shards/0?generation=99999999999"), 400);
}

TEST_F(Router, AnActiveSetWithoutShardsIsEmptyAndNotMissing) {
    view.all.shards.clear();

    EXPECT_EQ(get("/v1/shards").body, "[]\n");
    EXPECT_EQ(get("/v1/shards?generation=2").body, "[]\n");
}

TEST_F(Router, OneShardIsFoundByItsNumber) {
    EXPECT_EQ(body(get("/v1/shards/1")).at("id").to_number<int>(), 1);
    EXPECT_EQ(body(get("/v1/shards/%31")).at("id").to_number<int>(), 1);
    for (const char* const bad : {"/v1/shards/3", "/v1/shards/-1", "/v1/shards/1x",
                                  "/v1/shards/4294967296", "/v1/shards/", "/v1/shards/0/"})
        expect_problem(get(bad), 404);
}

TEST_F(Router, QueueHasTheKeysScriptsRelyOn) {
    const value v = body(get("/v1/queue"));

    expect_keys(v, {"events", "bytes", "spooled_events", "spooled_bytes", "oldest_age_s",
                    "dead_letters", "shed"});
    EXPECT_EQ(v.at("shed").at("typing").to_number<int>(), 4);
    EXPECT_EQ(v.at("causes").at("handler_down").to_number<int>(), 5);
    EXPECT_EQ(v.at("stored_events").to_number<int>(), 0);
}

TEST_F(Router, StorageIsPartOfStatusAndQueue) {
    view.all.status.storage.state = "failing";
    view.all.status.storage.detail = "no space left on device";
    view.all.status.storage.errors = 3;
    view.all.status.warnings = {"spool.db was damaged"};
    for (const char* const path : {"/v1/status", "/v1/queue"}) {
        const value v = body(get(path)).at("storage");
        expect_keys(v, {"state", "detail", "errors", "resets", "last_write_ms", "file_bytes"});
        EXPECT_EQ(v.at("state"), "failing");
        EXPECT_EQ(v.at("detail"), "no space left on device");
        EXPECT_EQ(v.at("errors").to_number<int>(), 3);
        EXPECT_EQ(v.at("last_write_ms").to_number<double>(), 4);
    }
    EXPECT_EQ(body(get("/v1/status")).at("warnings").at(0), "spool.db was damaged");
}

TEST_F(Router, WarningsDoNotTakeReadinessAway) {
    EXPECT_EQ(body(get("/readyz")).at("warnings").as_array().size(), 0U);
    view.is_ready.warnings = {"the state directory's disk is full"};

    EXPECT_EQ(get("/readyz").status, 200U);
    EXPECT_EQ(body(get("/readyz")).at("warnings").at(0), "the state directory's disk is full");
    view.is_ready.ready = false;
    view.is_ready.reasons = {"stopping"};
    expect_problem(get("/readyz"), 503);
    EXPECT_EQ(body(get("/readyz")).at("warnings").as_array().size(), 1U);
}

TEST_F(Router, HealthIsAnsweredToAnybody) {
    rules.token = secret("t");
    EXPECT_EQ(ask("GET", "/healthz", {}).status, 200U);
    EXPECT_EQ(ask("GET", "/healthz", {{"Host", "evil.example"}}).status, 200U);
    EXPECT_EQ(ask("GET", "/readyz", {}).status, 200U);
    EXPECT_EQ(body(ask("GET", "/readyz", {})).at("ready"), true);
}

TEST_F(Router, NotReadyIs503WithEveryReason) {
    view.is_ready = {false, {"2 of 3 shards are not ready", "the handler is down"}, {}};
    const http_response answer = get("/readyz");

    expect_problem(answer, 503);
    const value v = body(answer);
    EXPECT_EQ(v.at("reasons").as_array().size(), 2U);
    EXPECT_EQ(v.at("detail"), "Not ready: 2 of 3 shards are not ready; the handler is down.");
    EXPECT_EQ(v.at("ready"), false);
}

TEST_F(Router, ReasonsThatAreNotUtf8StillMakeJson) {
    view.is_ready = {false, {"the handler said \xff"}, {}};
    const http_response answer = get("/readyz");

    expect_problem(answer, 503);
    EXPECT_EQ(body(answer).at("reasons").at(0), "the handler said \xef\xbf\xbd");
}

TEST_F(Router, MetricsAreText) {
    const http_response answer = get("/metrics");

    EXPECT_EQ(answer.status, 200U);
    EXPECT_EQ(answer.content_type, "text/plain; version=0.0.4; charset=utf-8");
    EXPECT_EQ(answer.body.rfind("# HELP shardgate_", 0), 0U);
}

TEST_F(Router, HeadIsAnsweredAsGet) {
    EXPECT_EQ(ask("HEAD", "/v1/status").status, 200U);
    EXPECT_EQ(ask("HEAD", "/nothing").status, 404U);
}

TEST_F(Router, WhatIsNotThereIs404) {
    for (const char* const path :
         {"/dashboard/x.js", "/v1", "/v1/", "/v1/statuss", "/V1/status", "//v1/status",
          "/v1/status/", "/v1/../v1/status", "/v1%2fstatus"})
        expect_problem(get(path), 404);
}

TEST_F(Router, AnotherMethodIs405AndSaysWhichAreAllowed) {
    for (const char* const method : {"POST", "PUT", "DELETE", "OPTIONS", "get", "CONNECT", "X"}) {
        const http_response answer = ask(method, "/v1/status");
        expect_problem(answer, 405);
        EXPECT_EQ(header(answer, "Allow"), "GET, HEAD") << method;
    }
}

TEST_F(Router, ATargetThatCannotBeReadIs400) {
    for (const char* const bad : {"", "*", "v1/status", "/v1/%zz", "/v1/%2", "/v1/%00", "ftp://x/",
                                  "http://", "/a b", "/a\x01", "/a#b", "/\xff"})
        expect_problem(get(bad), 400);
}

TEST_F(Router, TheAbsoluteFormIsUnderstoodAndItsHostCounts) {
    EXPECT_EQ(ask("GET", "http://localhost:1/v1/status", {{"Host", "evil.example"}}).status, 200U);
    EXPECT_EQ(ask("GET", "http://evil.example/v1/status", {{"Host", "localhost"}}).status, 403U);
}

TEST_F(Router, LongTargetsAreNotQuotedInFull) {
    EXPECT_LT(get("/" + std::string(5000, 'a')).body.size(), 400U);
}

TEST_F(Router, AWrongTokenLearnsNothing) {
    rules.token = secret("right");
    const std::pair<std::string, std::string> host{"Host", "localhost"};

    expect_problem(ask("GET", "/v1/status", {host}), 401);
    expect_problem(ask("GET", "/v1/status", {host, {"Authorization", "Bearer wrong"}}), 401);
    expect_problem(ask("GET", "/nothing", {host}), 401);
    expect_problem(ask("DELETE", "/v1/status", {host}), 401);
    EXPECT_EQ(view.asked, 0);
    EXPECT_EQ(ask("GET", "/v1/status", {{"authorization", "bearer  right"}}).status, 200U);
}

}  // namespace
}  // namespace shardgate::admin
