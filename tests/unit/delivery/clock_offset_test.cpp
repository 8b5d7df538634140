// SPDX-License-Identifier: Apache-2.0
// Age of a snowflake: skewed, stepped and hostile clocks.
#include "delivery/clock_offset.hpp"

#include <gtest/gtest.h>

#include <random>

namespace shardgate {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr milliseconds discord_start = 1'700'000'000'000ms;  // Discord's unix time at steady zero

snowflake made_at(milliseconds steady) {
    const auto since_epoch = (discord_start + steady).count() - 1420070400000;
    return snowflake(static_cast<std::uint64_t>(since_epoch) << 22);
}

// A host whose wall clock is `skew` ahead of Discord's.
struct host {
    clock_offset offset;
    milliseconds skew{};

    [[nodiscard]] wall_ms wall(milliseconds steady) const {
        return wall_ms(discord_start + steady + skew);
    }
    void observe(milliseconds made, milliseconds received) {
        offset.observe(made_at(made), time_point(received), wall(received));
    }
    [[nodiscard]] milliseconds age(milliseconds made, milliseconds received) const {
        const time_point created =
            offset.created(made_at(made), time_point(received), wall(received));
        return std::chrono::duration_cast<milliseconds>(time_point(received) - created);
    }
    void learn(milliseconds now, milliseconds latency = 50ms) {
        observe(now - latency, now);
        observe(now - latency, now);
    }
};

TEST(ClockOffset, KnowingNothingAnEventIsAsOldAsItsReceipt) {
    const host h;
    EXPECT_EQ(h.age(10s, 15s), 0ms);
}

TEST(ClockOffset, WhatItTookBeyondTheBestIsItsAge) {
    host h;
    h.learn(60s, 50ms);
    EXPECT_EQ(h.age(61s, 61s + 50ms), 0ms);
    EXPECT_EQ(h.age(61s, 61s + 1550ms), 1500ms);
}

TEST(ClockOffset, NeverLaterThanReceipt) {
    host h;
    h.learn(60s, 500ms);
    EXPECT_EQ(h.age(61s, 61s + 20ms), 0ms);
}

TEST(ClockOffset, AWrongWallClockDoesNotMatter) {
    for (const milliseconds skew : {-1800s, -7s, 7s, 1800s}) {
        host h;
        h.skew = skew;
        h.learn(60s);
        EXPECT_EQ(h.age(61s, 61s + 1050ms), 1000ms);
    }
}

TEST(ClockOffset, AWallClockBeingSetDoesNotMatter) {
    host h;
    h.learn(60s);
    h.skew = 600s;
    EXPECT_EQ(h.age(61s, 61s + 50ms), 0ms);
    h.skew = -600s;
    EXPECT_EQ(h.age(61s, 61s + 1050ms), 1000ms);
}

TEST(ClockOffset, IdsAnHourOffAreNotBelieved) {
    host h;
    h.observe(60s - 3601s, 60s);
    h.observe(60s - 3601s, 60s);
    h.observe(60s + 3601s, 60s);
    h.observe(60s + 3601s, 60s);
    EXPECT_EQ(h.age(61s, 62s), 0ms) << "nothing was learnt";
    h.learn(63s);
    EXPECT_EQ(h.age(64s, 65s + 50ms), 1000ms);
    EXPECT_EQ(h.age(65s - 3601s, 65s), 0ms) << "nor is one such id's own age";
    EXPECT_EQ(h.age(65s + 3601s, 65s), 0ms);
}

TEST(ClockOffset, TheExtremesOfSnowflakesAreHarmless) {
    clock_offset offset;
    for (const std::uint64_t id : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}}) {
        offset.observe(snowflake(id), time_point(60s), wall_ms(discord_start));
        EXPECT_EQ(offset.created(snowflake(id), time_point(60s), wall_ms(discord_start)),
                  time_point(60s));
    }
    EXPECT_EQ(offset.created(made_at(0s), time_point(60s), wall_ms(discord_start)),
              time_point(60s));
}

