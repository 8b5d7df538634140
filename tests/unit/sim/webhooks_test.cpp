// SPDX-License-Identifier: Apache-2.0
// What may follow an interaction's first answer, and when (S5).
#include "sim/webhooks.hpp"

#include <gtest/gtest.h>

#include "unit/sim/sim_fixture.hpp"

namespace shardgate::sim {
namespace {

using namespace testing;

struct Webhooks : ::testing::Test {
    bench b;
    std::unique_ptr<client> c = b.connect();
    std::uint64_t id = 0;
    std::string token;

    void SetUp() override {
        b.ready(*c, 0, 1);
        make(2);
    }
    void make(std::uint32_t type, bool from_component = false) {
        place where;
        where.in = &b.p->guilds.at(0);
        where.channel = world::channel(*where.in, 0);
        id = b.p->events.interact(type, from_component, where, b.now);
        const auto frames = b.take(*c);
        ASSERT_EQ(frames.size(), 1U);
        token = std::string(json::parse(frames.front()).at("d").at("token").as_string());
    }
    http_answer call(std::string method, const std::string& target, std::string body = {}) {
        http_call made;
        made.method = std::move(method);
        made.target = "/api/v10" + target;
        made.body = std::move(body);
        made.content_type = "application/json";
        return b.p->rest.answer(made, b.now);
    }
    [[nodiscard]] std::string hook(const std::string& below = {}) const {
        return "/webhooks/" + std::to_string(application_id()) + "/" + token + below;
    }
    http_answer first(const std::string& body) {
        return call("POST", "/interactions/" + std::to_string(id) + "/" + token + "/callback",
                    body);
    }
    http_answer original(std::string method, std::string body = {}) {
        return call(std::move(method), hook("/messages/@original"), std::move(body));
    }
    static std::int64_t code(const http_answer& a) {
        return json::parse(a.body).at("code").as_int64();
    }
    static std::string text(const http_answer& a, const char* member) {
        return std::string(json::parse(a.body).at(member).as_string());
    }
    [[nodiscard]] std::uint64_t count(const char* name) const {
        return b.p->rest.replies().report().at(name).to_number<std::uint64_t>();
    }
};

TEST_F(Webhooks, AreUnknownBeforeTheFirstAnswer) {
    for (const http_answer& a :
         {call("POST", hook(), R"({"content":"x"})"), original("PATCH", R"({"content":"x"})"),
          original("GET"), original("DELETE"), call("GET", hook("/messages/123"))}) {
        EXPECT_EQ(a.status, 404U);
        EXPECT_EQ(code(a), 10015);
    }
    EXPECT_EQ(count("too_early"), 5U);
    EXPECT_TRUE(b.p->rest.replies().list().empty());
}

TEST_F(Webhooks, ARefusedFirstAnswerOpensNothing) {
    EXPECT_EQ(first(R"({"type":6})").status, 400U);
    EXPECT_EQ(code(call("POST", hook(), R"({"content":"x"})")), 10015);
}

TEST_F(Webhooks, ADeferredAnswerIsFilledReadChangedAndDeleted) {
    ASSERT_EQ(first(R"({"type":5,"data":{"flags":64}})").status, 204U);
    EXPECT_EQ(json::parse(original("GET").body).at("flags").as_int64(), 64 | 128);
    b.pass(4s);
    const http_answer filled = original("PATCH", R"({"content":"done","flags":0})");
    ASSERT_EQ(filled.status, 200U);
    EXPECT_EQ(text(filled, "content"), "done");
    EXPECT_EQ(json::parse(filled.body).at("flags").as_int64(), 64) << "decided when deferred";
    EXPECT_TRUE(json::parse(filled.body).at("edited_timestamp").is_null());
    EXPECT_EQ(text(filled, "channel_id"), std::to_string(world::channel(b.p->guilds.at(0), 0)));

    const http_answer again = original("PATCH", R"({"content":"done \"2\""})");
    EXPECT_TRUE(json::parse(again.body).at("edited_timestamp").is_string());
    EXPECT_EQ(text(original("GET"), "content"), "done \"2\"");
    EXPECT_EQ(text(call("GET", hook("/messages/" + text(filled, "id"))), "id"), text(filled, "id"));
    EXPECT_EQ(original("DELETE").status, 204U);
    EXPECT_EQ(original("DELETE").status, 404U);
    EXPECT_EQ(code(original("GET")), 10008);

