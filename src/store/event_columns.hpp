// SPDX-License-Identifier: Apache-2.0
// An event as columns of a row, in the spool and among the dead letters alike. Knows the order of
// the columns; must not know the rest of either table.
#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>

#include "shardgate/base/time.hpp"
#include "shardgate/delivery/event.hpp"
#include "store/database.hpp"

namespace shardgate::store {

// As they stand in CREATE TABLE, the frame last: what is before it is read without it.
inline constexpr std::size_t event_column_count = 18;
[[nodiscard]] const std::string& event_column_names();  // "gen, shard, …"
[[nodiscard]] const std::string& event_column_marks();  // "?, ?, …"

// Binds all of them. The event must live until the statement has run.
void bind_event(query& q, const queued_event& event);

// Session ids by their text, so that the rows of one session share one copy. Bounded.
class session_cache {
public:
    [[nodiscard]] session_handle share(std::string_view id);

private:
    static constexpr std::size_t max_sessions = 4096;
    std::unordered_map<std::string, session_handle> known_;
};

// When "now" is, on both clocks: a stored event's age is what the wall says.
struct now_pair {
    time_point steady{};
    wall_ms wall{};
    [[nodiscard]] static now_pair read();
    // Not before the clock's epoch, not in the future.
    [[nodiscard]] time_point steady_at(wall_ms then) const noexcept;
};

// The next columns of the row. Null (and damage noted) when they are nothing we ever write.
[[nodiscard]] event_ptr read_event(query& q, database& db, session_cache& sessions,
                                   const now_pair& now);

}  // namespace shardgate::store
