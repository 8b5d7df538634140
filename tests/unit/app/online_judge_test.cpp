// SPDX-License-Identifier: Apache-2.0
#include "app/online_judge.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace shardgate {
namespace {

using grade = finding::grade;
using kind = bot_gateway_answer::kind;

bot_gateway_answer good_gateway(std::uint32_t shards, std::uint32_t remaining) {
    bot_gateway_answer a;
    a.what = kind::ok;
    a.gateway.shards = shards;
    a.gateway.limit.remaining = remaining;
    a.gateway.limit.reset_after = std::chrono::hours(3);
    a.gateway.limit.max_concurrency = 16;
    return a;
}

finding named(const std::vector<finding>& all, const std::string& name) {
    const auto it =
        std::find_if(all.begin(), all.end(), [&](const finding& f) { return f.name == name; });
    EXPECT_NE(it, all.end()) << name;
    return it == all.end() ? finding{} : *it;
}

TEST(OnlineJudge, ARefusedTokenIsAllThereIsToSay) {
    bot_gateway_answer a;
    a.what = kind::unauthorized;
    const auto all = judge_gateway(a, {});
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(all[0].how, grade::bad);
    EXPECT_NE(all[0].detail.find("401"), std::string::npos);
    a.what = kind::failed;
    a.detail = "no route\xff";
    EXPECT_EQ(judge_gateway(a, {})[0].how, grade::bad);
    EXPECT_FALSE(none_bad(judge_gateway(a, {})));
}

TEST(OnlineJudge, TheBudgetMustCoverTheShardsOfThisDaemon) {
    config::settings s;
    EXPECT_EQ(named(judge_gateway(good_gateway(160, 1000), s), "budget").how, grade::good);
    EXPECT_EQ(named(judge_gateway(good_gateway(160, 170), s), "budget").how, grade::doubtful);
    const finding none = named(judge_gateway(good_gateway(160, 100), s), "budget");
    EXPECT_EQ(none.how, grade::bad);
    EXPECT_EQ(
        none.detail,
        "100 of 1000 session starts are left, 160 are needed; Discord refills them in 180 min");
    s.sharding.first = 100;
    EXPECT_EQ(named(judge_gateway(good_gateway(160, 100), s), "budget").how, grade::good);
}

TEST(OnlineJudge, TheStartTakesAnIntervalForEachRoundOfKeys) {
    config::settings s;
    const auto all = judge_gateway(good_gateway(160, 1000), s);
    EXPECT_NE(named(all, "start").detail.find("about 53 s"), std::string::npos);
    s.sharding.max_concurrency = 1;
    EXPECT_NE(named(judge_gateway(good_gateway(160, 1000), s), "start").detail.find("about 14 min"),
              std::string::npos);
}

TEST(OnlineJudge, FewerShardsThanRecommendedIsADoubtAndARangeBeyondThemBad) {
    config::settings s;
    s.sharding.total = 8;
    EXPECT_EQ(named(judge_gateway(good_gateway(16, 1000), s), "shards").how, grade::doubtful);
    s.sharding.total = std::nullopt;
    s.sharding.first = 16;
    EXPECT_EQ(named(judge_gateway(good_gateway(16, 1000), s), "shards").how, grade::bad);
}

http_outcome application(std::string body, unsigned status = 200) {
    http_outcome o;
    o.ok = true;
    o.response.status = status;
    o.response.body = std::move(body);
    return o;
}

TEST(OnlineJudge, PrivilegedIntentsNeedTheirFlag) {
    const std::uint64_t content = 1ULL << 15, members = 1ULL << 1;
    EXPECT_EQ(judge_intents(application("{}", 404), 1).how, grade::good);  // nothing to ask
    EXPECT_EQ(judge_intents(application(R"({"flags":524288})"), content).how, grade::good);
    EXPECT_EQ(judge_intents(application(R"({"flags":262144})"), content).how, grade::good);
    const finding none = judge_intents(application(R"({"flags":524288})"), content | members);
    EXPECT_EQ(none.how, grade::bad);
    EXPECT_EQ(none.detail.substr(0, 14), "GUILD_MEMBERS:");
    for (const char* odd : {"", "[]", "{\"flags\":\"x\"}", "{\"flags\":-1.5}"})
        EXPECT_EQ(judge_intents(application(odd), content).how, grade::bad) << odd;
    EXPECT_EQ(judge_intents(application("{}", 404), content).how, grade::doubtful);
    EXPECT_EQ(judge_intents({}, content).how, grade::doubtful);
}

TEST(OnlineJudge, AHandlersAnswerSaysWhetherEventsGetThrough) {
    const auto answered = [](unsigned status) {
        delivery_outcome o;
        o.status = status;
        return judge_handler("http://bot/", o).how;
    };
    EXPECT_EQ(answered(204), grade::good);
    EXPECT_EQ(answered(401), grade::bad);
    EXPECT_EQ(answered(422), grade::doubtful);
    EXPECT_EQ(answered(404), grade::bad);
    delivery_outcome away;
    away.detail = "connection refused";
    EXPECT_EQ(judge_handler("u", away).detail, "u cannot be reached: connection refused");
}

TEST(OnlineJudge, DescriptorsCoverShardsAndConnections) {
    config::settings s;
    EXPECT_EQ(judge_descriptors(65536, 1024, s).how, grade::good);
    EXPECT_EQ(judge_descriptors(1024, 1024, s).how, grade::bad);
}

TEST(OnlineJudge, SaysItToPeopleAndToScripts) {
    const std::vector<finding> all{{"token", grade::good, "fine"}, {"x", grade::doubtful, "\"q\""}};
    EXPECT_EQ(findings_text(all), "  ok    token: fine\n  warn  x: \"q\"\n");
    EXPECT_EQ(findings_json(all),
              R"({"ok":true,"checks":[{"name":"token","state":"ok","detail":"fine"},)"
              R"({"name":"x","state":"warn","detail":"\"q\""}]})"
              "\n");
}

}  // namespace
}  // namespace shardgate