    const json::array kept = b.p->rest.replies().list();
    ASSERT_EQ(kept.size(), 1U);
    EXPECT_EQ(kept[0].at("interaction").as_string(), std::to_string(id));
    EXPECT_EQ(kept[0].at("content").as_string(), "done \"2\"");
    EXPECT_TRUE(kept[0].at("deleted").as_bool());
    EXPECT_TRUE(kept[0].at("original").as_bool());
    EXPECT_EQ(kept[0].at("edits").to_number<int>(), 1);
}

TEST_F(Webhooks, APostRightAfterADeferralFillsIt) {
    ASSERT_EQ(first(R"({"type":5})").status, 204U);
    const std::string loading = text(original("GET"), "id");
    EXPECT_EQ(text(call("POST", hook(), R"({"content":"one"})"), "id"), loading);
    EXPECT_NE(text(call("POST", hook(), R"({"content":"two"})"), "id"), loading);
    EXPECT_EQ(text(original("GET"), "content"), "one");
    EXPECT_EQ(count("filled"), 1U);
    EXPECT_EQ(count("created"), 1U);
}

TEST_F(Webhooks, FollowUpsAreMessagesOfTheirOwn) {
    ASSERT_EQ(first(R"({"type":4,"data":{"content":"hello"}})").status, 204U);
    EXPECT_EQ(text(original("GET"), "content"), "hello");
    const std::string made = text(call("POST", hook(), R"({"content":"more","flags":64})"), "id");
    const std::string own = hook("/messages/" + made);
    EXPECT_EQ(text(call("PATCH", own, R"({"content":"else"})"), "content"), "else");
    EXPECT_EQ(json::parse(call("GET", own).body).at("flags").as_int64(), 64);
    EXPECT_EQ(text(original("GET"), "content"), "hello");
    EXPECT_EQ(call("DELETE", own).status, 204U);
    EXPECT_EQ(code(call("PATCH", own, R"({"content":"x"})")), 10008);
    EXPECT_EQ(original("GET").status, 200U);
}

TEST_F(Webhooks, AnotherInteractionsMessageIsNotFound) {
    ASSERT_EQ(first(R"({"type":4,"data":{"content":"mine"}})").status, 204U);
    const json::array listed = b.p->callbacks.list(b.now.at, 1);
    EXPECT_EQ(listed.at(0).at("webhook").as_string(), hook());
    const std::string mine = text(original("GET"), "id");
    make(2);
    ASSERT_EQ(first(R"({"type":5})").status, 204U);
    EXPECT_EQ(code(call("GET", hook("/messages/" + mine))), 10008);
    EXPECT_EQ(count("unknown_message"), 1U);
}

TEST_F(Webhooks, AComponentsOriginalIsTheMessageItIsIn) {
    make(3);
    ASSERT_EQ(first(R"({"type":6})").status, 204U);
    EXPECT_EQ(text(original("GET"), "id"), std::to_string(component_message(id)));
    EXPECT_EQ(text(original("PATCH", R"({"content":"pressed"})"), "content"), "pressed");
    EXPECT_NE(text(call("POST", hook(), R"({"content":"x"})"), "id"),
              std::to_string(component_message(id)));
}

TEST_F(Webhooks, AModalHasNoOriginalAndChoicesHaveNothing) {
    ASSERT_EQ(first(R"({"type":9,"data":{}})").status, 204U);
    EXPECT_EQ(code(original("GET")), 10008);
    EXPECT_EQ(call("POST", hook(), R"({"content":"x"})").status, 200U);
    make(4);
    ASSERT_EQ(first(R"({"type":8,"data":{"choices":[]}})").status, 204U);
    EXPECT_EQ(code(call("POST", hook(), R"({"content":"x"})")), 10015);
}

TEST_F(Webhooks, TheTokenLivesFifteenMinutes) {
    ASSERT_EQ(first(R"({"type":5})").status, 204U);
    b.pass(15min);
    EXPECT_EQ(original("PATCH", R"({"content":"just in time"})").status, 200U);
    b.pass(1ms);
    for (const http_answer& a :
         {call("POST", hook(), R"({"content":"x"})"), original("GET"), original("DELETE")}) {
        EXPECT_EQ(a.status, 401U);
        EXPECT_EQ(code(a), 50027);
    }
    EXPECT_EQ(count("expired"), 3U);
}

TEST(WebhooksScaled, TheTokensLifeIsScaledAsItsWindowIs) {
    options o = small_options();
    o.scale = 100;
    bench b(o);
    const auto c = b.connect();
    b.ready(*c, 0, 1);
    place where;
    where.in = &b.p->guilds.at(0);
    const std::uint64_t id = b.p->events.interact(2, false, where, b.now);
    const std::string token = b.p->callbacks.find(snowflake{id})->token;
    ASSERT_EQ(b.p->callbacks.answer(snowflake{id}, token, R"({"type":5})", false, b.now.at).status,
              204U);
    http_call get;
    get.method = "POST";
    get.content_type = "application/json";
    get.body = R"({"content":"x"})";
    get.target = "/webhooks/" + std::to_string(application_id()) + "/" + token;
    b.pass(9s);
    EXPECT_EQ(b.p->rest.answer(get, b.now).status, 200U);
    b.pass(1ms);
    EXPECT_EQ(b.p->rest.answer(get, b.now).status, 401U);
}

TEST_F(Webhooks, WhatIsNoneIsRefused) {
    ASSERT_EQ(first(R"({"type":5})").status, 204U);
    const std::string app = std::to_string(application_id());
    EXPECT_EQ(code(call("POST", "/webhooks/1/" + token, R"({"content":"x"})")), 10015);
    EXPECT_EQ(code(call("POST", "/webhooks/me/" + token, R"({"content":"x"})")), 10015);
    EXPECT_EQ(code(call("POST", "/webhooks/" + app + "/other", R"({"content":"x"})")), 50027);
    for (const std::string& target :
         {"/webhooks/" + app, "/webhooks/" + app + "/", hook("/"), hook("/messages"),
          hook("/messages/"), hook("/messages/x"), hook("/messages/@original/x"),
          hook("/messages/99999999999999999999999"), hook("/messages/-1")})
        EXPECT_EQ(call("GET", target).status, 404U) << target;
    EXPECT_EQ(call("GET", hook()).status, 405U);
    EXPECT_EQ(call("PUT", hook("/messages/@original")).status, 405U);
    EXPECT_EQ(count("unknown_webhook"), 2U);
    EXPECT_EQ(count("unknown_token"), 1U);
    EXPECT_TRUE(json::parse(original("GET").body).at("flags").as_int64() & 128) << "untouched";
}

TEST_F(Webhooks, BodiesAreCheckedAsMessagesAre) {
    ASSERT_EQ(first(R"({"type":5})").status, 204U);
    EXPECT_EQ(code(original("PATCH", "x")), 50109);
    EXPECT_EQ(code(original("PATCH", "[]")), 50109);
    EXPECT_EQ(code(original("PATCH", R"({"content":3})")), 50035);
    EXPECT_EQ(code(original("PATCH", R"({"content":")" + std::string(2001, 'a') + "\"}")), 50035);
    EXPECT_EQ(code(original("PATCH", "{}")), 50006) << "nothing to show instead of loading";
    EXPECT_EQ(code(call("POST", hook(), R"({"content":""})")), 50006);
    EXPECT_EQ(original("PATCH", R"({"embeds":[{"title":"t"}]})").status, 200U);
    EXPECT_EQ(original("PATCH", "{}").status, 200U);
    EXPECT_EQ(code(original("PATCH", R"({"content":null})")), 50006);
    http_call form;
    form.method = "POST";
    form.target = "/api/v10" + hook();
    form.body = "content=x";
    EXPECT_EQ(code(b.p->rest.answer(form, b.now)), 50035);
    EXPECT_EQ(count("malformed"), 8U);
}

