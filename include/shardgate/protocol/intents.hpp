// SPDX-License-Identifier: Apache-2.0
// Gateway intents: names and bits (Discord docs, Gateway, List of Intents).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace shardgate {

struct intent {
    std::string_view name;  // GUILD_MESSAGES
    unsigned bit;           // 9
    bool privileged;
};

[[nodiscard]] std::span<const intent> known_intents() noexcept;
inline constexpr std::uint64_t all_intents = 53608447;

// Accepts GUILD_MESSAGES and GuildMessages, and the older names GUILD_BANS and
// GUILD_EMOJIS_AND_STICKERS. Empty = no such intent.
[[nodiscard]] std::optional<std::uint64_t> intent_mask(std::string_view name) noexcept;
// "GUILDS, GUILD_MESSAGES", for messages.
[[nodiscard]] std::string describe_intents(std::uint64_t mask);

}  // namespace shardgate
