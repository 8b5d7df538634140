// SPDX-License-Identifier: Apache-2.0
// The world, the rings and the load, in virtual time (S20, S33).
#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

#include <set>

#include "shardgate/base/ids.hpp"
#include "unit/sim/sim_fixture.hpp"

namespace shardgate::sim {
namespace {

using namespace testing;

TEST(World, EachGuildIsOnTheShardOfTheFormula) {
    world_options o;
    o.guilds = 2000;
    o.wide_ids = true;
    const world w(o, 1);
    std::set<std::uint32_t> seen;
    for (std::uint32_t shard = 0; shard < 16; ++shard) {
        const auto mine = w.on_shard(shard, 16);
        EXPECT_EQ(mine.size(), w.count_on(shard, 16));
        EXPECT_NEAR(static_cast<double>(mine.size()), 125, 50);
        for (const std::uint32_t i : mine) {
            EXPECT_EQ(shard_of(snowflake{w.at(i).id}, shard_count{16}).value, shard);
            seen.insert(i);
        }
    }
    EXPECT_EQ(seen.size(), 2000U);
}

TEST(World, IdsAreUniqueAndWideOnRequest) {
    world_options o;
    o.guilds = 5000;
    o.wide_ids = true;
    const world w(o, 2);
    std::set<std::uint64_t> ids;
    std::size_t wide = 0;
    for (std::uint32_t i = 0; i < w.size(); ++i) {
        ids.insert(w.at(i).id);
        wide += w.at(i).id >> 63;
        EXPECT_EQ(w.find(w.at(i).id), i);
    }
    EXPECT_EQ(ids.size(), 5000U);
    EXPECT_EQ(wide, 500U);
    EXPECT_FALSE(w.find(1));
}

TEST(World, OnePercentOfTheGuildsGetsHalfOfEverything) {
    world_options o;
    o.guilds = 1000;
    const world w(o, 3);
    rng random(1);
    std::vector<int> hits(1000);
    for (int i = 0; i < 100000; ++i)
        ++hits[*w.pick(random)];
    std::sort(hits.rbegin(), hits.rend());
    int top = 0;
    for (int i = 0; i < 10; ++i)
        top += hits[i];

    EXPECT_NEAR(top, 50000, 3000);
}

TEST(World, NothingHappensInGuildsThatAreAway) {
    world_options o;
    o.guilds = 10;
    world w(o, 3);
    for (std::uint32_t i = 0; i < 9; ++i)
        w.leave(i);
    rng random(1);
    EXPECT_EQ(w.pick_even(random), 9U);
    EXPECT_EQ(w.present(), 1U);
    w.set_available(9, false);

    EXPECT_FALSE(w.pick_even(random));
    EXPECT_FALSE(w.pick(random));
}

TEST(World, SnowflakesCarryTheirTimeAndNeverRepeat) {
    id_source ids;
    std::uint64_t last = 0;
    for (int i = 0; i < 10000; ++i) {
        const std::uint64_t id = ids.next(1760000000000 + i / 100);
        EXPECT_GT(id, last);
        last = id;
    }
    EXPECT_NEAR(static_cast<double>(created_unix_ms(snowflake{last})), 1760000000099, 1);
}

TEST(ReplayRing, KeepsTheNewest) {
    replay_ring ring(100);
    for (int i = 1; i <= 250; ++i)
        ring.push().text = std::to_string(i);

    EXPECT_EQ(ring.size(), 100U);
    EXPECT_EQ(ring.first(), 151U);
    EXPECT_EQ(ring.last(), 250U);
    EXPECT_EQ(ring.find(150), nullptr);
    EXPECT_EQ(ring.find(151)->text, "151");
    EXPECT_EQ(ring.find(250)->text, "250");
    EXPECT_EQ(ring.find(251), nullptr);
    ring.trim(200);
    EXPECT_EQ(ring.find(200), nullptr);
    EXPECT_EQ(ring.size(), 50U);
    ring.trim(10);
    EXPECT_EQ(ring.size(), 50U);
    ring.trim(1000);
    EXPECT_EQ(ring.size(), 0U);
    EXPECT_EQ(ring.push().seq, 251U);
}

TEST(ReplayRingProperty, FindsExactlyWhatItShould) {
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        SCOPED_TRACE(seed);
        rng random(seed);
        replay_ring ring(1 + random.below(200));
        std::uint64_t pushed = 0;
        std::uint64_t trimmed = 0;
        for (int i = 0; i < 500; ++i) {
            if (random.below(5) != 0) {
                ring_entry& e = ring.push();
                EXPECT_EQ(e.seq, ++pushed);
                EXPECT_TRUE(e.text.empty());
                e.text = std::to_string(pushed);
            } else if (pushed > 0) {
                const std::uint64_t at = random.below(pushed + 1);
                trimmed = std::max(trimmed, at);
                ring.trim(at);
            }
            const std::uint64_t low =
                std::max(trimmed, pushed > ring.depth() ? pushed - ring.depth() : 0);
            for (std::uint64_t s = low > 3 ? low - 3 : 0; s <= pushed + 2; ++s) {
                const ring_entry* e = ring.find(s);
                ASSERT_EQ(e != nullptr, s > low && s <= pushed) << s;
                if (!e) continue;
                ASSERT_EQ(e->text, std::to_string(s));
            }
        }
    }
}

TEST(ReplayRing, DepthFollowsTheStaffFormula) {
    EXPECT_EQ(replay_depth_for(0), 100U);
    EXPECT_EQ(replay_depth_for(10), 750U);
    EXPECT_EQ(replay_depth_for(1000), 3500U);
}

load_plan plan(const bench& b, std::string_view text) {
    auto read = read_load(json::parse(text), b.p->settings, b.p->guilds);
    EXPECT_TRUE(read) << text;
    return *read;
}

TEST(Load, KeepsItsRate) {
    bench b;
    const auto c = b.connect();
    b.ready(*c, 0, 1);
    b.p->generator.start(plan(b, R"({"rate":1000,"mix":"A","seconds":2})"), b.now.at);
    std::size_t got = 0;
    for (int i = 0; i < 300; ++i) {
        b.run(10ms);
        got += b.take(*c).size();
    }

    EXPECT_FALSE(b.p->generator.running());
    EXPECT_NEAR(static_cast<double>(b.p->generator.made()), 2000, 20);
    EXPECT_GE(got, b.p->generator.made());
}

TEST(Load, CountEndsIt) {
    bench b;
    const auto c = b.connect();
    b.ready(*c, 0, 1);
    b.p->generator.start(plan(b, R"({"rate":10000,"count":500})"), b.now.at);
    b.run(200ms);

    EXPECT_EQ(b.p->generator.made(), 500U);
    EXPECT_FALSE(b.p->generator.running());
}

TEST(Load, AMixesOwnRateIsPerThousandGuilds) {
    options o = small_options();
    o.world.guilds = 1000;
    bench b(o);
    const auto c = b.connect();
    b.ready(*c, 0, 1);
    b.p->generator.start(plan(b, R"({"mix":"A","seconds":10})"), b.now.at);
    b.run(11s);

    EXPECT_NEAR(static_cast<double>(b.p->generator.made()), 560, 30);
}

TEST(Load, SaturationStopsWhereTheReaderStops) {
    bench b;
    const auto c = b.connect();
    b.ready(*c, 0, 1);
    b.p->generator.start(plan(b, R"({"saturate":true})"), b.now.at);
    for (int i = 0; i < 50; ++i)
        b.p->generator.tick(b.now);
    const std::uint64_t waiting = b.p->sessions.all().front()->waiting();
    EXPECT_GE(waiting, 512U);
    EXPECT_LT(waiting, 600U);
    b.take(*c);

    EXPECT_TRUE(b.p->generator.tick(b.now));
}

TEST(Load, NoMoreThanSoManyAreOnTheirWayAndReceiptsMakeRoom) {
    bench b;
    const auto c = b.connect();
    b.ready(*c, 0, 1);
    b.p->generator.start(plan(b, R"({"saturate":true,"ahead":40,"dm":0})"), b.now.at);
    const auto turns = [&b, &c] {
        for (int i = 0; i < 20; ++i) {
            b.p->generator.tick(b.now);
            b.take(*c);
        }
    };
    turns();
    EXPECT_EQ(b.p->book.totals().missing(), 40U);

    const std::uint64_t made = b.p->book.totals().sent;
    std::uint64_t received = 0;
    for (std::uint64_t n = 1; n <= made && received < 15; ++n) {
        const std::uint64_t before = b.p->book.totals().missing();
        received_event receipt;
        receipt.n = n;
        b.p->book.received(receipt, b.now.at);
        received += before - b.p->book.totals().missing();
    }
    ASSERT_EQ(received, 15U);
    turns();
    EXPECT_EQ(b.p->book.totals().missing(), 40U);
    EXPECT_GE(b.p->book.totals().sent, made + 15);
}

TEST(Load, EverythingCanHappenInOneGuild) {
    bench b;
    const auto c = b.connect();
    b.ready(*c, 0, 1);
    const std::string id = std::to_string(b.p->guilds.at(4).id);
    b.p->generator.start(
        plan(b, R"({"kinds":{"GUILD_MEMBER_ADD":1},"rate":500,"count":50,"guild":")" + id + "\"}"),
        b.now.at);
    b.run(500ms);
    const auto frames = b.take(*c);

