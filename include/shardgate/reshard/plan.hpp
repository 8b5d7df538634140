// SPDX-License-Identifier: Apache-2.0
// Whether the bot can have another number of shards, which one, what that costs, and if not, why
// not. Pure: told what Discord said a moment ago. Owner: fleet. Rules: docs/resharding.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "shardgate/base/result.hpp"
#include "shardgate/base/time.hpp"
#include "shardgate/config/config.hpp"
#include "shardgate/metrics/snapshots.hpp"

namespace shardgate {

// A shard may hold so many guilds; Discord lets no fuller one identify (close code 4011).
inline constexpr std::uint32_t guilds_per_shard = 2500;
// More shards than any bot has.
inline constexpr std::uint32_t most_shards = 16384;

struct reshard_question {
    std::optional<std::uint32_t> wanted;  // nothing: "auto"
    bool by_hand = true;
    std::uint32_t current = 0;          // the total in force
    std::uint32_t first = 0, last = 0;  // what this daemon holds of it, inclusive
    // As Discord said just now, `remaining` already lowered by our own count.
    std::uint32_t recommended = 0;
    std::uint32_t limit_total = 0, remaining = 0;
    duration reset_after{0};  // 0 = no window is running
    std::uint32_t max_concurrency = 1;
    // As configured (sharding.*).
    std::optional<std::uint32_t> max_concurrency_cap;
    duration identify_interval{0};
    std::uint32_t identify_reserve = 0;
    // Of this daemon's shards.
    std::uint64_t guilds = 0, fullest = 0;
};

struct reshard_plan {
    std::uint32_t from = 0, to = 0;
    std::uint32_t first = 0, last = 0;  // of the new set: its lowest and its highest shard
    // Every shard of the new set, when it is not all from first to last: a daemon that holds a part
    // of the shards holds theirs of the new set (the guilds of shard i are then on i, i + from, …).
    std::vector<std::uint32_t> ids;
    std::uint32_t session_starts = 0;
    std::uint32_t remaining = 0;  // session starts left now, before
    duration identifying{0};      // until the last of the new shards identifies, if all goes well
    duration estimated{0};        // until the new set leads: that, and the windows
    std::vector<std::string> warnings;  // sentences
};

// A failure's detail is the sentence a person gets.
[[nodiscard]] result<reshard_plan> make_plan(const reshard_question& q,
                                             const config::resharding& rules);

[[nodiscard]] reshard_plan_snapshot snapshot_of(const reshard_plan& plan,
                                                std::vector<std::string> voice_guilds = {});

}  // namespace shardgate
