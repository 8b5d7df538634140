// SPDX-License-Identifier: Apache-2.0
// Writing a batch to the spool's tables. Every statement may be done twice: after a failed fsync
// nobody knows what is on the disk.
#include <algorithm>
#include <set>
#include <string>

#include "store/spool_tables.hpp"

namespace shardgate::store {
namespace {

std::int64_t unix_ms(wall_ms when) {
    return when.time_since_epoch().count();
}

bool put_rows(database& db, const std::vector<spool_row>& rows) {
    if (rows.empty()) return true;
    static const std::string sql =
        "INSERT OR REPLACE INTO events(position, lane_kind, lane, epoch, rank, attempts, "
        "tells_gap, " +
        event_column_names() + ") VALUES(?, ?, ?, ?, ?, ?, ?, " + event_column_marks() + ")";
    query q(db, sql);
    std::uint64_t last = 0;
    for (const spool_row& r : rows) {
        last = std::max(last, r.position);
        q.bits(r.position).number(static_cast<std::int64_t>(r.lane.what)).bits(r.lane.id);
        q.bits(r.epoch).number(static_cast<std::int64_t>(shed_class_of(r.event->event)));
        q.number(r.attempts).number(r.tells_gap ? 1 : 0);
        bind_event(q, *r.event);
        if (!q.run()) return false;
        q.again();
    }
    // Positions are never used twice, not even when no row is left to tell where they stood.
    query mark(db,
               "INSERT INTO meta(name, value) VALUES('last_position', ?) "
               "ON CONFLICT(name) DO UPDATE SET value = max(value, excluded.value)");
    return mark.bits(last).run();
}

bool erase(database& db, std::string_view sql, const std::vector<std::uint64_t>& keys,
           std::uint64_t* count) {
    if (keys.empty()) return true;
    query q(db, sql);
    for (const std::uint64_t key : keys) {
        if (!q.bits(key).run()) return false;
        if (count != nullptr) *count += static_cast<std::uint64_t>(db.changed());
        q.again();
    }
    return true;
}

bool put_dead(database& db, const std::vector<dead_row>& dead, std::size_t most) {
    if (dead.empty()) return true;
    static const std::string sql =
        "INSERT OR REPLACE INTO dead_letters(number, status, attempts, at, reason, " +
        event_column_names() + ") VALUES(?, ?, ?, ?, ?, " + event_column_marks() + ")";
    query q(db, sql);
    for (const dead_row& d : dead) {
        q.bits(d.number).number(d.status).number(d.attempts).number(unix_ms(d.when));
        q.bytes(d.reason);
        bind_event(q, *d.event);
        if (!q.run()) return false;
        q.again();
    }
    query bound(db,
                "DELETE FROM dead_letters WHERE number <= (SELECT number FROM dead_letters "
                "ORDER BY number DESC LIMIT 1 OFFSET ?)");
    return bound.number(static_cast<std::int64_t>(most)).run();
}

bool put_interactions(database& db, const std::vector<interaction_row>& rows) {
    if (rows.empty()) return true;
    query q(db, "INSERT OR REPLACE INTO interactions(id, how, at) VALUES(?, ?, ?)");
    for (const interaction_row& r : rows) {
        q.bits(r.id.value).number(static_cast<std::int64_t>(r.how)).number(unix_ms(r.when));
        if (!q.run()) return false;
        q.again();
    }
    return true;
}

bool for_shards(database& db, std::string_view sql, const std::vector<shard_key>& shards) {
    if (shards.empty()) return true;
    query q(db, sql);
    for (const shard_key& k : shards) {
        if (!q.number(k.gen.value).number(k.shard.value).run()) return false;
        q.again();
    }
    return true;
}

bool put_guilds(database& db, const std::vector<guild_row>& guilds) {
    if (guilds.empty()) return true;
    query put(db, "INSERT OR REPLACE INTO guilds(gen, shard, guild, state) VALUES(?, ?, ?, ?)");
    query forget(db, "DELETE FROM guilds WHERE gen = ? AND shard = ? AND guild = ?");
    for (const guild_row& g : guilds) {
        const bool gone = g.state == guild_state::absent;
        query& q = gone ? forget : put;
        q.number(g.of.gen.value).number(g.of.shard.value).bits(g.guild.value);
        if (!gone) q.number(static_cast<std::int64_t>(g.state));
        if (!q.run()) return false;
        q.again();
    }
    return true;
}

bool put_sessions(database& db, const store_batch& batch) {
    // A shard that is in both lists has the one that was set: it replaces the one that ended.
    std::set<shard_key> begun;
    for (const session_row& s : batch.sessions)
        begun.insert({s.gen, s.shard});
    std::vector<shard_key> ended;
    for (const shard_key& k : batch.sessions_ended)
        if (!begun.contains(k)) ended.push_back(k);
    if (!for_shards(db, "DELETE FROM sessions WHERE gen = ? AND shard = ?", ended) ||
        !for_shards(db, "DELETE FROM guilds WHERE gen = ? AND shard = ?", ended))
        return false;
    if (batch.sessions.empty()) return true;
    query q(db,
            "INSERT OR REPLACE INTO sessions(gen, shard, shards, session_id, resume_url, safe, "
            "received, last_event, guilds_loaded) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)");
    for (const session_row& s : batch.sessions) {
        q.number(s.gen.value).number(s.shard.value).number(s.shards.value).bytes(s.session_id);
        q.bytes(s.resume_url).bits(s.safe.value).bits(s.received.value);
        q.number(unix_ms(s.last_event)).number(s.guilds_loaded ? 1 : 0);
        if (!q.run()) return false;
        q.again();
    }
    return true;
}

bool put_facts(database& db, const std::vector<std::pair<std::string, std::string>>& facts) {
    if (facts.empty()) return true;
    query q(db, "INSERT OR REPLACE INTO facts(name, value) VALUES(?, ?)");
    for (const auto& [name, value] : facts) {
        if (!q.bytes(name).bytes(value).run()) return false;
        q.again();
    }
    return true;
}

}  // namespace

bool apply_batch(database& db, const store_batch& batch, std::size_t dead_letters_max,
                 write_counts& counts) {
    const spool_changes& spool = batch.spool;
    counts = {};
    const bool good =
        for_shards(db, "DELETE FROM guilds WHERE gen = ? AND shard = ?", batch.guilds_cleared) &&
        put_guilds(db, batch.guilds) && put_sessions(db, batch) && put_rows(db, spool.rows) &&
        erase(db, "DELETE FROM events WHERE position = ?", spool.done, &counts.freed) &&
        put_dead(db, spool.dead, dead_letters_max) &&
        erase(db, "DELETE FROM dead_letters WHERE number = ?", spool.dead_done, nullptr) &&
        put_interactions(db, spool.interactions) && put_facts(db, batch.facts);
    if (good) counts.rows = spool.rows.size();
    return good;
}

}  // namespace shardgate::store
