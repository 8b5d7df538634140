// SPDX-License-Identifier: Apache-2.0
// Random events in random order: session_rules.hpp must hold whatever comes. SHARDGATE_SEEDS sets
// how many seeds are tried.
#include <gtest/gtest.h>

#include <cstdlib>

#include "unit/shard/gateway_script.hpp"

namespace shardgate::test {
namespace {

std::uint64_t seeds() {
    const char* text = std::getenv("SHARDGATE_SEEDS");
    return text ? std::strtoull(text, nullptr, 10) : 60;
}

// What a healthy gateway, network and pacer would do next.
void fitting_step(gateway_script& g, random_source& random, std::uint64_t& s) {
    if (!g.rules().linked()) {
        g.near().wait(random.between(0ms, 10s));
        return;
    }
    const bool resuming = g.fsm().session().has_value();
    g.opened().hello(std::chrono::milliseconds(1000 + random.below(60000))).permit();
    if (resuming)
        g.resumed(s += random.below(3));
    else
        g.ready("s" + std::to_string(random.below(1000)));
    if (random.below(2) == 0) g.fsm().on_guilds_loaded();
}

// Anything at any time.
void random_step(gateway_script& g, random_source& random, std::uint64_t& s) {
    const std::string member_list = R"({"op":8,"d":{"guild_id":"11","query":"","limit":0}})";
    switch (random.below(30)) {
    case 0: g.wait(random.between(0ms, 100s)); break;
    case 1: g.stall(random.between(0ms, 200s)); break;
    case 2:
    case 3:
    case 4: g.near(); break;
    case 5:
    case 6: g.permit(); break;
    case 7:
    case 8:
    case 9:
        if (g.rules().linked() && !g.rules().ending()) g.opened();
        break;
    case 10:
    case 11:
    case 12: g.hello(std::chrono::milliseconds(1000 + random.below(60000))); break;
    case 13:
    case 14: g.ready("s" + std::to_string(random.below(1000))); break;
    case 15:
    case 16: g.resumed(s += random.below(3)); break;
    case 17: {
        for (std::uint64_t n = random.below(20); n > 0; --n)
            g.event(s += random.below(3));
        break;
    }
    case 18: g.ack(); break;
    case 19: {
        for (std::uint64_t n = random.below(200); n > 0; --n)
            g.asks_heartbeat();
        break;
    }
    case 20: g.asks_reconnect(); break;
    case 21: g.invalid(random.below(2) == 0); break;
    case 22:
        if (g.rules().linked())
            g.closed(static_cast<close_code>(random.below(3) == 0 ? 4000 + random.below(16) : 0),
                     random.below(3) != 0);
        break;
    case 23: {
        for (std::uint64_t n = random.below(300); n > 0; --n) {
            (void)g.submit(R"({"op":4,"d":{"guild_id":"1"}})", 4);
            (void)g.submit(R"({"op":3,"d":{"status":"idle"}})", 3);
            (void)g.submit(member_list, 8);
        }
        break;
    }
    case 24: g.broken_stream(); break;
    case 25:
        if (random.below(4) == 0) g.operator_reconnects(random.below(2) == 0);
        break;
    case 26:
        if (random.below(10) == 0) g.stop(random.below(2) == 0 ? 1000 : 4200);
        break;
    case 27: g.start(); break;
    case 28: g.fsm().set_safe(seq_no{random.below(s + 5)}); break;
    case 29: g.op(static_cast<int>(random.below(50)) - 2); break;
    }
    if (g.rules().ending() && random.below(2) == 0) g.closed(4200);
    s = std::max<std::uint64_t>(s, g.fsm().session() ? g.fsm().session()->seq.value : 0);
    if (!g.fsm().session()) s = 0;
}

TEST(SessionProperty, NoSequenceOfEventsBreaksTheRules) {
    std::uint64_t readies = 0, resumes = 0;
    for (std::uint64_t seed = 1; seed <= seeds(); ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        random_source random(seed);
        gateway_script g(test_settings(), seed);
        std::uint64_t s = 0, last = 0;
        std::string session;
        g.start();
        for (int step = 0; step < 400; ++step) {
            if (random.below(3) == 0)
                fitting_step(g, random, s);
            else
                random_step(g, random, s);
            g.forget();
            ASSERT_EQ(g.rules().broken(), "") << "step " << step;
            if (g.fsm().session()) {
                const bool same = g.fsm().session()->session_id == session;
                ASSERT_TRUE(!same || g.fsm().session()->seq.value >= last) << "step " << step;
                session = g.fsm().session()->session_id;
                last = g.fsm().session()->seq.value;
            } else {
                session.clear();
            }
            // Something must always be due, unless another party has the next word.
            const bool others_turn = g.rules().linked() || g.fsm().deadline() != never ||
                                     g.fsm().state() == shard_state::idle ||
                                     g.fsm().state() == shard_state::parked ||
                                     g.fsm().state() == shard_state::connecting;
            ASSERT_TRUE(others_turn) << "step " << step;
        }
        readies += g.fsm().stats().readies;
        resumes += g.fsm().stats().resumes_done;
    }
    EXPECT_GT(readies, seeds()) << "the walk must reach the interesting states";
    EXPECT_GT(resumes, seeds() / 4);
}

}  // namespace
}  // namespace shardgate::test
