// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "store/ledger_file.hpp"

#include <array>
#include <utility>

namespace shardgate::store {
namespace {

constexpr const char* version_1 = R"(
CREATE TABLE identifies(
  key INTEGER PRIMARY KEY, max_concurrency INTEGER NOT NULL, at INTEGER NOT NULL);
CREATE TABLE starts(id INTEGER PRIMARY KEY, at INTEGER NOT NULL);
CREATE TABLE runs(id INTEGER PRIMARY KEY, started INTEGER NOT NULL, ended INTEGER);
CREATE TABLE reserve(id INTEGER PRIMARY KEY, filler BLOB NOT NULL);
)";
constexpr std::array<const char*, 1> steps{version_1};

// The space: 256 KiB in the file, and as much in its log, are written once and freed. The file
// never shrinks and the log is kept when the file is closed, so that later writes find their pages
// there. A write takes few pages and the log starts over at 32, half of what it has. (A file system
// that never overwrites, as Btrfs, gives no such promise.)
constexpr std::int64_t reserved_bytes = 256 << 10;
constexpr const char* settings =
    "PRAGMA synchronous=FULL; PRAGMA cache_size=-1024; PRAGMA wal_autocheckpoint=32;"
    "PRAGMA temp_store=MEMORY";

constexpr std::int64_t max_runs = 256;

std::int64_t unix_ms(wall_ms when) {
    return when.time_since_epoch().count();
}

wall_ms wall_at(std::int64_t ms) {
    return wall_ms(std::chrono::milliseconds(ms));
}

// Times are subtracted from each other: what is no time at all must not overflow there.
bool plausible(database& db, std::int64_t ms) {
    constexpr std::int64_t year_9999 = 253402300800000;
    if (ms >= 0 && ms < year_9999) return true;
    db.note_damage("a row holds a time that cannot be");
    return false;
}

}  // namespace

const file_format& ledger_format() {
    static const file_format format = [] {
        file_format f;
        f.name = "ledger.db";
        f.application_id = 0x53474C47;  // "SGLG"
        f.steps = steps;
        f.settings = settings;
        f.keeps_log = true;
        return f;
    }();
    return format;
}

ledger_file::ledger_file(const state_directory& directory, std::string vfs)
    : file_(directory, ledger_format(), std::move(vfs),
            [this](database& db) { return prepare(db); }) {}

result<void> ledger_file::open(wall_ms now, std::vector<std::string>& notices) {
    started_ = now;
    const auto moved = file_.open();
    if (!moved) return moved.error();
    loaded_ = true;
    // The log that was kept begins anew; appending to it would ask for more space than it has.
    if (!file_.db().exec("PRAGMA wal_checkpoint(PASSIVE)")) file_.db().clear();
    found_damaged_ = !moved->empty();
    if (found_damaged_)
        notices.push_back(file_.path() + " was damaged and was moved aside as " + *moved +
                          ": every shard's first IDENTIFY waits a full interval, and the session "
                          "starts of the last day are not known");
    if (book_.knows_the_future(now))
        notices.push_back(file_.path() + " holds times from the future: a clock was set back");
    std::string why;
    const bool noted = write([](database&) { return true; }, why);
    if (!noted) notices.push_back("this start could not be noted: " + why);
    reserve_space();
    return {};
}

bool ledger_file::prepare(database& db) {
    if (loaded_) return rewrite(db);
    book_ = {};
    crashes_.clear();
    return load(db) && load_runs(db);
}

bool ledger_file::load(database& db) {
    query keys(db, "SELECT key, max_concurrency, at FROM identifies ORDER BY at");
    while (keys.row()) {
        identify_entry e;
        e.key = static_cast<std::uint32_t>(keys.number());
        e.max_concurrency = static_cast<std::uint32_t>(keys.number());
        const std::int64_t at = keys.number();
        if (!plausible(db, at)) return false;
        e.at = wall_at(at);
        book_.identified(e);
    }
    if (keys.failed()) return false;
    query starts(db, "SELECT at FROM starts ORDER BY id");
    while (starts.row()) {
        const std::int64_t at = starts.number();
        if (!plausible(db, at)) return false;
        book_.started(wall_at(at));
    }
    return !starts.failed();
}

bool ledger_file::load_runs(database& db) {
    query q(db, "SELECT started, ended FROM runs ORDER BY id");
    bool unclean = false;
    while (q.row()) {
        const wall_ms began = wall_at(q.number());
        if (unclean) crashes_.push_back(began);
        unclean = q.next_is_null();
    }
    if (unclean) crashes_.push_back(started_);
    return !q.failed();
}

