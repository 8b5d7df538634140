// SPDX-License-Identifier: Apache-2.0
// Random traffic on the pacer, with shards that behave badly in every way: no two grants of a key
// within the interval, never over budget, nobody starves. SHARDGATE_SEEDS sets how many seeds.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <optional>
#include <set>

#include "shardgate/base/random.hpp"
#include "unit/identify/pacer_peer.hpp"

namespace shardgate::test {
namespace {

std::uint64_t seeds() {
    const char* text = std::getenv("SHARDGATE_SEEDS");
    return text ? std::strtoull(text, nullptr, 10) : 40;
}

struct walk {
    explicit walk(std::uint64_t seed)
        : random(seed), concurrency(static_cast<std::uint32_t>(1 + random.below(8))) {
        session_start_limit limit = limit_of(concurrency);
        limit.total = limit.remaining = 60;
        pace.emplace(pacer_settings{}, limit, now);
    }

    void poll() {
        std::vector<pacer_signal> out;
        pace->poll(now, out);
        ASSERT_TRUE(!out.empty() || pace->deadline() > now) << "would spin";
        for (const pacer_signal& s : out) {
            if (s.what == pacer_signal::kind::turn_near) {
                told.insert(s.who);
                continue;
            }
            ASSERT_TRUE(connected.contains(s.who)) << "granted one that is not ready";
            const std::uint64_t luck = random.below(10);
            if (luck == 0) continue;  // forgets it
            if (luck == 1) {
                pace->release(s.who, now);
                connected.erase(s.who);
                continue;
            }
            send(s.who);
        }
    }
    void send(pacer_ticket who) {
        const std::uint32_t key = who.shard.value % concurrency;
        const auto last = sent_at.find(key);
        ASSERT_TRUE(last == sent_at.end() || now - last->second >= interval) << "key " << key;
        sent_at[key] = now;
        ASSERT_LT(sent, explicit_used ? 60U : 40U);  // the walk is shorter than a day
        pace->sent(who, now);
        connected.erase(who);
        waiting.erase(who);
        ++sent;
    }
    void disturb() {
        const pacer_ticket who{generation{static_cast<std::uint32_t>(1 + random.below(2))},
                               shard_id{static_cast<std::uint32_t>(random.below(24))}};
        switch (random.below(8)) {
        case 0:
        case 1:
        case 2: {
            const bool asks = random.below(40) == 0;
            explicit_used = explicit_used || asks;
            pace->request(who, random.below(2) == 0, asks, now);
            waiting.insert(who);
            connected.erase(who);
            break;
        }
        case 3:
        case 4:
        case 5:
            if (!waiting.contains(who)) break;
            pace->ready(who, true, now);
            connected.insert(who);
            break;
        case 6:
            pace->ready(who, false, now);
            connected.erase(who);
            break;
        case 7:
            pace->cancel(who, now);
            waiting.erase(who);
            connected.erase(who);
            break;
        }
    }
    void advance(duration most) {
        const time_point next = std::max(now, std::min(pace->deadline(), now + most));
        now = next;
    }

    random_source random;
    std::uint32_t concurrency;
    time_point now = t0;
    std::optional<pacer> pace;
    std::set<pacer_ticket> waiting, connected, told;
    std::map<std::uint32_t, time_point> sent_at;
    bool explicit_used = false;
    std::uint64_t sent = 0;
};

TEST(PacerProperty, PaceAndBudgetHoldWhateverTheShardsDo) {
    std::uint64_t sent = 0;
    for (std::uint64_t seed = 1; seed <= seeds(); ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        walk w(seed);
        for (int i = 0; i < 3000; ++i) {
            w.disturb();
            w.poll();
            ASSERT_EQ(w.pace->waiting(), w.waiting.size());
            if (testing::Test::HasFatalFailure()) return;
            w.advance(w.random.between(0s, 4s));
        }
        sent += w.sent;
    }
    EXPECT_GT(sent, seeds() * 10) << "the walk must get somewhere";
}

TEST(PacerProperty, WhoStaysReadyIsServedWithinTheQueuesLength) {
    for (std::uint64_t seed = 1; seed <= seeds(); ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        random_source random(seed);
        pacer_peer p(limit_of(static_cast<std::uint32_t>(1 + random.below(4))));
        // A crowd that never gets ready, in front of and behind one that does.
        for (std::uint32_t s = 0; s < 40; ++s) {
            p.request(s);
            if (s == 20) p.ready(20);
        }
        bool served = false;
        for (int i = 0; i < 60 && !served; ++i) {
            const auto granted = p.permits_until((i + 1) * interval);
            for (const shard_id s : granted) {
                served = served || s == shard_id{20};
                p.sent(s.value);
            }
            const auto flaky = static_cast<std::uint32_t>(random.below(40));
            if (flaky != 20) p.request(flaky, true), p.ready(flaky, random.below(2) == 0);
        }
        EXPECT_TRUE(served);
    }
}

}  // namespace
}  // namespace shardgate::test
