// SPDX-License-Identifier: Apache-2.0
// Whole fleets against a simulated Discord: start-up time to the nanosecond, no IDENTIFY where a
// RESUME will do, pacing and budget through a day of failures.
#include <gtest/gtest.h>

#include <cstdlib>

#include "unit/identify/fleet_world.hpp"

namespace shardgate::test {
namespace {

std::uint64_t seeds() {
    const char* text = std::getenv("SHARDGATE_SEEDS");
    return text ? std::strtoull(text, nullptr, 10) : 1;
}

class ColdStart : public testing::TestWithParam<std::pair<std::uint32_t, std::uint32_t>> {};

TEST_P(ColdStart, FirstToLastIdentifyIsWavesLessOneTimesTheInterval) {
    const auto [count, concurrency] = GetParam();
    world_settings s;
    s.shards = count;
    s.max_concurrency = concurrency;
    fleet_world world(s);
    world.start_all();
    world.run(30min);
    EXPECT_EQ(world.broken(), "");
    EXPECT_EQ(world.count(shard_state::ready), count);
    EXPECT_EQ(world.identifies(), count);
    const auto waves = (count + concurrency - 1) / concurrency;
    EXPECT_EQ(world.last_identify() - world.first_identify(), (waves - 1) * interval);
    EXPECT_LE(world.longest_wait_connected(), 2 * interval) << "nobody sits connected for long";
}

INSTANTIATE_TEST_SUITE_P(Sizes, ColdStart,
                         testing::Values(std::pair{1U, 1U}, std::pair{40U, 1U}, std::pair{64U, 16U},
                                         std::pair{208U, 16U}, std::pair{208U, 1U},
                                         std::pair{1000U, 16U}, std::pair{17U, 16U}));

TEST(FleetSimulation, Op7OnAllCostsNoIdentify) {
    fleet_world world({});
    world.start_all();
    world.run(10min);
    ASSERT_EQ(world.count(shard_state::ready), 208U);
    for (int wave = 0; wave < 5; ++wave) {
        world.op7_for_all();
        world.run(30s);
        EXPECT_EQ(world.count(shard_state::ready), 208U);
    }
    EXPECT_EQ(world.identifies(), 208U);
    EXPECT_EQ(world.broken(), "");
}

TEST(FleetSimulation, ANetworkOutageWithinTheResumeWindowCostsNoIdentify) {
    fleet_world world({});
    world.start_all();
    world.run(10min);
    world.network(false);
    world.op7_for_all();
    world.run(90s);
    EXPECT_EQ(world.count(shard_state::resuming), 208U);
    world.network(true);
    world.run(2min);
    EXPECT_EQ(world.count(shard_state::ready), 208U);
    EXPECT_EQ(world.identifies(), 208U);
}

TEST(FleetSimulation, AShardThatCannotConnectDoesNotHoldItsKey) {
    world_settings s;
    s.shards = 64;
    fleet_world world(s);
    world.cut_off(17);
    world.start_all();
    world.run(10min);
    EXPECT_EQ(world.count(shard_state::ready), 63U);
    EXPECT_LE(world.last_identify() - world.first_identify(), 3 * interval);
    EXPECT_EQ(world.pace().waiting(), 1U);
}

TEST(FleetSimulation, TheBudgetStopsTheFleetNotDiscord) {
    world_settings s;
    s.starts = 100;
    fleet_world world(s);
    world.start_all();
    world.run(1h);
    EXPECT_EQ(world.identifies(), 80U);
    EXPECT_TRUE(world.pace().blocked_until(world.now()));
    world.run(24h);
    EXPECT_EQ(world.identifies(), 160U) << "a window later";
    world.run(24h);
    EXPECT_EQ(world.count(shard_state::ready), 208U);
    EXPECT_EQ(world.broken(), "");
}

TEST(FleetSimulationProperty, ADayOfFailuresKeepsPaceAndBudgetAndStarvesNobody) {
    for (std::uint64_t seed = 1; seed <= seeds(); ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        world_settings s;
        s.seed = seed;
        s.jitter = 200ms;
        s.mean_life = 4h;
        s.connect_failures = 0.05;
        s.identify_failures = 0.1;
        fleet_world world(s);
        world.start_all();
        for (int hour = 0; hour < 24 && world.broken().empty(); ++hour) {
            if (hour % 6 == 3) world.op7_for_all();
            if (hour % 8 == 5) world.network(false);
            world.run(2min);
            world.network(true);
            world.run(58min);
        }
        ASSERT_EQ(world.broken(), "");
        world.calm();
        world.run(8h);  // what was scheduled before still happens
        EXPECT_GE(world.count(shard_state::ready), 200U);
        EXPECT_GT(world.identifies(), 300U) << "the day must have had failures";
        EXPECT_LT(world.identifies(), 1980U);
    }
}

}  // namespace
}  // namespace shardgate::test
