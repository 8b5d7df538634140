// SPDX-License-Identifier: Apache-2.0
#include "shardgate/guild/guild_table.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <unordered_map>

namespace shardgate {
namespace {

TEST(GuildTable, AnEmptyOneHasNothing) {
    guild_table table;
    EXPECT_EQ(table.find(snowflake(1)), guild_state::absent);
    EXPECT_EQ(table.find(snowflake()), guild_state::absent);
    EXPECT_EQ(table.erase(snowflake(1)), guild_state::absent);
    EXPECT_EQ(table.size(), 0u);
    EXPECT_TRUE(table.ids().empty());
}

TEST(GuildTable, StatesAreSetChangedAndErased) {
    guild_table table;
    table.set(snowflake(7), guild_state::loading);
    table.set(snowflake(7), guild_state::present);
    EXPECT_EQ(table.size(), 1u);
    EXPECT_EQ(table.find(snowflake(7)), guild_state::present);
    EXPECT_EQ(table.erase(snowflake(8)), guild_state::absent);
    EXPECT_EQ(table.erase(snowflake(7)), guild_state::present);
    EXPECT_EQ(table.size(), 0u);
    EXPECT_EQ(table.find(snowflake(7)), guild_state::absent);
}

TEST(GuildTable, ReservedSpaceKeepsWhatIsThere) {
    guild_table table;
    table.set(snowflake(7), guild_state::joining);
    table.reserve(10000);
    table.reserve(0);
    EXPECT_EQ(table.find(snowflake(7)), guild_state::joining);
    table.clear();
    EXPECT_EQ(table.find(snowflake(7)), guild_state::absent);
}

TEST(GuildTableProperty, BehavesLikeAMapUnderRandomUse) {
    const unsigned seed = 1789;
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    guild_table table;
    std::unordered_map<std::uint64_t, guild_state> model;
    for (int step = 0; step < 200000; ++step) {
        // Few ids, so that they meet; some neighbours, some far apart.
        const std::uint64_t id = 1 + (random() % 300) * (random() % 2 == 0 ? 1 : (1ULL << 40));
        if (random() % 3 == 0) {
            const auto known = model.find(id);
            EXPECT_EQ(table.erase(snowflake(id)),
                      known == model.end() ? guild_state::absent : known->second);
            model.erase(id);
        } else {
            const auto state = static_cast<guild_state>(1 + random() % 4);
            table.set(snowflake(id), state);
            model[id] = state;
        }
        ASSERT_EQ(table.size(), model.size()) << step;
        if (step % 1000 != 0) continue;
        for (const auto& [key, state] : model)
            ASSERT_EQ(table.find(snowflake(key)), state) << step;
        std::vector<snowflake> ids = table.ids();
        ASSERT_EQ(ids.size(), model.size());
        std::sort(ids.begin(), ids.end());
        EXPECT_EQ(std::unique(ids.begin(), ids.end()), ids.end());
    }
}

}  // namespace
}  // namespace shardgate
