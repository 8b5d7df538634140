// SPDX-License-Identifier: Apache-2.0
// How the shard plan and a resharding under way are kept on disk: facts, a line of text each. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "shardgate/base/time.hpp"
#include "shardgate/config/config.hpp"
#include "shardgate/fleet/fleet.hpp"

namespace shardgate::facts {

inline constexpr std::string_view plan = "plan";     // the set in force: a shard_range
inline constexpr std::string_view voices = "voice";  // guilds: see voice_book
inline constexpr std::string_view bot = "bot";
inline constexpr std::string_view reshard = "reshard";  // empty: none runs

// Whose keys are identities: key_ranges, one fact a shard set.
[[nodiscard]] std::string keys_of(generation gen);

// Whose sessions these are: another bot's, or one with other intents, cannot be resumed.
inline constexpr std::string_view identity = "identity";
[[nodiscard]] std::string identity_of(const config::discord& d);

// The plan in force and the file's sharding.total, for a person; empty when they agree.
[[nodiscard]] std::string disagreement(const shard_range& in_force, const config::sharding& wanted);

struct stored_reshard {
    std::string phase;  // starting, overlap, retiring
    shard_count from{};
    shard_range to;
    wall_ms started{};
};

[[nodiscard]] std::string text_of(const shard_range& range);
[[nodiscard]] std::string text_of(const stored_reshard& r);
// Nothing when there is none, or it cannot be read.
[[nodiscard]] std::optional<shard_range> read_range(std::string_view text);
[[nodiscard]] std::optional<stored_reshard> read_reshard(std::string_view text);

}  // namespace shardgate::facts
