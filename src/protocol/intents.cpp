// SPDX-License-Identifier: Apache-2.0
// The intents table (Discord docs, Gateway, List of Intents).
#include "shardgate/protocol/intents.hpp"

#include <array>
#include <cstddef>

namespace shardgate {
namespace {

constexpr std::array intents = {
    intent{"GUILDS", 0, false},
    intent{"GUILD_MEMBERS", 1, true},
    intent{"GUILD_MODERATION", 2, false},
    intent{"GUILD_EXPRESSIONS", 3, false},
    intent{"GUILD_INTEGRATIONS", 4, false},
    intent{"GUILD_WEBHOOKS", 5, false},
    intent{"GUILD_INVITES", 6, false},
    intent{"GUILD_VOICE_STATES", 7, false},
    intent{"GUILD_PRESENCES", 8, true},
    intent{"GUILD_MESSAGES", 9, false},
    intent{"GUILD_MESSAGE_REACTIONS", 10, false},
    intent{"GUILD_MESSAGE_TYPING", 11, false},
    intent{"DIRECT_MESSAGES", 12, false},
    intent{"DIRECT_MESSAGE_REACTIONS", 13, false},
    intent{"DIRECT_MESSAGE_TYPING", 14, false},
    intent{"MESSAGE_CONTENT", 15, true},
    intent{"GUILD_SCHEDULED_EVENTS", 16, false},
    intent{"AUTO_MODERATION_CONFIGURATION", 20, false},
    intent{"AUTO_MODERATION_EXECUTION", 21, false},
    intent{"GUILD_MESSAGE_POLLS", 24, false},
    intent{"DIRECT_MESSAGE_POLLS", 25, false},
};

struct old_name {
    std::string_view name;
    unsigned bit;
};
constexpr std::array old_names = {
    old_name{"GUILD_BANS", 2},
    old_name{"GUILD_EMOJIS_AND_STICKERS", 3},
};

constexpr std::uint64_t every_bit() {
    std::uint64_t mask = 0;
    for (const intent& i : intents)
        mask |= std::uint64_t{1} << i.bit;
    return mask;
}
static_assert(every_bit() == all_intents);

// Whether `name` is `upper` (GUILD_MESSAGES) or the same in Pascal case (GuildMessages).
constexpr bool spells(std::string_view name, std::string_view upper) {
    if (name == upper) return true;
    std::size_t at = 0;
    bool word_starts = true;
    for (const char c : upper) {
        if (c == '_') {
            word_starts = true;
            continue;
        }
        const char expected = word_starts ? c : static_cast<char>(c - 'A' + 'a');
        if (at == name.size() || name[at] != expected) return false;
        ++at;
        word_starts = false;
    }
    return at == name.size();
}

}  // namespace

std::span<const intent> known_intents() noexcept {
    return intents;
}

std::optional<std::uint64_t> intent_mask(std::string_view name) noexcept {
    for (const intent& i : intents)
        if (spells(name, i.name)) return std::uint64_t{1} << i.bit;
    for (const old_name& o : old_names)
        if (spells(name, o.name)) return std::uint64_t{1} << o.bit;
    return std::nullopt;
}

std::string describe_intents(std::uint64_t mask) {
    std::string text;
    const auto add = [&text](std::string_view word) {
        if (!text.empty()) text += ", ";
        text += word;
    };
    for (const intent& i : intents)
        if ((mask >> i.bit) & 1) add(i.name);
    for (unsigned bit = 0; bit < 64; ++bit)
        if (((mask & ~all_intents) >> bit) & 1) add("bit " + std::to_string(bit));
    return text;
}

}  // namespace shardgate
