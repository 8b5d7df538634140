// SPDX-License-Identifier: Apache-2.0
// Random worlds that two shard sets see: what either shows goes on exactly once, in order.
// SHARDGATE_SEEDS sets how many worlds, SHARDGATE_SEED runs one alone, SHARDGATE_LANE tells the
// story of one lane in it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

#include "unit/reshard/pairing_model.hpp"

namespace shardgate::testing {
namespace {

std::uint64_t number_in(const char* variable, std::uint64_t otherwise) {
    const char* text = std::getenv(variable);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

std::string end_of(const std::string& story) {
    constexpr std::size_t most = 6000;
    return story.size() <= most || std::getenv("SHARDGATE_LANE") != nullptr
               ? story
               : story.substr(story.size() - most);
}

// Runs `share` of the seeds; a world that breaks a rule is run again, for its lane's story.
pairing_tally run(pairing_world world, double share) {
    const std::uint64_t one = number_in("SHARDGATE_SEED", 0);
    const auto count =
        static_cast<std::uint64_t>(share * static_cast<double>(number_in("SHARDGATE_SEEDS", 50)));
    pairing_tally sum;
    for (std::uint64_t seed = 1; seed <= (one != 0 ? 1 : count); ++seed) {
        world.seed = one != 0 ? one : seed;
        pairing_model model(world);
        model.run();
        sum.add(model.tally());
        std::optional<std::size_t> told = model.wrong_lane();
        if (const std::uint64_t lane = number_in("SHARDGATE_LANE", 0); lane != 0) told = lane;
        if (model.fault().empty() && told == model.wrong_lane()) continue;
        if (!model.fault().empty()) ADD_FAILURE() << model.fault();
        if (!told) continue;
        world.told = told;
        pairing_model again(world);
        again.run();
        std::cout << "Lane " << *told << " of seed " << world.seed << ":\n"
                  << end_of(again.story());
        world.told.reset();
    }
    std::cout << sum.happened << " events, " << sum.copies << " copies, " << sum.released
              << " released, " << sum.resets << " resets, " << sum.new_sessions
              << " new sessions; lanes: " << sum.lanes << ", hard " << sum.hard << ", doubtful "
              << sum.doubtful << ", guessed " << sum.guessed << ", started over "
              << sum.started_over << "; wrong " << sum.wrong << ": " << sum.lost << " lost, "
              << sum.doubled << " doubled; at most " << sum.most_records << " records, "
              << sum.most_held_bytes << " bytes held\n";
    return sum;
}

TEST(PairingProperty, WhatEitherSetShowsGoesOnExactlyOnceAndInOrder) {
    const pairing_tally t = run({}, 1);
    EXPECT_GT(t.released, 0U);
    EXPECT_GT(t.new_sessions, 0U);
    EXPECT_LE(t.doubtful * 50, t.lanes);
    EXPECT_LE(t.wrong * 1000, t.lanes);
}

TEST(PairingProperty, LanesThatShowOneContentOnlyDoNotDisturbOthersAndAreRarelyWrong) {
    pairing_world world;
    world.hard_lanes = 0.1;
    const pairing_tally t = run(world, 0.2);
    EXPECT_GT(t.hard, 0U);
    EXPECT_LE(t.wrong * 5, t.hard);
}

TEST(PairingProperty, AtItsBoundsItIsStillExactWhileNoSessionIsLost) {
    pairing_world world;
    world.new_sessions = false;
    world.records = 400;
    world.held_bytes = 30'000;
    const pairing_tally t = run(world, 0.2);
    EXPECT_GT(t.started_over, 0U);
}

TEST(PairingProperty, WhereNobodyCanKnowTheBooksBalanceYet) {
    pairing_world world;
    world.hopeless = true;
    world.hard_lanes = 0.05;
    (void)run(world, 0.2);
}

}  // namespace
}  // namespace shardgate::testing
