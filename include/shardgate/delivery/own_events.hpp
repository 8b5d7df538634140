// SPDX-License-Identifier: Apache-2.0
// Makes the daemon's own events (SHARDGATE_…): their fields and their keys. Pure; one per loop.
// Fields: docs/delivery.md, "The daemon's own events".
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shardgate/base/ids.hpp"
#include "shardgate/base/time.hpp"
#include "shardgate/delivery/event.hpp"

namespace shardgate {

enum class interaction_answer : std::uint8_t;  // delivery.hpp

class own_event_factory {
public:
    using event_counts = std::vector<std::pair<std::string_view, std::uint64_t>>;

    // Keys are "shardgate-<run_id>-<n>". `run_id` must differ between processes, and between the
    // factories of one; of it at most 64 characters count, and only letters, digits and "._~-".
    explicit own_event_factory(std::string_view run_id);

    // SHARDGATE_GAP. `reason` is "shed", "session_lost" or "storage". Null counts: not known.
    [[nodiscard]] event_ptr gap(shard_id shard, shard_count shards, generation gen,
                                std::string_view reason, wall_ms from, wall_ms to,
                                const event_counts* counts, time_point now, wall_ms wall);
    [[nodiscard]] event_ptr guilds_loaded(shard_id shard, shard_count shards, generation gen,
                                          std::size_t guilds, std::size_t unavailable,
                                          time_point now, wall_ms wall);
    // SHARDGATE_INTERACTION, for the lane of `of`: same shard, guild and channel.
    [[nodiscard]] event_ptr interaction(const queued_event& of, interaction_answer how,
                                        time_point now, wall_ms wall);
    // SHARDGATE_RESHARDED, of the new set's `shard`.
    [[nodiscard]] event_ptr resharded(shard_id shard, shard_count from, shard_count to,
                                      generation gen, wall_ms started, time_point now,
                                      wall_ms wall);

private:
    [[nodiscard]] std::string next_key();

    std::string prefix_;
    std::uint64_t made_ = 0;
};

}  // namespace shardgate