    ASSERT_EQ(frames.size(), 50U);
    for (const std::string& f : frames) {
        EXPECT_EQ(json::parse(f).at("t").as_string(), "GUILD_MEMBER_ADD");
        EXPECT_EQ(json::parse(f).at("d").at("guild_id").as_string(), id);
    }
}

TEST(Load, TheSameSeedMakesTheSameEvents) {
    const auto events = [] {
        options o = small_options();
        o.seed = 99;
        bench b(o);
        const auto c = b.connect();
        b.ready(*c, 0, 1);
        b.p->generator.start(plan(b, R"({"rate":1000,"mix":"A","count":300})"), b.now.at);
        b.run(1s);
        return b.take(*c);
    };

    EXPECT_EQ(events(), events());
}

TEST(Load, RefusesWhatMakesNoSense) {
    bench b;
    for (const char* bad : {"[]", R"({"mix":"D"})", R"({"mix":1})", R"({"guild":"1"})",
                            R"({"kinds":{"NOTHING":1}})", R"({"kinds":{}})", R"({"kinds":[]})"})
        EXPECT_FALSE(read_load(json::parse(bad), b.p->settings, b.p->guilds)) << bad;
}

// Ten minutes of a small bot's life: whatever happens, a client that resumes gets every number.
TEST(SimulatorProperty, AResumingClientGetsEveryNumberInOrder) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        SCOPED_TRACE(seed);
        options o = small_options();
        o.seed = seed;
        o.encoding.gaps = 0.01;
        bench b(o);
        rng random(seed);
        auto c = b.connect();
        std::string session;
        std::uint64_t last = 0;
        std::set<std::uint64_t> numbers;
        const auto read = [&](std::size_t limit) {
            std::string_view frame;
            for (std::size_t i = 0; i < limit && b.p->gate.next(*c->at, frame, b.now.at); ++i) {
                const json::value v = json::parse(frame);
                const auto s = v.at("s").to_number<std::uint64_t>();
                EXPECT_GT(s, last);
                last = s;
                const json::object& d = v.at("d").as_object();
                if (d.contains("session_id") && v.at("t") == "READY")
                    session = std::string(d.at("session_id").as_string());
                if (d.contains("_n")) numbers.insert(d.at("_n").to_number<std::uint64_t>());
            }
        };
        b.identify(*c, 0, 1);
        b.p->generator.start(plan(b, R"({"rate":60,"mix":"A"})"), b.now.at);
        for (int i = 0; i < 600; ++i) {
            b.run(100ms, 50ms);
            read(random.below(30));
            if (i % 100 == 50) b.heartbeat(*c, last);
            if (random.below(40) == 0) {
                b.hang_up(*c, random.below(2) == 0 ? 0 : 4200);
                b.run(milliseconds(random.below(3000)), 100ms);
                c = b.connect();
                b.resume(*c, session, last);
                ASSERT_NE(c->io.last_op(), 9);
            }
        }
        b.p->generator.stop();
        read(SIZE_MAX);
        EXPECT_EQ(numbers.size(), b.p->book.totals().sent);
        EXPECT_EQ(b.p->book.totals().lost, 0U);
    }
}

}  // namespace
}  // namespace shardgate::sim
