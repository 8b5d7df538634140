// SPDX-License-Identifier: Apache-2.0
// Faults: read, armed, taken, and what they do to a connection (S22, S32).
#include "sim/faults.hpp"

#include <gtest/gtest.h>

#include "unit/sim/sim_fixture.hpp"

namespace shardgate::sim {
namespace {

using namespace testing;

const options settings;

result<fault> read(std::string_view text) {
    return read_fault(json::parse(text), settings, time_point{});
}

TEST(Faults, ReadsKindPhaseAndWhom) {
    const auto f = read(R"({"kind":"close","code":4009,"shards":[0,3],"shard_count":16})");

    ASSERT_TRUE(f);
    EXPECT_EQ(f->kind, fault_kind::close);
    EXPECT_EQ(f->phase, fault_phase::live);
    EXPECT_EQ(f->code, 4009);
    EXPECT_EQ(f->shards, (std::set<std::uint32_t>{0, 3}));
    EXPECT_FALSE(f->armed());
}

TEST(Faults, EarlyKindsHaveTheirOwnPhase) {
    EXPECT_EQ(read(R"({"kind":"tls_stall"})")->phase, fault_phase::connect);
    EXPECT_EQ(read(R"({"kind":"upgrade","status":429})")->phase, fault_phase::connect);
    EXPECT_EQ(read(R"({"kind":"delay_hello"})")->phase, fault_phase::hello);
    EXPECT_EQ(read(R"({"kind":"reset","phase":"replay"})")->next, 1U);
}

TEST(Faults, SaysWhatIsWrong) {
    for (const char* bad :
         {"[]", "{}", R"({"kind":"nonsense"})", R"({"kind":"close","phase":"later"})",
          R"({"kind":"close","code":-1})", R"({"kind":"close","code":"x"})",
          R"({"kind":"close","shards":[-1]})", R"({"kind":"close","shards":7})",
          R"({"kind":"tls_stall","phase":"live"})", R"({"kind":"no_ack","phase":"hello"})",
          R"({"kind":"huge","bytes":999999999999})", R"({"kind":"close","share":"all"})"})
        EXPECT_FALSE(read(bad)) << bad;
}

TEST(Faults, AnArmedFaultIsUsedUp) {
    fault_plan plan;
    fault f;
    f.phase = fault_phase::ready;
    f.next = 2;
    plan.arm(f);

    EXPECT_FALSE(plan.take(fault_phase::live, 0, 1, {}));
    EXPECT_TRUE(plan.take(fault_phase::ready, 0, 1, {}));
    EXPECT_TRUE(plan.take(fault_phase::ready, 0, 1, {}));
    EXPECT_FALSE(plan.take(fault_phase::ready, 0, 1, {}));
    EXPECT_EQ(plan.taken(), 2U);
}

TEST(Faults, AnArmedFaultCanEndByTime) {
    fault_plan plan;
    fault f;
    f.until = time_point{} + 10s;
    plan.arm(f);

    EXPECT_TRUE(plan.take(fault_phase::live, 0, 1, time_point{} + 9s));
    EXPECT_TRUE(plan.take(fault_phase::live, 0, 1, time_point{} + 9s));
    EXPECT_FALSE(plan.take(fault_phase::live, 0, 1, time_point{} + 10s));
}

TEST(Faults, AFaultForShardsMeetsNobodyWithoutOne) {
    fault_plan plan;
    fault f;
    f.phase = fault_phase::hello;
    f.shards = {3};
    f.next = 1;
    plan.arm(f);

    EXPECT_FALSE(plan.take(fault_phase::hello, std::nullopt, 0, {}));
    EXPECT_FALSE(plan.take(fault_phase::hello, 2, 16, {}));
    EXPECT_TRUE(plan.take(fault_phase::hello, 3, 16, {}));
}

struct live : bench {
    std::unique_ptr<client> c = connect();
    std::string id = ready(*c, 0, 1);

