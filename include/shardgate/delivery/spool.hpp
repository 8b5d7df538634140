// SPDX-License-Identifier: Apache-2.0
// What delivery wants written to the spool and read back from it: values. Delivery decides, storage
// does; both know only these. Rules: docs/spool.md.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "shardgate/base/ids.hpp"
#include "shardgate/base/time.hpp"
#include "shardgate/delivery/event.hpp"
#include "shardgate/delivery/lane_key.hpp"
#include "shardgate/protocol/event_name.hpp"

namespace shardgate {

enum class interaction_answer : std::uint8_t;  // delivery.hpp

// An event's row. Within a lane rows are in order of their positions.
struct spool_row {
    std::uint64_t position = 0;  // arrival order over all lanes, never used twice, from 1
    lane_key lane;
    std::uint64_t epoch = 0;  // between which fences of its shard it stands
    std::uint32_t attempts = 0;
    bool tells_gap = false;  // a SHARDGATE_GAP for a run of shed events
    event_ptr event;         // never null
};

// A row without its text: enough to give it up and to account for it.
struct spool_row_info {
    std::uint64_t position = 0;
    lane_key lane;
    std::uint64_t epoch = 0;
    generation gen{};
    shard_id shard{};
    shard_count shards{};
    event_id event = event_id::unknown;
    bool own = false;
    bool tells_gap = false;
    snowflake id{};
    wall_ms received_wall{};
    std::uint64_t bytes = 0;
};

// A dead letter's row.
struct dead_row {
    std::uint64_t number = 0;  // its identity, never used twice
    unsigned status = 0;
    std::uint32_t attempts = 0;
    wall_ms when{};
    std::string reason;
    event_ptr event;
};

// An interaction that was answered in the handler's stead, or is about to be.
struct interaction_row {
    snowflake id{};
    interaction_answer how{};
    wall_ms when{};
};

// What one transaction changes. Storage applies all of it or nothing.
struct spool_changes {
    std::vector<spool_row> rows;      // in order of position
    std::vector<std::uint64_t> done;  // positions to free; one that is not there is no error
    std::vector<dead_row> dead;
    std::vector<std::uint64_t> dead_done;
    std::vector<interaction_row> interactions;  // the same id again replaces
    // Small texts by name, replacing; an empty text is as good as none. What was shed and not told.
    std::vector<std::pair<std::string, std::string>> notes;

    [[nodiscard]] bool empty() const noexcept {
        return rows.empty() && done.empty() && dead.empty() && dead_done.empty() &&
               interactions.empty() && notes.empty();
    }
};

// Rows of one lane to read back, in order.
struct spool_read {
    lane_key lane;
    std::uint64_t from = 0;  // the first position wanted
    std::size_t rows = 0;    // at most so many,
    std::size_t bytes = 0;   // and not many more bytes than this, but at least one row
};

// Rows to consider giving up, the oldest first.
struct spool_candidates {
    shed_class rank{};                 // of this class,
    bool any_rank = false;             // or of every class
    wall_ms received_before{};         // only older ones; wall_ms::max() for all
    std::uint64_t after_position = 0;  // beyond this one
    std::size_t rows = 0;              // at most so many
};

// What the spool holds, as read at start.
struct spool_lane {
    lane_key lane;
    std::uint64_t first = 0;  // lowest position
    std::uint64_t rows = 0;
};
struct spool_epoch {  // unsettled events between two fences of a shard
    generation gen{};
    shard_id shard{};
    std::uint64_t epoch = 0;
    std::uint64_t rows = 0;
};
struct spool_contents {
    std::uint64_t last_position = 0;  // positions go on from here; rows long gone count too
    std::uint64_t rows = 0, bytes = 0;
    std::array<std::uint64_t, shed_class_count> by_class{};
    std::vector<spool_lane> lanes;    // in order of `first`
    std::vector<spool_epoch> epochs;  // in order of shard and epoch
    std::vector<dead_row> dead;       // in order of number
    std::vector<interaction_row> interactions;
    std::vector<std::pair<std::string, std::string>> notes;
};

}  // namespace shardgate
