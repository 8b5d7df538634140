// SPDX-License-Identifier: Apache-2.0
// Two shard sets side by side: what is lost and what is not, whose loading guilds may arrive,
// faults for one set only, and what is told by total.
#include <gtest/gtest.h>

#include "sim/control.hpp"
#include "unit/sim/sim_fixture.hpp"

namespace shardgate::sim {
namespace {

using namespace testing;

options wide() {
    options o = small_options();
    o.gateway.max_concurrency = 16;
    return o;
}

// Sets of 1 and of 2 shards: shard 0 of both, and 1 of the larger.
struct sets : bench {
    std::unique_ptr<client> old = connect(), zero = connect(), one = connect();
    std::uint32_t even = 0;  // a guild of `old` and `zero`

    explicit sets(options o = wide()) : bench(std::move(o)) {
        ready(*old, 0, 1);
        pass(6s);
        ready(*zero, 0, 2);
        ready(*one, 1, 2);
        while ((p->guilds.at(even).id >> 22) % 2 != 0)
            ++even;
        p->book.clear();  // the loading guilds are not what this is about
    }
    session& of(const client& c) { return *c.at->session; }
    void beat(client& c) { heartbeat(c, of(c).written); }
    void happens(int times = 1) {
        for (int i = 0; i < times; ++i)
            p->events.happen(event_kind::voice_state, even, now);
    }
    std::uint64_t lost() { return p->book.totals().lost; }
    void op9(client& c) {
        const session& s = of(c);
        fault f;
        f.kind = fault_kind::invalid_session;
        f.shards = {s.shard};
        f.shard_count = s.shards;
        EXPECT_EQ(p->gate.inject(f, now.at), 1U);
    }
};

TEST(TwoSets, WhatTheOtherSetStillHasPendingIsNotLost) {
    options o = wide();
    o.gateway.lag = 3000ms;
    sets b(o);
    b.happens(3);
    b.op9(*b.old);  // before its copies were due
    EXPECT_EQ(b.lost(), 0U) << "the other's are due later, but they are";
    b.op9(*b.zero);
    EXPECT_EQ(b.lost(), 3U) << "nobody is left";
}

TEST(TwoSets, WhatTheOtherSetsRingForgotIsLostWithTheLastOne) {
    options o = wide();
    o.gateway.replay_depth = 100;
    sets b(o);
    b.take(*b.zero);
    for (int i = 0; i < 150; ++i) {
        b.happens();
        b.take(*b.old);
    }
    EXPECT_EQ(b.lost(), 0U) << "the slow reader's ring is overrun, the old one had them all";
    b.op9(*b.old);
    EXPECT_EQ(b.lost(), 0U) << "it ended when all was on the wire";

    sets c(o);
    c.hang_up(*c.old);
    c.hang_up(*c.zero);
    c.happens(150);
    EXPECT_EQ(c.lost(), 50U) << "both rings have the last hundred";
}

TEST(TwoSets, WhatASetHadBeforeItEndedIsNotLost) {
    sets b;
    b.happens(5);
    b.take(*b.old);
    b.beat(*b.old);
    b.happens(2);
    b.hang_up(*b.old, 1000);  // the two came behind what it confirmed
    EXPECT_EQ(b.lost(), 0U) << "the other set has them all";
    b.op9(*b.zero);  // before any of them went out
    EXPECT_EQ(b.lost(), 2U) << "the five were confirmed by the one that was closed";
}

TEST(TwoSets, ASessionThatBeganLaterDoesNotHaveWhatCameBefore) {
    sets b;
    b.hang_up(*b.zero, 1000);
    b.happens(4);
    b.zero = b.connect();
    b.pass(6s);
    b.ready(*b.zero, 0, 2);
    b.op9(*b.old);
    EXPECT_EQ(b.lost(), 4U);
}

TEST(TwoSets, TheSecondIsTheOneThatCameToAnOlderSet) {
    sets b;
    EXPECT_FALSE(b.of(*b.old).second);
    EXPECT_TRUE(b.of(*b.zero).second);
    EXPECT_TRUE(b.of(*b.one).second);
    b.pass(6s);
    const auto more = b.connect();
    b.ready(*more, 0, 2);
    b.op9(*b.one);
    b.pass(6s);
    b.ready(*b.one, 1, 2);
    EXPECT_TRUE(b.of(*b.one).second) << "a new session of the same set";
    b.hang_up(*b.old, 1000);
    b.op9(*b.one);
    b.pass(6s);
    b.ready(*b.one, 1, 2);
    EXPECT_FALSE(b.of(*b.one).second) << "no other set is left";
    const auto twin = b.connect();
    b.pass(6s);
    b.ready(*twin, 1, 2);
    EXPECT_TRUE(b.of(*twin).second) << "the same shard is there already";
}

TEST(TwoSets, LoadingGuildsAreExpectedBySet) {
    bench b(wide());
    const auto expect = [&](const char* text) {
        EXPECT_TRUE(control_expect(*b.p, json::parse(text))) << text;
    };
    expect(R"({"loading_guilds":"arrives","resharding":"filtered","totals":{"3":"may_arrive"}})");
    const auto old = b.connect();
    b.ready(*old, 0, 1);
    EXPECT_EQ(b.p->book.totals().expected, 40U);
    b.pass(6s);
    const auto young = b.connect();
    b.ready(*young, 0, 2);
    const std::uint64_t filtered = b.p->book.totals().filtered_sent;
    EXPECT_EQ(filtered, b.p->guilds.count_on(0, 2));
    const auto third = b.connect();
    b.pass(6s);
    b.ready(*third, 0, 3);
    EXPECT_EQ(b.p->book.totals().may_arrive_sent, b.p->guilds.count_on(0, 3));
    expect(R"({"resharding":null,"totals":{}})");
    const auto fourth = b.connect();
    b.pass(6s);
    b.ready(*fourth, 0, 4);
    EXPECT_EQ(b.p->book.totals().expected, 40U + b.p->guilds.count_on(0, 4));
    EXPECT_EQ(b.p->book.totals().filtered_sent, filtered);
    for (const char* bad : {R"({"resharding":"no"})", R"({"totals":[]})",
                            R"({"totals":{"x":"arrives"}})", R"({"totals":{"3":1}})"})
        EXPECT_FALSE(control_expect(*b.p, json::parse(bad))) << bad;
}

TEST(TwoSets, AFaultMeetsOneSetOnly) {
    sets b;
    const auto met = control_fault(
        *b.p, json::parse(R"({"kind":"close","code":4000,"shards":[0],"shard_count":2})"), b.now);
    ASSERT_TRUE(met);
    EXPECT_EQ(met->at("met").to_number<int>(), 1);
    EXPECT_EQ(b.old->io.closed, -1);
    EXPECT_EQ(b.zero->io.closed, 4000);
    EXPECT_EQ(b.one->io.closed, -1);
    const auto armed = control_fault(
        *b.p, json::parse(R"({"kind":"invalid_session","phase":"ready","shard_count":2,"next":1})"),
        b.now);
    EXPECT_EQ(armed->at("armed").at(0).at("shard_count").to_number<int>(), 2);
    for (const char* phase : {"connect", "hello"})
        EXPECT_FALSE(control_fault(*b.p,
                                   json::parse(R"({"kind":"reset","shard_count":2,"phase":")" +
                                               std::string(phase) + "\"}"),
                                   b.now))
            << "nobody knows the set yet";
}

TEST(TwoSets, ReadyNeverComesForTheSetThatIsTold) {
    bench b(wide());
    ASSERT_TRUE(control_fault(
        *b.p, json::parse(R"({"kind":"no_ready","shards":[1],"shard_count":2,"for_ms":60000})"),
        b.now));
    const auto other = b.connect();
    EXPECT_FALSE(b.ready(*other, 1, 3).empty());
    b.pass(6s);
    const auto c = b.connect();
    b.identify(*c, 1, 2);
    for (int i = 0; i < 12; ++i) {
        b.run(10s, 1s);
        EXPECT_TRUE(b.take(*c).empty());
        b.heartbeat(*c, 0);
        b.heartbeat(*other, 0);
        EXPECT_EQ(c->io.last_op(), 11);
    }
    EXPECT_EQ(c->io.closed, -1) << "it has said IDENTIFY";
    EXPECT_EQ(b.p->gate.stats().identifies, 2U) << "and spent a start";
    b.identify(*c, 1, 2);
    EXPECT_EQ(c->io.closed, 4005);
    for (const char* bad :
         {R"({"kind":"no_ready","phase":"live"})", R"({"kind":"no_ready","phase":"connect"})"})
        EXPECT_FALSE(control_fault(*b.p, json::parse(bad), b.now)) << bad;
}

TEST(TwoSets, StateAndAccountTellByTotal) {
    sets b;
    b.hang_up(*b.one);
    const json::value state = control_state(*b.p, b.now);
    const json::object account = control_account(*b.p, {});
    EXPECT_EQ(state.at("totals"), account.at("totals"));
    const auto of = [&](const char* total, const char* what) {
        return account.at("totals").at(total).at(what).to_number<int>();
    };
    EXPECT_EQ(of("1", "sessions"), 1);
    EXPECT_EQ(of("1", "connected"), 1);
    EXPECT_EQ(of("1", "guilds"), 40);
    EXPECT_EQ(of("2", "sessions"), 2);
    EXPECT_EQ(of("2", "connected"), 1);
    EXPECT_EQ(of("2", "identifies"), 2);
    EXPECT_EQ(of("2", "guilds"), 40);
    b.hang_up(*b.zero, 1000);
    const json::object after = control_account(*b.p, {});
    EXPECT_EQ(after.at("totals").at("2").at("sessions").to_number<int>(), 1);
    EXPECT_EQ(after.at("totals").at("2").at("guilds").to_number<std::uint32_t>(),
              b.p->guilds.count_on(1, 2));
    EXPECT_EQ(after.at("guilds").to_number<int>(), 40);
}

TEST(TwoSets, GuildMarksAreHeldAgainstWhatHappened) {
    bench b(wide());
    const auto c = b.connect();
    b.ready(*c, 0, 1);
    ASSERT_NE(b.p->events.join_guild(b.now), 0U);
    b.p->events.outage(3, b.now);
    b.p->events.back(3, b.now);
    b.p->events.leave_guild(4, b.now);
    const auto come = [&](std::uint64_t n, std::string_view mark) {
        received_event r;
        r.n = n;
        r.name = "GUILD_CREATE";
        r.key = "k-" + std::to_string(n);
        r.guild_mark = mark;
        b.p->book.received(r, b.now.at);
    };
    come(1, "loaded");
    come(41, "joined");
    come(42, "unavailable");
    come(43, "available");
    come(44, "left");
    EXPECT_EQ(b.p->book.totals().guild_marks_wrong, 0U);
    come(2, "joined");
    EXPECT_EQ(b.p->book.totals().guild_marks_wrong, 1U) << "a loading guild the bot did not join";
    boost::json::object account;
    b.p->book.account(account);
    EXPECT_EQ(account.at("guild_marks").at("joined").as_uint64(), 2U);
    EXPECT_EQ(account.at("guild_marks").at("left").as_uint64(), 1U);
    EXPECT_EQ(account.at("guild_marks_wrong_first").as_array().at(0).at("n").as_uint64(), 2U);
}

TEST(TwoSets, RestCanFailForAWhile) {
    bench b;
    http_call call;
    call.method = "GET";
    call.target = "/api/v10/gateway/bot";
    call.authorization = "Bot simulated-token";
    call.user_agent = "DiscordBot (x, 1)";
    const auto status = [&] { return b.p->rest.answer(call, b.now).status; };
    ASSERT_TRUE(control_fault(
        *b.p, json::parse(R"({"rest":{"status":503,"path":"/gateway/bot","for_ms":2000}})"),
        b.now));
    for (int i = 0; i < 5; ++i)
        EXPECT_EQ(status(), 503U);
    b.pass(2s);
    EXPECT_EQ(status(), 200U);
    ASSERT_TRUE(
        control_fault(*b.p, json::parse(R"({"rest":{"status":500,"for_ms":90000}})"), b.now));
    EXPECT_EQ(status(), 500U);
    ASSERT_TRUE(control_fault(*b.p, json::parse(R"({"clear":true})"), b.now));
    EXPECT_EQ(status(), 200U);
}

}  // namespace
}  // namespace shardgate::sim
