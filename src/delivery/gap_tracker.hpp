// SPDX-License-Identifier: Apache-2.0
// What was shed and not yet told to the handler, per shard: one SHARDGATE_GAP for each run. Pure.
// Owner: delivery.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shardgate/delivery/event.hpp"
#include "shardgate/protocol/event_name.hpp"

namespace shardgate {

struct gap {
    shard_id shard{};
    shard_count shards{};
    generation gen{};
    wall_ms from{}, to{};  // receipt of the first and the last event shed
    std::vector<std::pair<std::string_view, std::uint64_t>>
        counts;  // names unknown to us: "UNKNOWN"
};

class gap_tracker {
public:
    struct victim {
        generation gen{};
        shard_id shard{};
        shard_count shards{};
        event_id event = event_id::unknown;
        wall_ms received{};
    };
    void on_shed(const victim& what, time_point now);

    // A run to tell, to be queued at once: any when there is room again (`relaxed`), else one that
    // has lasted a minute. A shard whose last gap the handler has not taken yet goes on counting.
    [[nodiscard]] std::optional<gap> take(bool relaxed, time_point now);
    // The handler took (or refused) the gap event that take() led to.
    void on_told(generation gen, shard_id shard);

    [[nodiscard]] bool pending() const noexcept { return !runs_.empty(); }

    // What is not told yet survives as named texts: those that changed since the last call; an
    // empty text means that the run was told, and is left for later without `told_too`.
    [[nodiscard]] std::vector<std::pair<std::string, std::string>> take_changes(bool told_too);
    [[nodiscard]] bool changed() const noexcept { return !changed_.empty(); }
    // One of them, read back at start. False: it is none.
    bool restore(std::string_view name, std::string_view text, time_point now);
    // Nothing of it is on disk any more.
    void forget_kept();

private:
    static constexpr duration patience = std::chrono::minutes(1);

    using key = std::pair<generation, shard_id>;
    struct run {
        shard_count shards{};
        wall_ms from{}, to{};
        time_point began{};
        std::map<event_id, std::uint64_t> counts;
    };
    std::map<key, run> runs_;  // bounded by the number of shards
    std::set<key> untold_;     // a gap event of this shard is queued
    std::set<key> changed_;    // since take_changes()
};

}  // namespace shardgate
