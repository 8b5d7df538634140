// SPDX-License-Identifier: Apache-2.0
// One SQLite connection and its statements, with errors as values. The only place that knows what
// SQLite's error codes mean. Used by one thread at a time; knows nothing of what is stored.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

struct sqlite3;
struct sqlite3_stmt;

namespace shardgate::store {

enum class db_code : std::uint8_t {
    ok,
    busy,     // another program has it open
    full,     // no space left: nothing is wrong with what is there
    failed,   // the disk or the system refuses: the same may work later
    damaged,  // what is in the file is not what was written
};

struct db_status {
    db_code code = db_code::ok;
    std::string detail;  // a sentence's piece, without the file's name
};

class database {
public:
    database() = default;
    ~database();
    database(const database&) = delete;
    database& operator=(const database&) = delete;

    // Opens or creates; an open one is closed first. `vfs` empty: SQLite's own. False: see
    // status(). Every call that answers false has set it, and it stays until clear().
    bool open(const std::string& path, const std::string& vfs);
    // For reading a file that nobody changes meanwhile: without a lock, without its log, and
    // without making a file beside it (sqlite.org/uri.html, immutable).
    bool open_unchanging(const std::string& path);
    void close() noexcept;
    [[nodiscard]] bool is_open() const noexcept { return handle_ != nullptr; }
    // Closing writes nothing (until it is undone): for a file that may not be ours to touch.
    void leave_untouched(bool on) noexcept;
    // The write-ahead log stays when the file is closed, with the space it has.
    void keep_log() noexcept;

    // One or more statements without parameters or rows.
    bool exec(const char* sql);
    // The first column of the first row. 0 when there is none.
    bool read_number(const char* sql, std::int64_t& out);
    [[nodiscard]] int changed() const noexcept;  // rows by the last statement

    bool begin();
    bool commit();
    // Undoes what is under way, if anything. What fails here leaves no trace either.
    void rollback() noexcept;

    [[nodiscard]] const db_status& status() const noexcept { return status_; }
    void clear() noexcept;
    // A row that holds what we never write.
    void note_damage(std::string_view what);

private:
    friend class query;
    bool open_as(const std::string& name, int flags, const char* vfs);
    sqlite3_stmt* prepared(std::string_view sql);
    bool note(int rc);

    sqlite3* handle_ = nullptr;
    std::unordered_map<std::string, sqlite3_stmt*> statements_;
    db_status status_;
};

// One use of a prepared statement, which the connection keeps. Parameters and columns go in order.
class query {
public:
    // A connection that is not open, or SQL that does not fit the file: row() and run() say false.
    query(database& db, std::string_view sql);
    ~query();
    query(const query&) = delete;
    query& operator=(const query&) = delete;

    query& number(std::int64_t value);
    // Unsigned 64-bit numbers lie in SQLite's signed ones bit for bit.
    query& bits(std::uint64_t value) { return number(static_cast<std::int64_t>(value)); }
    // Bytes as they are; they must live until the statement has run. Text may be anything, so that
    // it is stored as a blob.
    query& bytes(std::string_view value);
    query& null();

    bool row();  // true: there is one. false: no more, or an error
    bool run();  // to its end, for statements without rows; true: it went well
    // Makes it ready for other parameters.
    void again() noexcept;
    [[nodiscard]] bool failed() const noexcept { return failed_; }

    // ---- the row's columns, each call the next one ----
    [[nodiscard]] std::int64_t number();
    [[nodiscard]] std::uint64_t bits() { return static_cast<std::uint64_t>(number()); }
    [[nodiscard]] std::string_view bytes();  // until the next row() or again()
    [[nodiscard]] bool next_is_null() const;

private:
    database& db_;
    sqlite3_stmt* statement_;
    int parameter_ = 0;
    int column_ = 0;
    bool failed_ = false;
};

}  // namespace shardgate::store
