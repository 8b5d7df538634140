// SPDX-License-Identifier: Apache-2.0
// Reading rows back from the spool's tables while the daemon runs.
#include <algorithm>
#include <string>

#include "store/spool_tables.hpp"

namespace shardgate::store {
namespace {

// What one answer holds at most, whatever is asked for.
constexpr std::size_t max_rows = 65536;

// Rows lie nearly in order of time, but not quite where a clock was set: the search for old ones
// ends after this many in a row that are not, or it would read the whole spool each time.
constexpr std::size_t young_rows = 256;

std::int64_t limited(std::size_t rows) {
    return static_cast<std::int64_t>(std::min(rows, max_rows));
}

const std::string& candidate_columns() {
    static const std::string columns =
        "SELECT position, lane_kind, lane, epoch, gen, shard, shards, event, session IS NULL, "
        "tells_gap, id, received_wall, bytes FROM events ";
    return columns;
}

bool read_info(query& q, database& db, spool_row_info& out) {
    out.position = q.bits();
    const std::int64_t kind = q.number();
    out.lane.what = static_cast<lane_key::kind>(kind);
    out.lane.id = q.bits();
    out.epoch = q.bits();
    out.gen = generation{static_cast<std::uint32_t>(q.number())};
    out.shard = shard_id{static_cast<std::uint32_t>(q.number())};
    out.shards = shard_count{static_cast<std::uint32_t>(q.number())};
    out.event = find_event(q.bytes());
    out.own = q.number() > 0;
    out.tells_gap = q.number() != 0;
    out.id = snowflake{q.bits()};
    out.received_wall = wall_ms(std::chrono::milliseconds(q.number()));
    out.bytes = q.bits();
    if (valid_lane_kind(kind)) return true;
    db.note_damage("a row lies in a lane that cannot be");
    return false;
}

}  // namespace

bool read_lane(database& db, const spool_read& what, session_cache& sessions,
               std::vector<spool_row>& out) {
    if (what.rows == 0) return true;
    static const std::string sql =
        "SELECT position, epoch, attempts, tells_gap, " + event_column_names() +
        " FROM events INDEXED BY events_by_lane WHERE lane_kind = ? AND lane = ? AND "
        "position >= ? ORDER BY position LIMIT ?";
    const now_pair now = now_pair::read();
    query q(db, sql);
    q.number(static_cast<std::int64_t>(what.lane.what)).bits(what.lane.id).bits(what.from);
    q.number(limited(what.rows));
    std::size_t bytes = 0;
    while ((out.empty() || bytes < what.bytes) && q.row()) {
        spool_row r;
        r.position = q.bits();
        r.lane = what.lane;
        r.epoch = q.bits();
        r.attempts = static_cast<std::uint32_t>(q.number());
        r.tells_gap = q.number() != 0;
        r.event = read_event(q, db, sessions, now);
        if (r.event == nullptr) return false;
        bytes += r.event->weight();
        out.push_back(std::move(r));
    }
    return !q.failed();
}

bool list_candidates(database& db, const spool_candidates& what, std::vector<spool_row_info>& out) {
    const std::string sql =
        candidate_columns() + (what.any_rank ? "NOT INDEXED WHERE position > ? ORDER BY position"
                                             : "INDEXED BY events_by_rank WHERE rank = ? AND "
                                               "position > ? ORDER BY position");
    query q(db, sql);
    if (!what.any_rank) q.number(static_cast<std::int64_t>(what.rank));
    q.bits(what.after_position);
    const auto most = static_cast<std::size_t>(limited(what.rows));
    std::size_t young = 0;
    while (out.size() < most && young < young_rows && q.row()) {
        spool_row_info info;
        if (!read_info(q, db, info)) return false;
        // wall_ms::max() means all of them, also one that claims to be from the end of time.
        if (what.received_before == wall_ms::max() || info.received_wall < what.received_before) {
            out.push_back(info);
            young = 0;
        } else {
            ++young;
        }
    }
    return !q.failed();
}

}  // namespace shardgate::store
