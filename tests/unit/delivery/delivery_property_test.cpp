// SPDX-License-Identifier: Apache-2.0
// Random schedules of everything that can happen to the delivery core, in every ordering, balance,
// batch size and overflow policy: random_world_rules.cpp must hold. SHARDGATE_SEEDS sets how many
// seeds, SHARDGATE_SEED runs one alone.
#include <cstdlib>

#include "unit/delivery/random_world.hpp"

namespace shardgate {
namespace {

std::uint64_t number_in(const char* variable, std::uint64_t otherwise) {
    const char* text = std::getenv(variable);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST(DeliveryProperty, OrderBooksBoundsAndFencesHoldWhateverHappens) {
    const std::uint64_t one = number_in("SHARDGATE_SEED", 0);
    const std::uint64_t first = one != 0 ? one : 1;
    const std::uint64_t last = one != 0 ? one : number_in("SHARDGATE_SEEDS", 120);
    for (std::uint64_t seed = first; seed <= last; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        testing::random_world world(seed);
        for (int i = 0; i < 400 && !::testing::Test::HasFailure(); ++i)
            world.step();
        if (!::testing::Test::HasFailure()) world.finish();
        ASSERT_FALSE(::testing::Test::HasFailure());
    }
}

}  // namespace
}  // namespace shardgate