    std::size_t order(std::string_view text) {
        const auto f = read_fault(json::parse(text), p->settings, now.at);
        EXPECT_TRUE(f);
        return p->gate.inject(*f, now.at);
    }
};

TEST(FaultsLive, CloseCodesReachTheClientAndKeepTheSession) {
    for (const int code : {0, 1000, 4000, 4004, 4007, 4009, 4010, 4014}) {
        live b;
        EXPECT_EQ(b.order(R"({"kind":"close","code":)" + std::to_string(code) + "}"), 1U);
        EXPECT_EQ(b.c->io.closed, code);
        EXPECT_NE(b.p->sessions.find(b.id), nullptr);
    }
}

TEST(FaultsLive, ReconnectIsFollowedByTheServersOwnClose) {
    live b;
    b.order(R"({"kind":"reconnect"})");
    EXPECT_EQ(b.c->io.last_op(), 7);
    b.run(4900ms);
    EXPECT_EQ(b.c->io.closed, -1);
    b.run(200ms);

    EXPECT_EQ(b.c->io.closed, 4000);
}

TEST(FaultsLive, InvalidSessionFalseEndsTheSessionAndLeavesTheSocket) {
    live b;
    b.order(R"({"kind":"invalid_session"})");

    EXPECT_EQ(b.c->io.last_op(), 9);
    EXPECT_FALSE(b.c->io.last().at("d").as_bool());
    EXPECT_EQ(b.p->sessions.size(), 0U);
    EXPECT_EQ(b.c->io.closed, -1);
    EXPECT_EQ(b.p->book.totals().lost, 0U) << "all of it was on the wire";
    b.say(*b.c, R"({"op":3,"d":{}})");
    EXPECT_EQ(b.c->io.closed, 4003);
}

TEST(FaultsLive, InvalidSessionTrueCanBeResumedOnTheSameSocket) {
    live b;
    b.order(R"({"kind":"invalid_session","resumable":true})");
    EXPECT_TRUE(b.c->io.last().at("d").as_bool());
    b.p->events.happen(event_kind::typing, 0, b.now);
    b.resume(*b.c, b.id, 41);

    EXPECT_EQ(b.take(*b.c).size(), 2U);
}

TEST(FaultsLive, NoAckKeepsDispatchesComing) {
    live b;
    b.order(R"({"kind":"no_ack"})");
    const std::size_t before = b.c->io.sent.size();
    b.heartbeat(*b.c, 41);
    b.p->events.happen(event_kind::typing, 0, b.now);

    EXPECT_EQ(b.c->io.sent.size(), before);
    EXPECT_EQ(b.take(*b.c).size(), 1U);
}

TEST(FaultsLive, AskedHeartbeatsAreTimed) {
    live b;
    b.order(R"({"kind":"ask_heartbeat"})");
    EXPECT_EQ(b.c->io.last_op(), 1);
    b.pass(20ms);
    b.heartbeat(*b.c, 41);

    EXPECT_EQ(b.p->gate.stats().asked_beats_answered, 1U);
    EXPECT_NEAR(b.p->gate.stats().slowest_asked_beat_ms, 20, 0.1);
}

TEST(FaultsLive, BytesFaultsReachThePeer) {
    live b;
    b.order(R"({"kind":"silence"})");
    EXPECT_TRUE(b.c->io.silent);
    live d;
    d.order(R"({"kind":"drip"})");
    EXPECT_TRUE(d.c->io.dripping);
    live e;
    e.order(R"({"kind":"corrupt"})");
    EXPECT_TRUE(e.c->io.corrupted);
    live f;
    f.order(R"({"kind":"reset"})");
    EXPECT_EQ(f.c->io.dropped, 2);
    EXPECT_NE(f.p->sessions.find(f.id), nullptr);
}

TEST(FaultsLive, GarbageIsNotJsonAndHugeIsHuge) {
    live b;
    b.order(R"({"kind":"garbage"})");
    json::error_code ec;
    (void)json::parse(b.c->io.sent.back(), ec);
    EXPECT_TRUE(ec);
    b.order(R"({"kind":"huge","bytes":5000000})");
    EXPECT_GT(b.c->io.sent.back().size(), 5000000U);
    b.order(R"({"kind":"unknown_op"})");
    EXPECT_EQ(b.c->io.last_op(), 99);
}

TEST(FaultsLive, ASilentConnectionFreesItsSessionInTheEnd) {
    live b;
    b.order(R"({"kind":"silence"})");
    b.run(160s, 1s);
    EXPECT_EQ(b.c->io.dropped, 0);
    b.run(10s, 1s);

    EXPECT_EQ(b.c->io.dropped, 1);
    EXPECT_TRUE(b.p->sessions.all().front()->alone_since.has_value());
}

TEST(FaultsLive, OnlyTheShardsNamedAreMet) {
    options o = small_options();
    o.gateway.max_concurrency = 4;
    bench b(o);
    const auto zero = b.connect();
    const auto one = b.connect();
    b.ready(*zero, 0, 2);
    b.ready(*one, 1, 2);
    fault f;
    f.shards = {1};

    EXPECT_EQ(b.p->gate.inject(f, b.now.at), 1U);
    EXPECT_EQ(zero->io.closed, -1);
    EXPECT_EQ(one->io.closed, 4000);
}

TEST(FaultsPhases, ReconnectInsteadOfHello) {
    bench b;
    fault f;
    f.kind = fault_kind::reconnect;
    f.phase = fault_phase::hello;
    f.next = 1;
    b.p->gate.inject(f, b.now.at);
    const auto c = b.connect();

    ASSERT_EQ(c->io.sent.size(), 1U);
    EXPECT_EQ(c->io.last_op(), 7);
    EXPECT_EQ(b.connect()->io.last_op(), 10);
}

TEST(FaultsPhases, HelloCanBeLate) {
    bench b;
    fault f;
    f.kind = fault_kind::delay_hello;
    f.phase = fault_phase::hello;
    f.delay = 30s;
    f.next = 1;
    b.p->gate.inject(f, b.now.at);
    const auto c = b.connect();
    b.run(29s, 100ms);
    EXPECT_TRUE(c->io.sent.empty());
    b.run(2s, 100ms);

    EXPECT_EQ(c->io.last_op(), 10);
}

TEST(FaultsPhases, BeforeReadyNoSessionIsMadeButTheStartIsSpent) {
    bench b;
    fault f;
    f.code = 4000;
    f.phase = fault_phase::ready;
    f.next = 1;
    b.p->gate.inject(f, b.now.at);
    const auto c = b.connect();
    b.identify(*c, 0, 1);

    EXPECT_EQ(c->io.closed, 4000);
    EXPECT_EQ(b.p->sessions.size(), 0U);
    EXPECT_EQ(b.p->rules.budget_at(b.now.at).remaining, 999U);
}

TEST(FaultsPhases, AReplayCanBeCutAfterSomeEvents) {
    live b;
    b.hang_up(*b.c);
    for (int i = 0; i < 10; ++i)
        b.p->events.happen(event_kind::typing, 0, b.now);
    fault f;
    f.kind = fault_kind::reset;
    f.phase = fault_phase::replay;
    f.after = 4;
    f.next = 1;
    b.p->gate.inject(f, b.now.at);
    b.c = b.connect();
    b.resume(*b.c, b.id, 41);
    EXPECT_EQ(b.take(*b.c).size(), 4U);
    EXPECT_EQ(b.c->io.dropped, 2);
    b.hang_up(*b.c);
    b.c = b.connect();
    b.resume(*b.c, b.id, 43);

    EXPECT_EQ(b.take(*b.c).size(), 10U);  // 8 left, the first RESUMED, the second
}

TEST(FaultsPhases, TheNextToGoLiveIsMetAtTheNextTick) {
    bench b;
    fault f;
    f.code = 4001;
    f.next = 1;
    b.p->gate.inject(f, b.now.at);
    const auto c = b.connect();
    b.identify(*c, 0, 1);
    EXPECT_EQ(b.take(*c).size(), 1U);
    b.p->gate.tick(b.now.at);

    EXPECT_EQ(c->io.closed, 4001);
}

TEST(FaultsPhases, ConnectFaultsAreForTheShell) {
    bench b;
    fault f;
    f.kind = fault_kind::tls_stall;
    f.phase = fault_phase::connect;
    f.next = 1;
    b.p->gate.inject(f, b.now.at);

    EXPECT_EQ(b.p->gate.on_accept(b.now.at)->kind, fault_kind::tls_stall);
    EXPECT_FALSE(b.p->gate.on_accept(b.now.at));
}

TEST(FaultsLive, ADeadResumeAddressIsAskedOfTheShell) {
    bench b;
    duration asked{};
    b.p->gate.on_resume_dead = [&](duration d) { asked = d; };
    fault f;
    f.kind = fault_kind::resume_dead;
    f.until = b.now.at + 3s;
    b.p->gate.inject(f, b.now.at);

    EXPECT_EQ(asked, duration(3s));
}

}  // namespace
}  // namespace shardgate::sim
