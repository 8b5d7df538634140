// SPDX-License-Identifier: Apache-2.0
// Reading everything at start, and giving rows the lanes of the configured order.
#include <algorithm>
#include <string>

#include "shardgate/delivery/delivery.hpp"  // interaction_answer
#include "store/spool_tables.hpp"

namespace shardgate::store {
namespace {

wall_ms wall_at(std::int64_t unix_ms) {
    return wall_ms(std::chrono::milliseconds(unix_ms));
}

bool invalid(database& db, const char* what) {
    db.note_damage(what);
    return false;
}

bool load_sums(database& db, spool_contents& out) {
    query classes(db,
                  "SELECT rank, count(*), sum(bytes), max(position) FROM events INDEXED BY "
                  "events_by_rank GROUP BY rank");
    while (classes.row()) {
        const std::uint64_t rank = classes.bits();
        if (rank >= shed_class_count) return invalid(db, "a row has a class that cannot be");
        out.by_class[rank] = classes.bits();
        out.rows += out.by_class[rank];
        out.bytes += classes.bits();
        out.last_position = std::max(out.last_position, classes.bits());
    }
    if (classes.failed()) return false;
    query last(db, "SELECT value FROM meta WHERE name = 'last_position'");
    if (last.row()) out.last_position = std::max(out.last_position, last.bits());
    return !last.failed();
}

bool load_lanes(database& db, spool_contents& out) {
    query q(db,
            "SELECT lane_kind, lane, min(position), count(*) FROM events INDEXED BY "
            "events_by_lane GROUP BY lane_kind, lane");
    while (q.row()) {
        spool_lane l;
        const std::int64_t kind = q.number();
        if (!valid_lane_kind(kind)) return invalid(db, "a row lies in a lane that cannot be");
        l.lane.what = static_cast<lane_key::kind>(kind);
        l.lane.id = q.bits();
        l.first = q.bits();
        l.rows = q.bits();
        out.lanes.push_back(l);
    }
    std::sort(out.lanes.begin(), out.lanes.end(),
              [](const spool_lane& a, const spool_lane& b) { return a.first < b.first; });
    return !q.failed();
}

bool load_epochs(database& db, spool_contents& out) {
    query q(db,
            "SELECT gen, shard, epoch, count(*) FROM events INDEXED BY events_by_source "
            "GROUP BY gen, shard, epoch ORDER BY gen, shard, epoch");
    while (q.row()) {
        spool_epoch e;
        e.gen = generation{static_cast<std::uint32_t>(q.number())};
        e.shard = shard_id{static_cast<std::uint32_t>(q.number())};
        e.epoch = q.bits();
        e.rows = q.bits();
        out.epochs.push_back(e);
    }
    return !q.failed();
}

bool load_dead(database& db, session_cache& sessions, spool_contents& out) {
    static const std::string sql = "SELECT number, status, attempts, at, reason, " +
                                   event_column_names() + " FROM dead_letters ORDER BY number";
    const now_pair now = now_pair::read();
    query q(db, sql);
    while (q.row()) {
        dead_row d;
        d.number = q.bits();
        d.status = static_cast<unsigned>(q.number());
        d.attempts = static_cast<std::uint32_t>(q.number());
        d.when = wall_at(q.number());
        d.reason = q.bytes();
        d.event = read_event(q, db, sessions, now);
        if (d.event == nullptr) return false;
        out.dead.push_back(std::move(d));
    }
    return !q.failed();
}

bool load_interactions(database& db, wall_ms from, spool_contents& out) {
    query q(db, "SELECT id, how, at FROM interactions WHERE at >= ? ORDER BY at, id");
    q.number(from.time_since_epoch().count());
    while (q.row()) {
        interaction_row r;
        r.id = snowflake{q.bits()};
        const std::int64_t how = q.number();
        if (how < 0 || how > static_cast<std::int64_t>(interaction_answer::for_good))
            return invalid(db, "an interaction has an answer that cannot be");
        r.how = static_cast<interaction_answer>(how);
        r.when = wall_at(q.number());
        out.interactions.push_back(r);
    }
    return !q.failed();
}

bool load_guilds(database& db, stored_session& of) {
    query q(db, "SELECT guild, state FROM guilds WHERE gen = ? AND shard = ? ORDER BY guild");
    q.number(of.row.gen.value).number(of.row.shard.value);
    while (q.row()) {
        const snowflake guild{q.bits()};
        const std::int64_t state = q.number();
        const bool good = guild.value != 0 && state > 0 &&
                          state <= static_cast<std::int64_t>(guild_state::joining);
        if (!good) return invalid(db, "a guild has a state that cannot be");
        of.guilds.emplace_back(guild, static_cast<guild_state>(state));
    }
    return !q.failed();
}

bool load_spooled(database& db, stored_session& of) {
    query q(db,
            "SELECT seq FROM events INDEXED BY events_by_source WHERE gen = ? AND shard = ? AND "
            "seq > ? AND session = ?");
    q.number(of.row.gen.value).number(of.row.shard.value).bits(of.row.safe.value);
    q.bytes(of.row.session_id);
    while (q.row())
        of.spooled.push_back(q.bits());
    std::sort(of.spooled.begin(), of.spooled.end());
    return !q.failed();
}

bool load_sessions(database& db, std::vector<stored_session>& out) {
    query q(db,
            "SELECT gen, shard, shards, session_id, resume_url, safe, received, last_event, "
            "guilds_loaded FROM sessions ORDER BY gen, shard");
    while (q.row()) {
        stored_session s;
        s.row.gen = generation{static_cast<std::uint32_t>(q.number())};
        s.row.shard = shard_id{static_cast<std::uint32_t>(q.number())};
        s.row.shards = shard_count{static_cast<std::uint32_t>(q.number())};
        s.row.session_id = q.bytes();
        s.row.resume_url = q.bytes();
        s.row.safe = seq_no{q.bits()};
        s.row.received = seq_no{q.bits()};
        s.row.last_event = wall_at(q.number());
        s.row.guilds_loaded = q.number() != 0;
        if (!load_guilds(db, s) || !load_spooled(db, s)) return false;
        out.push_back(std::move(s));
    }
    return !q.failed();
}

bool load_facts(database& db, std::vector<std::pair<std::string, std::string>>& out) {
    query q(db, "SELECT name, value FROM facts ORDER BY name");
    while (q.row()) {
        std::string name(q.bytes());
        out.emplace_back(std::move(name), std::string(q.bytes()));
    }
    return !q.failed();
}

// As delivery names its lanes; kinds are lane_key::kind's numbers.
const char* lanes_of(config::ordering_mode mode) {
    switch (mode) {
    case config::ordering_mode::none: return "UPDATE events SET lane_kind = 3, lane = 0";
    case config::ordering_mode::shard:
        return "UPDATE events SET lane_kind = 2, lane = (gen << 32) | shard";
    case config::ordering_mode::guild: break;
    }
    return "UPDATE events SET "
           "lane_kind = CASE WHEN guild <> 0 THEN 0 WHEN channel <> 0 THEN 1 ELSE 2 END, "
           "lane = CASE WHEN guild <> 0 THEN guild WHEN channel <> 0 THEN channel "
           "ELSE (gen << 32) | shard END";
}

// The stored number; configuration may renumber its own.
std::int64_t number_of(config::ordering_mode mode) {
    switch (mode) {
    case config::ordering_mode::shard: return 1;
    case config::ordering_mode::none: return 2;
    case config::ordering_mode::guild: break;
    }
    return 0;
}

}  // namespace

bool use_ordering(database& db, config::ordering_mode mode) {
    const std::int64_t wanted = number_of(mode);
    std::int64_t stored = -1;
    {
        query q(db, "SELECT value FROM meta WHERE name = 'ordering'");
        if (q.row()) stored = q.number();
        if (q.failed()) return false;
    }
    if (stored == wanted) return true;
    if (!db.begin() || !db.exec(lanes_of(mode))) return false;
    {
        query q(db, "INSERT OR REPLACE INTO meta(name, value) VALUES('ordering', ?)");
        if (!q.number(wanted).run()) return false;
    }
    return db.commit();
}

bool forget_interactions(database& db, wall_ms before) {
    query q(db, "DELETE FROM interactions WHERE at < ?");
    return q.number(before.time_since_epoch().count()).run();
}

bool load_state(database& db, wall_ms interactions_from, session_cache& sessions,
                stored_state& out) {
    return load_sums(db, out.spool) && load_lanes(db, out.spool) && load_epochs(db, out.spool) &&
           load_dead(db, sessions, out.spool) &&
           load_interactions(db, interactions_from, out.spool) && load_sessions(db, out.sessions) &&
           load_facts(db, out.facts);
}

}  // namespace shardgate::store