TEST_F(Webhooks, OnlyTheNewestAreKept) {
    ASSERT_EQ(first(R"({"type":4,"data":{"content":"hello"}})").status, 204U);
    for (std::size_t i = 0; i < webhooks::kept; ++i)
        ASSERT_EQ(call("POST", hook(), R"({"content":"x"})").status, 200U);
    EXPECT_EQ(code(original("GET")), 10008) << "the oldest";
    EXPECT_EQ(count("kept"), webhooks::kept);
    EXPECT_EQ(count("forgotten"), 1U);
    EXPECT_EQ(b.p->rest.replies().list().size(), webhooks::listed);
    b.p->rest.clear();
    EXPECT_TRUE(b.p->rest.replies().list().empty());
}

TEST_F(Webhooks, TheReportCountsThemByRoute) {
    ASSERT_EQ(first(R"({"type":4,"data":{"content":"hello"}})").status, 204U);
    call("POST", hook(), R"({"content":"x"})");
    original("GET");
    for (int i = 0; i < 500; ++i)
        call("GET", "/nothing/" + std::to_string(i));
    const json::object calls = b.p->rest.report(b.now.at).at("calls").as_object();
    EXPECT_EQ(calls.at("POST /webhooks/…").to_number<int>(), 1);
    EXPECT_EQ(calls.at("GET /webhooks/…/messages/…").to_number<int>(), 1);
    EXPECT_EQ(calls.size(), 201U);
    EXPECT_EQ(calls.at("other").to_number<int>(), 503 - 200 + 0);
}

}  // namespace
}  // namespace shardgate::sim
