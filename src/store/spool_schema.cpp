// SPDX-License-Identifier: Apache-2.0
// The spool's tables and how its file is kept.
#include <array>

#include "store/spool_tables.hpp"

namespace shardgate::store {
namespace {

// 64-bit numbers without a sign lie in SQLite's signed ones bit for bit; times are Unix
// milliseconds; texts are blobs, as they may be anything. `bytes` is the event's weight in memory.
//
// Three indexes: lanes are read in order, classes are shed in order, and a session's rows are
// counted by epoch and compared with a replay. Each holds all that the sums at start ask for, so
// that a start reads indexes, not frames.
constexpr const char* version_1 = R"(
CREATE TABLE events(
  position INTEGER PRIMARY KEY, lane_kind INTEGER NOT NULL, lane INTEGER NOT NULL,
  epoch INTEGER NOT NULL, rank INTEGER NOT NULL, attempts INTEGER NOT NULL,
  tells_gap INTEGER NOT NULL,
  gen INTEGER NOT NULL, shard INTEGER NOT NULL, shards INTEGER NOT NULL, session BLOB,
  seq INTEGER NOT NULL, event BLOB NOT NULL, name BLOB, guild INTEGER NOT NULL,
  channel INTEGER NOT NULL, id INTEGER NOT NULL, mark INTEGER NOT NULL, itype INTEGER NOT NULL,
  has_message INTEGER NOT NULL, own_key BLOB NOT NULL, token BLOB NOT NULL,
  received_wall INTEGER NOT NULL, bytes INTEGER NOT NULL, frame BLOB NOT NULL);
CREATE INDEX events_by_lane ON events(lane_kind, lane, position);
CREATE INDEX events_by_rank ON events(rank, position, bytes);
CREATE INDEX events_by_source ON events(gen, shard, epoch, seq);
CREATE TABLE dead_letters(
  number INTEGER PRIMARY KEY, status INTEGER NOT NULL, attempts INTEGER NOT NULL,
  at INTEGER NOT NULL, reason BLOB NOT NULL,
  gen INTEGER NOT NULL, shard INTEGER NOT NULL, shards INTEGER NOT NULL, session BLOB,
  seq INTEGER NOT NULL, event BLOB NOT NULL, name BLOB, guild INTEGER NOT NULL,
  channel INTEGER NOT NULL, id INTEGER NOT NULL, mark INTEGER NOT NULL, itype INTEGER NOT NULL,
  has_message INTEGER NOT NULL, own_key BLOB NOT NULL, token BLOB NOT NULL,
  received_wall INTEGER NOT NULL, bytes INTEGER NOT NULL, frame BLOB NOT NULL);
CREATE TABLE sessions(
  gen INTEGER NOT NULL, shard INTEGER NOT NULL, shards INTEGER NOT NULL, session_id BLOB NOT NULL,
  resume_url BLOB NOT NULL, safe INTEGER NOT NULL, received INTEGER NOT NULL,
  last_event INTEGER NOT NULL, guilds_loaded INTEGER NOT NULL,
  PRIMARY KEY(gen, shard)) WITHOUT ROWID;
CREATE TABLE guilds(
  gen INTEGER NOT NULL, shard INTEGER NOT NULL, guild INTEGER NOT NULL, state INTEGER NOT NULL,
  PRIMARY KEY(gen, shard, guild)) WITHOUT ROWID;
CREATE TABLE interactions(
  id INTEGER PRIMARY KEY, how INTEGER NOT NULL, at INTEGER NOT NULL);
CREATE TABLE facts(name BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
)";

constexpr std::array<const char*, 1> steps{version_1};

// synchronous=FULL: a stored event is one that a heartbeat has told Discord to forget, so it has to
// survive a power cut; at one batch a second the fsync costs nothing.
// A page cache of 16 MiB, a log that is written back at the same size and cut to four times that
// after a large transaction. secure_delete=FAST: freed texts are overwritten where that is free.
constexpr const char* settings =
    "PRAGMA synchronous=FULL; PRAGMA cache_size=-16384; PRAGMA wal_autocheckpoint=4096;"
    "PRAGMA journal_size_limit=67108864; PRAGMA secure_delete=FAST; PRAGMA temp_store=MEMORY";

}  // namespace

const file_format& spool_format() {
    static const file_format format = [] {
        file_format f;
        f.name = "spool.db";
        f.application_id = 0x53475350;  // "SGSP"
        f.steps = steps;
        f.settings = settings;
        f.shrinks = true;
        return f;
    }();
    return format;
}

bool valid_lane_kind(std::int64_t value) noexcept {
    return value >= 0 && value <= static_cast<std::int64_t>(lane_key::kind::single);
}

bool shrink(database& db) {
    constexpr std::int64_t worth_it = 2048;  // 8 MiB: less is soon used again
    std::int64_t unused = 0;
    std::int64_t pages = 0;
    if (!db.read_number("PRAGMA freelist_count", unused)) return false;
    if (unused < worth_it) return true;
    if (!db.read_number("PRAGMA page_count", pages)) return false;
    // A spool that fills and drains all the time keeps its space.
    if (unused < pages / 2) return true;
    if (unused >= 32768) return db.exec("PRAGMA incremental_vacuum(4096)");
    return db.exec("PRAGMA incremental_vacuum(512)");
}

}  // namespace shardgate::store
