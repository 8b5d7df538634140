// SPDX-License-Identifier: Apache-2.0
// REST and interaction callbacks (S1 to S4, S30).
#include "sim/rest_api.hpp"

#include <gtest/gtest.h>

#include "unit/sim/sim_fixture.hpp"

namespace shardgate::sim {
namespace {

using namespace testing;

http_call get(std::string target, std::string auth = "Bot simulated-token") {
    http_call c;
    c.method = "GET";
    c.target = std::move(target);
    c.authorization = std::move(auth);
    c.user_agent = "DiscordBot (https://example.org, 1)";
    return c;
}

std::string header(const http_answer& a, std::string_view name) {
    for (const auto& [key, value] : a.headers)
        if (key == name) return value;
    return {};
}

TEST(Rest, GatewayBotTellsShardsAndBudget) {
    bench b;
    b.p->rest.gateway_url("wss://localhost:1/");
    const auto a = b.p->rest.answer(get("/api/v10/gateway/bot"), b.now);
    const json::value v = json::parse(a.body);

    EXPECT_EQ(a.status, 200U);
    EXPECT_EQ(v.at("url").as_string(), "wss://localhost:1/");
    EXPECT_EQ(v.at("shards").as_int64(), 1);
    EXPECT_EQ(v.at("session_start_limit").at("remaining").as_int64(), 1000);
    EXPECT_EQ(v.at("session_start_limit").at("max_concurrency").as_int64(), 1);
    EXPECT_NE(header(a, "X-RateLimit-Limit"), "");
}

TEST(Rest, RemainingFallsWithIdentifiesNotWithResumes) {
    bench b;
    auto c = b.connect();
    const std::string id = b.ready(*c, 0, 1);
    b.hang_up(*c);
    c = b.connect();
    b.resume(*c, id, 41);
    const auto a = b.p->rest.answer(get("/api/v10/gateway/bot"), b.now);
    const json::value limit = json::parse(a.body).at("session_start_limit");

    EXPECT_EQ(limit.at("remaining").as_int64(), 999);
    EXPECT_EQ(limit.at("reset_after").as_int64(), 24 * 3600 * 1000);
}

TEST(Rest, RefusesWithoutTheToken) {
    bench b;
    for (const char* auth : {"", "simulated-token", "Bot other", "Bearer simulated-token"})
        EXPECT_EQ(b.p->rest.answer(get("/api/v10/gateway/bot", auth), b.now).status, 401U);

    EXPECT_EQ(b.p->rest.answer(get("/api/v10/gateway", ""), b.now).status, 200U);
    EXPECT_EQ(b.p->rest.answer(get("/api/v7/gateway/bot"), b.now).status, 400U);
    EXPECT_EQ(b.p->rest.answer(get("/api/v10/users/@me"), b.now).status, 404U);
}

TEST(Rest, UserAgentsCanBeRequired) {
    options o = small_options();
    o.gateway.check_user_agent = true;
    bench b(o);
    http_call c = get("/api/v10/gateway/bot");
    c.user_agent = "curl/8";
    const auto a = b.p->rest.answer(c, b.now);

    EXPECT_EQ(a.status, 403U);
    EXPECT_EQ(json::parse(a.body).at("code").as_int64(), 40333);
}

TEST(Rest, RateLimitsComeInEveryScope) {
    bench b;
    const auto limited = [&](const char* scope) {
        const auto f = read_rest_fault(json::parse(
            std::string(R"({"status":429,"retry_after":1.5,"scope":")") + scope + "\"}"));
        EXPECT_TRUE(f);
        b.p->rest.add(*f, b.now.at);
        return b.p->rest.answer(get("/api/v10/gateway/bot"), b.now);
    };
    const auto user = limited("user");
    EXPECT_EQ(user.status, 429U);
    EXPECT_EQ(header(user, "Retry-After"), "2");
    EXPECT_EQ(header(user, "X-RateLimit-Reset-After"), "1.500");
    EXPECT_EQ(header(user, "X-RateLimit-Reset"), "1760000001.500");
    EXPECT_EQ(header(user, "X-RateLimit-Limit"), "5");
    EXPECT_EQ(header(user, "X-RateLimit-Remaining"), "0");
    EXPECT_EQ(header(user, "X-RateLimit-Scope"), "user");
    EXPECT_EQ(header(user, "X-RateLimit-Global"), "");
    EXPECT_EQ(json::parse(user.body).at("retry_after").as_double(), 1.5);
    const auto global = limited("global");
    EXPECT_EQ(header(global, "X-RateLimit-Global"), "true");
    EXPECT_TRUE(json::parse(global.body).at("global").as_bool());
    EXPECT_EQ(header(global, "X-RateLimit-Scope"), "global");
    EXPECT_EQ(header(global, "X-RateLimit-Limit"), "");
    EXPECT_EQ(header(global, "X-RateLimit-Bucket"), "");
    const auto shared = limited("shared");
    EXPECT_EQ(header(shared, "X-RateLimit-Scope"), "shared");
    EXPECT_NE(header(shared, "X-RateLimit-Remaining"), "0");
    EXPECT_FALSE(json::parse(shared.body).at("global").as_bool());
    EXPECT_EQ(json::parse(shared.body).at("message").as_string(),
              "The resource is being rate limited.");
    const auto front = limited("cloudflare");
    EXPECT_EQ(front.content_type, "text/html");
    EXPECT_EQ(header(front, "X-RateLimit-Scope"), "");
    EXPECT_EQ(b.p->rest.answer(get("/api/v10/gateway/bot"), b.now).status, 200U);
}

TEST(Rest, OtherFaultsAreForTheirPathAndUsedUp) {
    bench b;
    const auto f = read_rest_fault(json::parse(R"({"status":503,"next":2,"path":"/gateway/bot"})"));
    b.p->rest.add(*f, b.now.at);
    EXPECT_EQ(b.p->rest.answer(get("/api/v10/gateway"), b.now).status, 200U);
    EXPECT_EQ(b.p->rest.answer(get("/api/v10/gateway/bot"), b.now).status, 503U);
    EXPECT_EQ(b.p->rest.answer(get("/api/v10/gateway/bot"), b.now).status, 503U);
    EXPECT_EQ(b.p->rest.answer(get("/api/v10/gateway/bot"), b.now).status, 200U);
    b.p->rest.add(*read_rest_fault(json::parse(R"({"status":0})")), b.now.at);
    EXPECT_TRUE(b.p->rest.answer(get("/api/v10/gateway/bot"), b.now).hang_up);
    b.p->rest.add(*read_rest_fault(json::parse(R"({"status":200,"delay_ms":700})")), b.now.at);
    const auto late = b.p->rest.answer(get("/api/v10/gateway/bot"), b.now);
    EXPECT_EQ(late.status, 200U);
    EXPECT_EQ(late.delay, duration(700ms));
    EXPECT_FALSE(read_rest_fault(json::parse(R"({"scope":"all"})")));
    EXPECT_FALSE(read_rest_fault(json::parse(R"({"status":-1})")));
    EXPECT_FALSE(read_rest_fault(json::parse("3")));
    EXPECT_FALSE(read_rest_fault(json::parse(R"({"status":429,"retry_after":1e300})")));
    EXPECT_FALSE(read_rest_fault(json::parse(R"({"status":429,"retry_after":-1})")));
}

struct interaction_bench : bench {
    std::unique_ptr<client> c = connect();
    std::string id;
    std::string token;

