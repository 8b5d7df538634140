// SPDX-License-Identifier: Apache-2.0
// Sessions that deliver late, each in its own way.
#include "sim/lag.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "unit/sim/sim_fixture.hpp"

namespace shardgate::sim {
namespace {

using namespace testing;

options lagging(milliseconds most = 3000ms) {
    options o = small_options();
    o.gateway.max_concurrency = 16;
    o.gateway.lag = most;
    return o;
}

std::string t_of(const std::string& frame) {
    return std::string(json::parse(frame).at("t").as_string());
}

// The moment each dispatch left, while time goes by.
struct delivery {
    duration after{};
    std::string frame;
};
std::vector<delivery> watch(bench& b, client& c, duration d) {
    std::vector<delivery> out;
    const time_point start = b.now.at;
    while (b.now.at - start < d) {
        b.run(10ms);
        for (std::string& f : b.take(c))
            out.push_back({b.now.at - start, std::move(f)});
    }
    return out;
}

TEST(LagCurve, StaysBetweenZeroAndTheBoundAndChangesSlowly) {
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        const lag_curve curve(seed);
        duration low = 1h, high{}, before = curve.at(time_point{}, 3s, 1);
        for (time_point t{}; t < time_point{} + 40s; t += 100ms) {
            const duration now = curve.at(t, 3s, 1);
            ASSERT_GE(now, duration::zero()) << seed;
            ASSERT_LE(now, duration(3s)) << seed;
            // At most a whole turn in 5 s.
            ASSERT_LE(std::abs((now - before).count()), duration(200ms).count()) << seed;
            low = std::min(low, now);
            high = std::max(high, now);
            before = now;
        }
        EXPECT_LE(low, duration(1500ms)) << seed;
        EXPECT_GE(high, duration(1500ms)) << seed;
    }
}

TEST(LagCurve, EachSeedHasItsOwnAndTheScaleMakesItFaster) {
    const time_point t = time_point{} + 77s;
    EXPECT_NE(lag_curve(1).at(t, 3s, 1), lag_curve(2).at(t, 3s, 1));
    EXPECT_EQ(lag_curve(1).at(t, 3s, 1), lag_curve(1).at(t, 3s, 1));
    EXPECT_EQ(lag_curve(1).at(time_point{} + 70s, 3s, 1),
              lag_curve(1).at(time_point{} + 7s, 3s, 10));
    EXPECT_EQ(lag_curve(1).at(t, 0s, 1), duration::zero());
}

TEST(Lag, ReadyLoadingGuildsAndEventsComeLateAndInOrder) {
    bench b(lagging());
    const auto c = b.connect();
    b.identify(*c, 0, 1);
    EXPECT_TRUE(b.take(*c).empty()) << "READY is on its way";
    const auto early = watch(b, *c, 4s);
    ASSERT_EQ(early.size(), 41U);
    EXPECT_EQ(t_of(early.front().frame), "READY");
    EXPECT_GT(early.front().after, duration(20ms));

    for (int i = 0; i < 50; ++i) {
        b.p->events.happen(event_kind::typing, 0, b.now);
        b.run(20ms);
        b.take(*c);
    }
    watch(b, *c, 4s);
    b.p->events.happen(event_kind::typing, 0, b.now);
    b.p->events.happen(event_kind::typing, 1, b.now);
    EXPECT_TRUE(b.take(*c).empty());
    const auto late = watch(b, *c, 4s);
    ASSERT_EQ(late.size(), 2U);
    EXPECT_LE(late.back().after, duration(3010ms));
    std::uint64_t seq = 0;
    for (const auto& d : late) {
        const auto s = json::parse(d.frame).at("s").to_number<std::uint64_t>();
        EXPECT_GT(s, seq);
        seq = s;
    }
    EXPECT_TRUE(b.p->book.totals().lost == 0);
}

TEST(Lag, AConnectionIsWokenWhenItsNextDispatchIsDueAndNotBefore) {
    bench b(lagging());
    const auto c = b.connect();
    b.identify(*c, 0, 1);
    watch(b, *c, 4s);
    b.p->events.happen(event_kind::typing, 0, b.now);
    b.take(*c);
    ASSERT_TRUE(c->at->due_at);
    const time_point due = *c->at->due_at;
    const int before = c->io.wakes;
    b.p->events.happen(event_kind::typing, 0, b.now);
    EXPECT_EQ(c->io.wakes, before) << "what comes behind need not wake it";
    b.now.at = due - 1ms;
    b.p->gate.tick(b.now.at);
    EXPECT_EQ(c->io.wakes, before);
    b.now.at = due;
    b.p->gate.tick(b.now.at);
    EXPECT_EQ(c->io.wakes, before + 1);
    EXPECT_GE(b.take(*c).size(), 1U);
}

TEST(Lag, HeartbeatsAreAnsweredAtOnce) {
    bench b(lagging());
    const auto c = b.connect();
    b.identify(*c, 0, 1);
    b.heartbeat(*c, 0);
    EXPECT_EQ(c->io.last_op(), 11);
}

TEST(Lag, AReplayComesLateAsWell) {
    bench b(lagging());
    auto c = b.connect();
    b.identify(*c, 0, 1);
    const auto first = watch(b, *c, 4s);
    const std::string id(json::parse(first[0].frame).at("d").at("session_id").as_string());
    b.hang_up(*c, 4000);
    b.p->events.happen(event_kind::typing, 0, b.now);
    b.run(10s);
    c = b.connect();
    b.resume(*c, id, 41);
    EXPECT_TRUE(b.take(*c).empty());
    const auto replay = watch(b, *c, 4s);
    ASSERT_EQ(replay.size(), 2U);
    EXPECT_EQ(t_of(replay[0].frame), "TYPING_START");
    EXPECT_EQ(t_of(replay[1].frame), "RESUMED");
}

TEST(Lag, SessionsAreApartAndEachGetsEverything) {
    bench b(lagging());
    std::vector<std::unique_ptr<client>> all;
    for (std::uint32_t shard = 0; shard < 2; ++shard) {
        all.push_back(b.connect());
        b.identify(*all.back(), 0, 1 + shard);
        b.run(6s);
        b.take(*all.back());
    }
    for (auto& c : all)
        b.take(*c);
    // A guild of both.
    std::uint32_t g = 0;
    while ((b.p->guilds.at(g).id >> 22) % 2 != 0)
        ++g;
    b.p->events.happen(event_kind::typing, g, b.now);
    b.take(*all[0]);
    b.take(*all[1]);
    ASSERT_TRUE(all[0]->at->due_at && all[1]->at->due_at);
    EXPECT_NE(*all[0]->at->due_at, *all[1]->at->due_at);
    b.run(4s);
    EXPECT_EQ(b.take(*all[0]).size(), 1U);
    EXPECT_EQ(b.take(*all[1]).size(), 1U);
}

TEST(Lag, SwitchedOffEverythingThatWaitsGoesOut) {
    bench b(lagging());
    const auto c = b.connect();
    b.identify(*c, 0, 1);
    watch(b, *c, 4s);
    b.p->events.happen(event_kind::typing, 0, b.now);
    EXPECT_TRUE(b.take(*c).empty());
    const int before = c->io.wakes;
    b.p->settings.gateway.lag = 0ms;
    b.p->gate.tick(b.now.at);
    EXPECT_EQ(c->io.wakes, before + 1);
    EXPECT_EQ(b.take(*c).size(), 1U);
    b.p->events.happen(event_kind::typing, 0, b.now);
    EXPECT_EQ(b.take(*c).size(), 1U);
    EXPECT_EQ(b.p->sessions.all().front()->ring.find(43)->due, time_point{}) << "nothing is kept";
}

TEST(Lag, AWorldLargerThanTheWindowLoadsWithinTheBound) {
    options o = lagging(1000ms);
    o.world.guilds = 1000;
    o.world.guild_bytes = 1000;
    bench b(o);
    const auto c = b.connect();
    b.identify(*c, 0, 1);
    EXPECT_EQ(watch(b, *c, 2200ms).size(), 1001U);
}

}  // namespace
}  // namespace shardgate::sim
