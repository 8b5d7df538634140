// SPDX-License-Identifier: Apache-2.0
// What connections may say and what they get (Discord fact sheet S10 to S24).
#include "sim/gateway.hpp"

#include <gtest/gtest.h>

#include <set>

#include "unit/sim/sim_fixture.hpp"

namespace shardgate::sim {
namespace {

using namespace testing;

std::string name_of_frame(const std::string& frame) {
    return std::string(json::parse(frame).at("t").as_string());
}

TEST(Gateway, SaysHelloFirst) {
    bench b;
    const auto c = b.connect();

    ASSERT_EQ(c->io.sent.size(), 1U);
    EXPECT_EQ(c->io.last_op(), 10);
    EXPECT_EQ(c->io.last().at("d").at("heartbeat_interval").as_int64(), 41250);
}

TEST(Gateway, HelloTellsTheScaledInterval) {
    options o = small_options();
    o.scale = 100;
    bench b(o);
    const auto c = b.connect();

    EXPECT_EQ(c->io.last().at("d").at("heartbeat_interval").as_int64(), 412);
}

TEST(Gateway, IdentifyGivesReadyAndThenEachGuildOfTheShardOnce) {
    bench b;
    const auto c = b.connect();
    b.identify(*c, 1, 4);
    const auto first = b.take(*c);
    ASSERT_EQ(first.size(), 1U);
    const json::value ready = json::parse(first.front());
    std::set<std::string> stubs;
    for (const json::value& stub : ready.at("d").at("guilds").as_array())
        stubs.emplace(stub.at("id").as_string());
    std::vector<std::string> created;
    for (int i = 0; i < 5; ++i) {
        b.p->gate.tick(b.now.at);
        for (const std::string& frame : b.take(*c))
            created.push_back(std::string(json::parse(frame).at("d").at("id").as_string()));
    }

    EXPECT_EQ(ready.at("t").as_string(), "READY");
    EXPECT_EQ(ready.at("s").as_int64(), 1);
    EXPECT_EQ(ready.at("d").at("shard").as_array()[1].as_int64(), 4);
    EXPECT_EQ(ready.at("d").at("resume_gateway_url").as_string(), "wss://resume.test:1");
    EXPECT_FALSE(stubs.empty());
    for (const std::string& id : stubs)
        EXPECT_EQ((std::stoull(id) >> 22) % 4, 1U);
    EXPECT_EQ(created.size(), stubs.size());
    EXPECT_EQ(std::set<std::string>(created.begin(), created.end()), stubs);
}

TEST(Gateway, WithoutTheGuildsIntentNoGuildIsCreated) {
    bench b;
    const auto c = b.connect();
    b.identify(*c, 0, 1, 0);
    b.p->gate.tick(b.now.at);
    const auto frames = b.take(*c);

    ASSERT_EQ(frames.size(), 1U);
    EXPECT_EQ(json::parse(frames[0]).at("d").at("guilds").as_array().size(), 40U);
}

TEST(Gateway, GuildRateLimitsTheStream) {
    options o = small_options();
    o.gateway.guild_rate = 10;
    bench b(o);
    const auto c = b.connect();
    b.identify(*c, 0, 1);
    b.take(*c);
    b.run(1s);

    EXPECT_NEAR(static_cast<double>(b.take(*c).size()), 10, 1);
}

TEST(Gateway, UnavailableGuildsComeAsDeleteOrStub) {
    options o = small_options();
    o.world.unavailable = 1;
    bench b(o);
    const auto c = b.connect();
    b.identify(*c, 0, 1);
    b.take(*c);
    b.p->gate.tick(b.now.at);
    std::set<std::string> names;
    const auto frames = b.take(*c);
    for (const std::string& frame : frames) {
        names.insert(name_of_frame(frame));
        const json::object d = json::parse(frame).at("d").as_object();
        EXPECT_TRUE(d.at("unavailable").as_bool());
        EXPECT_EQ(d.size(), 3U);  // id, unavailable, _n
    }

    EXPECT_EQ(frames.size(), 40U);
    EXPECT_EQ(names, (std::set<std::string>{"GUILD_CREATE", "GUILD_DELETE"}));
}

struct refusal {
    const char* text;
    int code;
};

class GatewayRefusal : public ::testing::TestWithParam<refusal> {};

TEST_P(GatewayRefusal, ClosesWithItsCode) {
    bench b;
    const auto c = b.connect();
    b.say(*c, GetParam().text);

    EXPECT_EQ(c->io.closed, GetParam().code) << GetParam().text;
}

#define IDENTIFY(rest) R"({"op":2,"d":{"token":"simulated-token","properties":{},)" rest "}}"
INSTANTIATE_TEST_SUITE_P(
    Table, GatewayRefusal,
    ::testing::Values(refusal{"not json", 4002}, refusal{"[]", 4002}, refusal{R"({"d":1})", 4002},
                      refusal{R"({"op":"2"})", 4002}, refusal{R"({"op":77,"d":null})", 4001},
                      refusal{R"({"op":3,"d":{}})", 4003}, refusal{R"({"op":8,"d":{}})", 4003},
                      refusal{R"({"op":1,"d":"x"})", 4002}, refusal{R"({"op":2,"d":{}})", 4002},
                      refusal{R"({"op":2})", 4002}, refusal{R"({"op":6,"d":{}})", 4002},
                      refusal{R"({"op":2,"d":{"token":"other","properties":{},"intents":0}})",
                              4004},
                      refusal{R"({"op":6,"d":{"token":"other","session_id":"x","seq":1}})", 4004},
                      refusal{IDENTIFY(R"("intents":0,"shard":[4,4])"), 4010},
                      refusal{IDENTIFY(R"("intents":0,"shard":[0])"), 4010},
                      refusal{IDENTIFY(R"("intents":0,"shard":[-1,2])"), 4010},
                      refusal{IDENTIFY(R"("intents":131072,"shard":[0,1])"), 4013},
                      refusal{IDENTIFY(R"("intents":"1","shard":[0,1])"), 4002},
                      refusal{IDENTIFY(R"("shard":[0,1])"), 4002}));

TEST(Gateway, RefusesAPayloadAbove4096Bytes) {
    bench b;
    const auto c = b.connect();
    b.say(*c, R"({"op":1,"d":null,"x":")" + std::string(4096, 'a') + "\"}");