// A file that is new, or that was closed after failures: it gets what is known where it lacks it.
bool ledger_file::rewrite(database& db) {
    std::int64_t rows = 0;
    if (!db.read_number("SELECT count(*) FROM identifies", rows)) return false;
    if (rows > 0 || book_.keys().empty()) return true;
    run_ = 0;
    if (!db.begin()) return false;
    bool good = true;
    {
        query key(db, "INSERT INTO identifies(key, max_concurrency, at) VALUES(?, ?, ?)");
        for (const auto& [k, at] : book_.keys()) {
            key.number(k).number(book_.max_concurrency()).number(unix_ms(at));
            good = good && key.run();
            key.again();
        }
        query start(db, "INSERT INTO starts(at) VALUES(?)");
        for (const wall_ms at : book_.starts()) {
            good = good && start.number(unix_ms(at)).run();
            start.again();
        }
    }
    if (good && db.commit()) return true;
    db.rollback();
    return false;
}

bool ledger_file::note_run(database& db) {
    if (run_ != 0) return true;
    {
        query q(db, "INSERT INTO runs(started) VALUES(?)");
        if (!q.number(unix_ms(started_)).run()) return false;
    }
    std::int64_t id = 0;
    if (!db.read_number("SELECT max(id) FROM runs", id)) return false;
    query old(db, "DELETE FROM runs WHERE id <= ?");
    if (!old.number(id - max_runs).run()) return false;
    run_ = id;
    return true;
}

bool ledger_file::write(const store_file::work& what, std::string& why) {
    for (int attempt = 0; attempt < 2; ++attempt) {
        const std::int64_t run = run_;
        file_outcome outcome = file_.write([&](database& db) { return note_run(db) && what(db); });
        if (outcome.what == file_result::done) return true;
        run_ = run;  // its row went with the transaction
        why = std::move(outcome.detail);
        if (outcome.what == file_result::failed) return false;
        run_ = 0;  // a new file: once more
    }
    return false;
}

bool ledger_file::put(database& db, const identify_entry& e) {
    query others(db, "DELETE FROM identifies WHERE max_concurrency <> ?");
    query key(db, "INSERT OR REPLACE INTO identifies(key, max_concurrency, at) VALUES(?, ?, ?)");
    query start(db, "INSERT INTO starts(at) VALUES(?)");
    query old(db, "DELETE FROM starts WHERE at < ?");
    query bound(db, "DELETE FROM starts WHERE id <= (SELECT max(id) FROM starts) - ?");
    key.number(e.key).number(e.max_concurrency).number(unix_ms(e.at));
    return others.number(e.max_concurrency).run() && key.run() &&
           start.number(unix_ms(e.at)).run() &&
           old.number(unix_ms(e.at - ledger_book::kept)).run() &&
           bound.number(static_cast<std::int64_t>(ledger_book::max_starts)).run();
}

bool ledger_file::record(const identify_entry& entry, std::string& why) {
    if (!write([&](database& db) { return put(db, entry); }, why)) return false;
    book_.identified(entry);
    book_.started(entry.at);
    return true;
}

bool ledger_file::end_cleanly(wall_ms now, std::string& why) {
    const auto note_end = [&](database& db) {
        query q(db, "UPDATE runs SET ended = ? WHERE id = ?");
        return q.number(unix_ms(now)).number(run_).run();
    };
    return write(note_end, why);
}

void ledger_file::reserve_space() {
    database& db = file_.db();
    if (!db.is_open()) return;
    db.clear();
    // Half of what an earlier run took may be in use before it is taken anew.
    std::int64_t unused = 0;
    const bool known = db.read_number("PRAGMA freelist_count", unused);
    const auto log = static_cast<std::int64_t>(file_size(file_.path() + "-wal"));
    if (!known || (unused * 4096 >= reserved_bytes / 2 && log >= reserved_bytes)) return;
    // Not on a disk that is nearly full: pages that the log took and the file has no room for
    // would keep the log from ever starting over. Without all this a full disk delays IDENTIFYs.
    if (free_space(file_.path()) < 16 * reserved_bytes) return;
    const bool taken = db.exec("INSERT INTO reserve(filler) VALUES(zeroblob(262144))");
    if (!taken || !db.exec("DELETE FROM reserve; PRAGMA wal_checkpoint(PASSIVE)")) db.rollback();
    db.clear();
}

}  // namespace shardgate::store