    void make(std::uint32_t type, bool from_component = false) {
        if (sessions_empty()) ready(*c, 0, 1);
        place where;
        where.in = &p->guilds.at(0);
        where.channel = 5;
        const std::uint64_t n = p->events.interact(type, from_component, where, now);
        id = std::to_string(n);
        const auto frames = take(*c);
        ASSERT_EQ(frames.size(), 1U);
        const json::value d = json::parse(frames.front()).at("d");
        token = std::string(d.at("token").as_string());
        EXPECT_EQ(d.at("type").as_int64(), type);
    }
    [[nodiscard]] bool sessions_empty() const { return p->sessions.size() == 0; }

    http_answer callback(const std::string& body, const std::string& query = "") {
        http_call call;
        call.method = "POST";
        call.content_type = "application/json";
        call.body = body;
        call.target = "/api/v10/interactions/" + id + "/" + token + "/callback" + query;
        return p->rest.answer(call, now);
    }
    std::int64_t code(const http_answer& a) { return json::parse(a.body).at("code").as_int64(); }
};

TEST(Interactions, AreAnsweredOnceInTime) {
    interaction_bench b;
    b.make(2);
    b.pass(2900ms);
    EXPECT_EQ(b.callback(R"({"type":5})").status, 204U) << "without Authorization";
    const auto again = b.callback(R"({"type":5})");

    EXPECT_EQ(again.status, 400U);
    EXPECT_EQ(b.code(again), 40060);
    EXPECT_EQ(b.p->callbacks.totals()[2].in_time, 1U);
    EXPECT_EQ(b.p->callbacks.totals()[2].twice, 1U);
}

TEST(Interactions, AnAnswerAfterThreeSecondsIsTooLate) {
    interaction_bench b;
    b.make(3);
    b.pass(3001ms);
    const auto a = b.callback(R"({"type":6})");

    EXPECT_EQ(a.status, 404U);
    EXPECT_EQ(b.code(a), 10062);
    EXPECT_EQ(b.p->callbacks.totals()[3].late, 1U);
}

TEST(Interactions, UnknownIdsAndTokensAre10062) {
    interaction_bench b;
    b.make(2);
    const std::string right = b.token;
    b.token = "other";
    EXPECT_EQ(b.code(b.callback(R"({"type":5})")), 10062);
    b.token = right;
    b.id = "1";
    EXPECT_EQ(b.code(b.callback(R"({"type":5})")), 10062);
    EXPECT_EQ(b.p->callbacks.unknown(), 2U);
}

TEST(Interactions, WithResponseGivesABody) {
    interaction_bench b;
    b.make(2);
    const auto a = b.callback(R"({"type":5})", "?with_response=true");

    EXPECT_EQ(a.status, 200U);
    EXPECT_EQ(json::parse(a.body).at("interaction").at("id").as_string(), b.id);
}

TEST(Interactions, BadBodiesAre50035AndSpendNothing) {
    interaction_bench b;
    b.make(4);
    std::string many = R"({"type":8,"data":{"choices":[0)";
    for (int i = 0; i < 25; ++i)
        many += ",0";
    for (const std::string& bad :
         {std::string("x"), std::string("[]"), std::string(R"({"type":"8"})"),
          std::string(R"({"type":99})"), std::string(R"({"type":5})"), std::string(R"({"type":8})"),
          many + "]}}"}) {
        const auto a = b.callback(bad);
        EXPECT_EQ(a.status, 400U) << bad;
        EXPECT_EQ(b.code(a), 50035) << bad;
    }
    EXPECT_EQ(b.callback(R"({"type":8,"data":{"choices":[]}})").status, 204U);
    EXPECT_EQ(b.p->callbacks.totals()[4].illegal, 3U);
    EXPECT_EQ(b.p->callbacks.totals()[4].malformed, 4U);
}

TEST(Interactions, TheTableOfTypes) {
    const auto allowed = [](std::uint32_t interaction, bool from_component) {
        std::string out;
        for (std::uint32_t callback = 0; callback < 16; ++callback)
            if (may_answer(callback, interaction, from_component))
                out += std::to_string(callback) + " ";
        return out;
    };

    EXPECT_EQ(allowed(2, false), "4 5 9 10 12 ");
    EXPECT_EQ(allowed(3, false), "4 5 6 7 9 10 12 ");
    EXPECT_EQ(allowed(4, false), "8 ");
    EXPECT_EQ(allowed(5, false), "4 5 10 12 ");
    EXPECT_EQ(allowed(5, true), "4 5 6 7 10 12 ");
    EXPECT_EQ(allowed(6, false), "13 ");
}

TEST(Interactions, TheReportTellsWhatNobodyAnswered) {
    interaction_bench b;
    b.make(2);
    b.make(5, true);
    b.pass(4s);
    b.make(5, false);
    const json::object kinds = b.p->callbacks.report(b.now.at).at("kinds").as_object();

    EXPECT_EQ(kinds.at("command").at("unanswered").to_number<int>(), 1);
    EXPECT_EQ(kinds.at("modal").at("unanswered").to_number<int>(), 1);
    EXPECT_EQ(kinds.at("modal").at("open").to_number<int>(), 1);
    EXPECT_EQ(b.p->callbacks.list(b.now.at, 2).size(), 2U);
}

TEST(Interactions, CallbacksNeedJsonAndARightPath) {
    interaction_bench b;
    b.make(2);
    http_call call;
    call.method = "POST";
    call.body = R"({"type":5})";
    call.target = "/api/v10/interactions/" + b.id + "/" + b.token + "/callback";
    EXPECT_EQ(b.p->rest.answer(call, b.now).status, 400U);
    call.content_type = "application/json";
    call.target = "/api/v10/interactions/" + b.id + "/callback";
    EXPECT_EQ(b.p->rest.answer(call, b.now).status, 404U);
    call.target = "/api/v10/interactions/" + b.id;
    EXPECT_EQ(b.p->rest.answer(call, b.now).status, 404U);
}

}  // namespace
}  // namespace shardgate::sim