TEST(ClockOffset, OneIdFromTheFutureDoesNotMakeTheOthersOld) {
    host h;
    h.learn(60s);
    h.observe(61s + 1800s, 61s);
    EXPECT_EQ(h.age(62s, 62s + 50ms), 0ms);
    EXPECT_EQ(h.age(62s, 63s + 50ms), 1000ms);
}

TEST(ClockOffset, NorDoesOneThatComesFirst) {
    host h;
    h.observe(61s + 1800s, 61s);
    EXPECT_EQ(h.age(62s, 62s + 50ms), 0ms);
    h.learn(62s);
    EXPECT_EQ(h.age(63s, 64s + 50ms), 1000ms);
}

TEST(ClockOffset, AReplaySeenFirstDoesNotHideTheTruth) {
    host h;
    h.observe(0s, 60s);  // two events that waited a minute at Discord
    h.observe(1s, 60s);
    EXPECT_EQ(h.age(61s, 61s + 50ms), 0ms);
    h.learn(62s);
    EXPECT_EQ(h.age(3s, 63s + 50ms), 60s);
}

TEST(ClockOffset, AgesAreBounded) {
    host h;
    h.learn(60s);
    h.skew = -1800s;
    EXPECT_EQ(h.age(60s, 60s + 5000s), 3600s);
}

TEST(ClockOffset, ASmallestDifferenceIsForgottenInTime) {
    host h;
    h.learn(0s, 0ms);
    for (milliseconds t = 60s; t <= 10min; t += 60s)
        h.learn(t, 800ms);
    EXPECT_EQ(h.age(10min, 10min + 800ms), 800ms) << "ten minutes are remembered";
    h.learn(11min + 1s, 800ms);
    EXPECT_EQ(h.age(11min, 11min + 800ms), 0ms);
}

TEST(ClockOffset, AfterALongSilenceItStartsAnew) {
    host h;
    h.learn(0s, 0ms);
    h.observe(100min - 900ms, 100min);
    EXPECT_EQ(h.age(100min, 100min + 900ms), 0ms);
}

TEST(ClockOffset, AReceiptThatComesOutOfOrderIsTakenAsNow) {
    host h;
    h.learn(20min, 500ms);
    h.observe(5min - 100ms, 5min);
    EXPECT_EQ(h.age(20min, 20min + 600ms), 500ms);
}

// Against the plain definition: the smallest difference of the last minutes.
TEST(ClockOffsetProperty, AgreesWithTheSmallestDifferenceOfTheWindow) {
    for (unsigned seed = 1; seed <= 20; ++seed) {
        SCOPED_TRACE(seed);
        std::mt19937 random(seed);
        host h;
        h.skew = milliseconds(static_cast<int>(random() % 100'000) - 50'000);
        std::vector<std::pair<milliseconds, milliseconds>> seen;  // received, latency
        milliseconds now = 1s;
        for (int i = 0; i < 400; ++i) {
            now += milliseconds(random() % 20'000);
            const milliseconds latency(random() % 1500);  // all agree within two seconds
            h.observe(now - latency, now);
            seen.emplace_back(now, latency);
            if (i == 0) continue;
            // Whole minutes are forgotten, so the truth lies between two windows.
            milliseconds at_least = 1500ms;
            milliseconds at_most = 1500ms;
            for (const auto& [received, taken] : seen) {
                const auto minutes = std::chrono::floor<std::chrono::minutes>(now) -
                                     std::chrono::floor<std::chrono::minutes>(received);
                if (minutes <= 10min) at_least = std::min(at_least, taken);
                if (now - received <= 9min) at_most = std::min(at_most, taken);
            }
            const milliseconds age = h.age(now - 10s, now);
            ASSERT_LE(age, 10s - at_least);
            ASSERT_GE(age, 10s - at_most);
        }
    }
}

}  // namespace
}  // namespace shardgate
