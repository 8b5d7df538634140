// SPDX-License-Identifier: Apache-2.0
// For any schedule of accept, refuse, fail, crash and restart: the safe mark is never above an
// event that could be lost, order holds, and the books balance.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "unit/delivery/crash_world.hpp"

namespace shardgate::testing {
namespace {

std::uint64_t seeds() {
    if (const char* one = std::getenv("SHARDGATE_SEED")) return std::strtoull(one, nullptr, 10);
    const char* more = std::getenv("SHARDGATE_SEEDS");
    return more != nullptr ? std::strtoull(more, nullptr, 10) : 300;
}

// One seed alone again: SHARDGATE_SEED=N.
std::uint64_t first_seed() {
    const char* one = std::getenv("SHARDGATE_SEED");
    return one != nullptr ? std::strtoull(one, nullptr, 10) : 1;
}

TEST(NoLossProperty, NothingIsLostWhateverHappens) {
    for (std::uint64_t seed = first_seed(); seed <= seeds(); ++seed) {
        crash_world world(seed);
        for (int i = 0; i < 600 && !HasFailure(); ++i)
            world.step();
        if (!HasFailure()) world.finish();
        ASSERT_FALSE(HasFailure()) << "seed " << seed;
    }
}

}  // namespace
}  // namespace shardgate::testing
