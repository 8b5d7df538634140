// SPDX-License-Identifier: Apache-2.0
// The spool's tables: what is written to them and read from them, one function a purpose. Every
// function that answers false has left the reason in the database's status. Used by spool_file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "shardgate/config/config.hpp"
#include "shardgate/delivery/spool.hpp"
#include "shardgate/store/records.hpp"
#include "store/database.hpp"
#include "store/event_columns.hpp"
#include "store/schema.hpp"

namespace shardgate::store {

[[nodiscard]] const file_format& spool_format();

struct write_counts {
    std::uint64_t rows = 0, freed = 0;
};
// Inside a transaction of the caller's. May be done again after a failure, in whole.
bool apply_batch(database& db, const store_batch& batch, std::size_t dead_letters_max,
                 write_counts& counts);

bool read_lane(database& db, const spool_read& what, session_cache& sessions,
               std::vector<spool_row>& out);
bool list_candidates(database& db, const spool_candidates& what, std::vector<spool_row_info>& out);

// Gives every row the lane of this mode if the last one was another.
bool use_ordering(database& db, config::ordering_mode mode);
bool forget_interactions(database& db, wall_ms before);
// Everything but notices and spool_lost. Interactions from before `interactions_from` are left out.
bool load_state(database& db, wall_ms interactions_from, session_cache& sessions,
                stored_state& out);

// Gives a part of many free pages back to the system.
bool shrink(database& db);

// What a stored number of one of our enums may be.
[[nodiscard]] bool valid_lane_kind(std::int64_t value) noexcept;

}  // namespace shardgate::store
