// SPDX-License-Identifier: Apache-2.0
// Who makes too many invalid requests is shut out (S6).
#include "sim/front.hpp"

#include <gtest/gtest.h>

#include "unit/sim/sim_fixture.hpp"

namespace shardgate::sim {
namespace {

using namespace testing;

struct Front : ::testing::Test {
    options o = small_options();
    time_point now{time_point(1h)};

    static http_answer of(unsigned status, std::string_view scope = {}) {
        http_answer a(status);
        if (!scope.empty()) a.headers.emplace_back("X-RateLimit-Scope", scope);
        return a;
    }
    static std::string header(const http_answer& a, std::string_view name) {
        for (const auto& [key, value] : a.headers)
            if (key == name) return value;
        return {};
    }
};

TEST_F(Front, TenThousandInTenMinutesAreTooMany) {
    front f(o);
    for (int i = 0; i < 9999; ++i)
        f.answered("1.2.3.4", of(i % 3 == 0 ? 401 : i % 3 == 1 ? 403 : 429), now);
    EXPECT_FALSE(f.refuse("1.2.3.4", now));
    f.answered("1.2.3.4", of(401), now);
    const auto page = f.refuse("1.2.3.4", now + 1ms);

    ASSERT_TRUE(page);
    EXPECT_EQ(page->status, 429U);
    EXPECT_EQ(page->content_type, "text/html");
    EXPECT_EQ(header(*page, "Retry-After"), "86400") << "rounded up";
    EXPECT_EQ(header(*page, "X-RateLimit-Scope"), "");
    EXPECT_NE(page->body.find("1015"), std::string::npos);
    EXPECT_FALSE(f.refuse("1.2.3.5", now)) << "another one's are another one's";
}

TEST_F(Front, WhatIsNotTheCallersFaultIsNotCounted) {
    o.gateway.invalid_limit = 2;
    front f(o);
    for (const unsigned status : {200U, 204U, 400U, 404U, 405U, 500U, 503U})
        for (int i = 0; i < 5; ++i)
            f.answered("a", of(status), now);
    for (int i = 0; i < 5; ++i)
        f.answered("a", of(429, "shared"), now);
    EXPECT_FALSE(f.refuse("a", now));
    f.answered("a", of(429, "user"), now);
    f.answered("a", of(429, "global"), now);
    EXPECT_TRUE(f.refuse("a", now));
}

TEST_F(Front, TheWindowSlides) {
    o.gateway.invalid_limit = 4;
    front f(o);
    for (int i = 0; i < 20; ++i, now += 3min + 30s) {
        f.answered("a", of(401), now);
        EXPECT_FALSE(f.refuse("a", now)) << "never four within ten minutes";
    }
    for (int i = 0; i < 3; ++i)
        f.answered("a", of(401), now += 2min);
    EXPECT_TRUE(f.refuse("a", now));
}

TEST_F(Front, ABlockEndsAndStartsFromNothing) {
    o.gateway.invalid_limit = 3;
    o.gateway.invalid_block = 5min;
    o.scale = 60;  // window 10 s, block 5 s
    front f(o);
    for (int i = 0; i < 3; ++i)
        f.answered("a", of(403), now);
    EXPECT_TRUE(f.refuse("a", now + 4999ms));
    EXPECT_FALSE(f.refuse("a", now + 5s));
    for (int i = 0; i < 2; ++i)
        f.answered("a", of(403), now + 5s);
    EXPECT_FALSE(f.refuse("a", now + 5s)) << "within the window of the first three";
    f.answered("a", of(403), now + 5s);
    EXPECT_TRUE(f.refuse("a", now + 5s));
    const json::object report = f.report(now + 6s);
    EXPECT_EQ(report.at("blocks").to_number<int>(), 2);
    EXPECT_EQ(report.at("refused").to_number<int>(), 2);
    EXPECT_EQ(report.at("sources").at("a").at("invalid").to_number<int>(), 6);
    EXPECT_TRUE(report.at("sources").at("a").at("blocked").as_bool());
    EXPECT_EQ(report.at("sources").at("a").at("left_ms").to_number<double>(), 4000);
}

TEST_F(Front, AChangedWindowCountsAnew) {
    o.gateway.invalid_limit = 3;
    front f(o);
    f.answered("a", of(401), now);
    f.answered("a", of(401), now);
    o.gateway.invalid_window = std::chrono::hours(100);
    f.answered("a", of(401), now);
    EXPECT_FALSE(f.refuse("a", now));
    o.gateway.invalid_window = std::chrono::milliseconds(0);
    f.answered("a", of(401), now);
    EXPECT_FALSE(f.refuse("a", now));
}

TEST_F(Front, ItIsOffWithoutALimit) {
    o.gateway.invalid_limit = 0;
    front f(o);
    for (int i = 0; i < 20000; ++i)
        f.answered("a", of(401), now);
    EXPECT_FALSE(f.refuse("a", now));
    EXPECT_TRUE(f.report(now).at("sources").as_object().empty());
}

TEST_F(Front, OnlySoManySourcesAreRemembered) {
    front f(o);
    for (std::size_t i = 0; i < front::sources_max + 10; ++i)
        f.answered("source " + std::to_string(i), of(401), now += 1ms);
    const json::object report = f.report(now);
    EXPECT_EQ(report.at("sources").as_object().size(), front::sources_max);
    EXPECT_EQ(report.at("sources_forgotten").to_number<int>(), 10);
    EXPECT_FALSE(report.at("sources").as_object().contains("source 9"));
    f.clear();
    EXPECT_TRUE(f.report(now).at("sources").as_object().empty());
}

TEST(FrontOfRest, RepeatedCallsWithAWrongTokenShutTheirSourceOut) {
    options o = small_options();
    o.gateway.invalid_limit = 5;
    bench b(o);
    http_call c;
    c.method = "GET";
    c.target = "/api/v10/gateway/bot";
    c.authorization = "Bot wrong";
    c.source = "10.0.0.1";
    for (int i = 0; i < 5; ++i)
        EXPECT_EQ(b.p->rest.answer(c, b.now).status, 401U);
    c.authorization = "Bot simulated-token";
    const http_answer a = b.p->rest.answer(c, b.now);
    EXPECT_EQ(a.status, 429U);
    EXPECT_EQ(a.content_type, "text/html");
    c.source = "10.0.0.2";
    EXPECT_EQ(b.p->rest.answer(c, b.now).status, 200U);
    const json::object report = b.p->rest.report(b.now.at).at("invalid").as_object();
    EXPECT_EQ(report.at("blocks").to_number<int>(), 1);
    EXPECT_EQ(report.at("sources").at("10.0.0.1").at("refused").to_number<int>(), 1);
    b.p->rest.clear();
    c.source = "10.0.0.1";
    EXPECT_EQ(b.p->rest.answer(c, b.now).status, 200U);
}

TEST(FrontOfRest, OrderedLimitsCountButForTheSharedOne) {
    options o = small_options();
    o.gateway.invalid_limit = 3;
    bench b(o);
    http_call c;
    c.method = "GET";
    c.target = "/api/v10/gateway";
    const auto limited = [&](const char* scope) {
        b.p->rest.add(*read_rest_fault(json::parse(std::string(R"({"status":429,"next":10,)") +
                                                   R"("scope":")" + scope + "\"}")),
                      b.now.at);
        for (int i = 0; i < 10; ++i)
            EXPECT_EQ(b.p->rest.answer(c, b.now).status, 429U);
        b.p->rest.clear_faults();
        return b.p->rest.answer(c, b.now).status == 429U;
    };
    EXPECT_FALSE(limited("shared"));
    for (const char* scope : {"user", "global", "cloudflare"}) {
        EXPECT_TRUE(limited(scope)) << scope;
        b.p->rest.clear();
    }
}

}  // namespace
}  // namespace shardgate::sim