    EXPECT_EQ(c->io.closed, 4002);
}

TEST(Gateway, RefusesPrivilegedIntentsThatWereNotGranted) {
    options o = small_options();
    o.gateway.granted_intents = all_intents & ~(1ULL << 15);
    bench b(o);
    const auto c = b.connect();
    b.identify(*c, 0, 1, 1U << 15);

    EXPECT_EQ(c->io.closed, 4014);
}

TEST(Gateway, RefusesAShardWithTooManyGuilds) {
    options o = small_options();
    o.gateway.guilds_per_shard = 39;
    bench b(o);
    const auto c = b.connect();
    b.identify(*c, 0, 1);

    EXPECT_EQ(c->io.closed, 4011);
}

TEST(Gateway, ASecondIdentifyIs4005) {
    bench b;
    const auto c = b.connect();
    b.ready(*c, 0, 1);
    b.pass(6s);
    b.identify(*c, 0, 1);

    EXPECT_EQ(c->io.closed, 4005);
}

TEST(Gateway, UnknownVersionIs4012) {
    bench b;
    const auto c = b.connect("/?v=8&encoding=json");

    EXPECT_EQ(c->io.closed, 4012);
}

TEST(Gateway, AdmitsOnlyWhatItSpeaks) {
    bench b;
    upgrade_request r;
    r.valid = true;
    const auto status = [&](const char* target) {
        r.target = target;
        return b.p->gate.admit(r);
    };

    EXPECT_EQ(status("/?v=10&encoding=json&compress=zstd-stream"), 101U);
    EXPECT_EQ(status("/?v=10&encoding=etf"), 400U);
    EXPECT_EQ(status("/?v=10&compress=lz4"), 400U);
    r.valid = false;
    EXPECT_EQ(status("/?v=10"), 400U);
}

TEST(Gateway, AnIdentifyTooEarlyForItsKeyGetsInvalidSessionOnAnOpenSocket) {
    bench b;
    const auto first = b.connect();
    b.ready(*first, 0, 2);
    b.pass(4s);
    const auto second = b.connect();
    b.identify(*second, 1, 2);

    EXPECT_EQ(second->io.last_op(), 9);
    EXPECT_FALSE(second->io.last().at("d").as_bool());
    EXPECT_EQ(second->io.closed, -1);
    EXPECT_EQ(b.p->rules.pacing_violations(), 1U);

    b.pass(1s);
    b.identify(*second, 1, 2);
    EXPECT_EQ(b.take(*second).size(), 1U);
}

TEST(Gateway, TheInvalidSessionCanComeLate) {
    options o = small_options();
    o.gateway.late_invalid_session = 3s;
    bench b(o);
    const auto first = b.connect();
    b.ready(*first, 0, 2);
    const auto second = b.connect();
    b.identify(*second, 1, 2);
    b.run(2900ms);
    EXPECT_EQ(second->io.last_op(), 10);
    b.run(200ms);

    EXPECT_EQ(second->io.last_op(), 9);
}

TEST(Gateway, AnIdentifyWithoutBudgetResetsTheToken) {
    options o = small_options();
    o.gateway.starts_total = 1;
    bench b(o);
    const auto first = b.connect();
    b.ready(*first, 0, 1);
    b.pass(6s);
    const auto second = b.connect();
    b.identify(*second, 0, 1);

    EXPECT_EQ(first->io.closed, 4004);
    EXPECT_EQ(second->io.closed, 4004);
    EXPECT_EQ(b.p->sessions.size(), 0U);
    const auto third = b.connect();
    b.identify(*third, 0, 1);
    EXPECT_EQ(third->io.closed, 4004);
}

TEST(Gateway, The121stPayloadIn60SecondsIs4008) {
    bench b;
    const auto c = b.connect();
    b.ready(*c, 0, 1);
    for (int i = 0; i < 119; ++i) {
        b.pass(100ms);
        b.heartbeat(*c, 1);
    }
    EXPECT_EQ(c->io.closed, -1);
    b.heartbeat(*c, 1);

    EXPECT_EQ(c->io.closed, 4008);
    EXPECT_EQ(b.p->gate.stats().rate_limited, 1U);
}

TEST(Gateway, TheSendLimitSlides) {
    bench b;
    const auto c = b.connect();
    b.ready(*c, 0, 1);
    for (int i = 0; i < 300; ++i) {
        b.pass(510ms);  // 118 in any 60 s
        b.heartbeat(*c, 1);
    }

    EXPECT_EQ(c->io.closed, -1);
}

TEST(Gateway, AcknowledgesEachHeartbeatAndRemembersItsSeq) {
    bench b;
    const auto c = b.connect();
    b.ready(*c, 0, 1);
    const std::size_t before = c->io.sent.size();
    b.heartbeat(*c, 5);
    b.say(*c, R"({"op":1,"d":null})");

    EXPECT_EQ(c->io.sent.size(), before + 2);
    EXPECT_EQ(c->io.last_op(), 11);
    EXPECT_EQ(b.p->sessions.all().front()->acked, 5U);
    EXPECT_EQ(b.p->gate.stats().beats_above_sent, 0U);
}

TEST(Gateway, AHeartbeatAboveWhatWasSentIsCounted) {
    bench b;
    const auto c = b.connect();
    b.ready(*c, 0, 1);
    b.heartbeat(*c, 1000000);

    EXPECT_EQ(b.p->gate.stats().beats_above_sent, 1U);
    EXPECT_EQ(b.p->sessions.all().front()->acked, 0U);
}

TEST(Gateway, OneAndAHalfIntervalsWithoutHeartbeatCloseButKeepTheSession) {
    bench b;
    const auto c = b.connect();
    const std::string id = b.ready(*c, 0, 1);
    b.run(61s, 100ms);
    EXPECT_EQ(c->io.closed, -1);
    b.run(1s, 100ms);

    EXPECT_EQ(c->io.closed, 4000);
    EXPECT_NE(b.p->sessions.find(id), nullptr);
}

TEST(Gateway, MissedHeartbeatsCanDropTheConnection) {
    options o = small_options();
    o.gateway.missed_heartbeat_code = 0;
    bench b(o);
    const auto c = b.connect();
    b.ready(*c, 0, 1);
    b.run(63s, 100ms);

    EXPECT_EQ(c->io.closed, -1);
    EXPECT_EQ(c->io.dropped, 1);
}

TEST(Gateway, NoIdentifyInTimeIs4003) {
    bench b;
    const auto c = b.connect();
    for (int i = 0; i < 70; ++i) {
        b.run(1s, 500ms);
        if (i % 20 == 0) b.say(*c, R"({"op":1,"d":null})");
    }

    EXPECT_EQ(c->io.closed, 4003);
}

}  // namespace
}  // namespace shardgate::sim
