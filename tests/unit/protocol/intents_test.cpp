// SPDX-License-Identifier: Apache-2.0
#include "shardgate/protocol/intents.hpp"

#include <gtest/gtest.h>

namespace shardgate {
namespace {

TEST(Intents, BothSpellingsAreAccepted) {
    EXPECT_EQ(intent_mask("GUILDS"), 1u);
    EXPECT_EQ(intent_mask("Guilds"), 1u);
    EXPECT_EQ(intent_mask("GUILD_MESSAGES"), 512u);
    EXPECT_EQ(intent_mask("GuildMessages"), 512u);
    EXPECT_EQ(intent_mask("DirectMessagePolls"), 1u << 25);
}

TEST(Intents, OlderNamesMeanTheSameBits) {
    EXPECT_EQ(intent_mask("GUILD_BANS"), intent_mask("GUILD_MODERATION"));
    EXPECT_EQ(intent_mask("GuildEmojisAndStickers"), intent_mask("GUILD_EXPRESSIONS"));
}

TEST(Intents, OtherNamesAreRefused) {
    for (const char* name :
         {"", "guilds", "GUILD", "GUILDSX", "GuildmessageS", "GUILD-MESSAGES", "Guild_Messages"})
        EXPECT_FALSE(intent_mask(name).has_value()) << name;
}

TEST(Intents, TheTableAddsUpToAllIntents) {
    std::uint64_t mask = 0;
    std::uint64_t privileged = 0;
    for (const intent& i : known_intents()) {
        mask |= std::uint64_t{1} << i.bit;
        if (i.privileged) privileged |= std::uint64_t{1} << i.bit;
        EXPECT_EQ(intent_mask(i.name), std::uint64_t{1} << i.bit);
    }
    EXPECT_EQ(mask, all_intents);
    EXPECT_EQ(mask & ~privileged, 53575421u);  // all unprivileged ones, by Discord's table
}

TEST(Intents, DescriptionNamesWhatItKnowsAndCountsTheRest) {
    EXPECT_EQ(describe_intents(513), "GUILDS, GUILD_MESSAGES");
    EXPECT_EQ(describe_intents(0), "");
    EXPECT_EQ(describe_intents((1u << 17) | 1u), "GUILDS, bit 17");
    EXPECT_EQ(describe_intents(std::uint64_t{1} << 63), "bit 63");
}

}  // namespace
}  // namespace shardgate
