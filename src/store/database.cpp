// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "store/database.hpp"

#include <sqlite3.h>

#include <cerrno>
#include <system_error>

namespace shardgate::store {
namespace {

// https://www.sqlite.org/rescode.html. What the disk refuses may work later; what it gives back
// wrong will stay wrong.
db_code classify(int rc, int system_error) {
    if (rc == SQLITE_IOERR_SHORT_READ) return db_code::damaged;
    const int primary = rc & 0xff;
    switch (primary) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return db_code::damaged;
    case SQLITE_FULL: return db_code::full;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return db_code::busy;
    default: break;
    }
    const bool told_by_system = primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN;
    if (told_by_system && (system_error == ENOSPC || system_error == EDQUOT)) return db_code::full;
    return db_code::failed;
}

// NOMUTEX: one thread at a time is our own rule.
constexpr int open_flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
constexpr int to_write = open_flags | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
constexpr int to_read = open_flags | SQLITE_OPEN_READONLY | SQLITE_OPEN_URI;

// A relative name must not be read as a URI.
std::string safe_name(const std::string& path) {
    return path.starts_with('/') ? path : "./" + path;
}

// sqlite.org/uri.html: what would end the path or be decoded.
std::string percent_encoded(const std::string& path) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    for (const char c : path) {
        if (c != '%' && c != '?' && c != '#') {
            out += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        out += '%';
        out += digits[byte >> 4U];
        out += digits[byte & 15U];
    }
    return out;
}

}  // namespace

database::~database() {
    close();
}

bool database::open(const std::string& path, const std::string& vfs) {
    return open_as(safe_name(path), to_write, vfs.empty() ? nullptr : vfs.c_str());
}

bool database::open_unchanging(const std::string& path) {
    // With an authority that is empty, or two slashes at the front would be taken for one's.
    const std::string scheme = path.starts_with('/') ? "file://" : "file:";
    const std::string name = scheme + percent_encoded(safe_name(path)) + "?immutable=1";
    return open_as(name, to_read, nullptr);
}

bool database::open_as(const std::string& name, int flags, const char* vfs) {
    close();
    const int rc = sqlite3_open_v2(name.c_str(), &handle_, flags, vfs);
    if (rc != SQLITE_OK) {
        note(rc);
        close();
        return false;
    }
    // Another program (a person with the sqlite3 tool) may hold it for a moment.
    sqlite3_busy_timeout(handle_, 2000);
    // The file is data: a damaged or planted schema runs no code (sqlite.org/security.html).
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
    return exec("PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA mmap_size=0");
}

void database::close() noexcept {
    for (auto& [sql, statement] : statements_)
        sqlite3_finalize(statement);
    statements_.clear();
    sqlite3_close_v2(handle_);
    handle_ = nullptr;
}

void database::leave_untouched(bool on) noexcept {
    if (handle_ != nullptr)
        sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, on ? 1 : 0, nullptr);
}

void database::keep_log() noexcept {
    int on = 1;
    if (handle_ != nullptr) sqlite3_file_control(handle_, "main", SQLITE_FCNTL_PERSIST_WAL, &on);
}

bool database::exec(const char* sql) {
    if (handle_ == nullptr) return note(SQLITE_MISUSE);
    return note(sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr));
}

bool database::read_number(const char* sql, std::int64_t& out) {
    out = 0;
    query q(*this, sql);
    if (q.row()) out = q.number();
    return !q.failed();
}

int database::changed() const noexcept {
    return handle_ == nullptr ? 0 : sqlite3_changes(handle_);
}

bool database::begin() {
    return query(*this, "BEGIN IMMEDIATE").run();
}

bool database::commit() {
    return query(*this, "COMMIT").run();
}

void database::rollback() noexcept {
    if (handle_ == nullptr || sqlite3_get_autocommit(handle_) != 0) return;
    sqlite3_exec(handle_, "ROLLBACK", nullptr, nullptr, nullptr);
}

void database::clear() noexcept {
    status_.code = db_code::ok;
    status_.detail.clear();
}

void database::note_damage(std::string_view what) {
    if (status_.code != db_code::ok) return;
    status_.code = db_code::damaged;
    status_.detail = what;
}

bool database::note(int rc) {
    if (rc == SQLITE_OK || rc == SQLITE_ROW || rc == SQLITE_DONE) return true;
    if (status_.code != db_code::ok) return false;  // the first error is the reason
    const int system_error = handle_ == nullptr ? 0 : sqlite3_system_errno(handle_);
    status_.code = classify(rc, system_error);
    status_.detail = handle_ == nullptr ? sqlite3_errstr(rc) : sqlite3_errmsg(handle_);
    const int primary = rc & 0xff;
    if (system_error != 0 && (primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN))
        status_.detail += " (" + std::generic_category().message(system_error) + ")";
    return false;
}

sqlite3_stmt* database::prepared(std::string_view sql) {
    if (handle_ == nullptr) {
        note(SQLITE_MISUSE);
        return nullptr;
    }
    const auto [at, is_new] = statements_.try_emplace(std::string(sql), nullptr);
    if (at->second != nullptr) return at->second;
    const int rc = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &at->second, nullptr);
    if (rc == SQLITE_OK) return at->second;
    statements_.erase(at);
    // Our statements are right: a table that is not as its version says is a damaged file.
    if (rc == SQLITE_ERROR) note_damage(sqlite3_errmsg(handle_));
    note(rc);
    return nullptr;
}

query::query(database& db, std::string_view sql) : db_(db), statement_(db.prepared(sql)) {
    failed_ = statement_ == nullptr;
}

query::~query() {
    if (statement_ == nullptr) return;
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
}

query& query::number(std::int64_t value) {
    if (!failed_ && !db_.note(sqlite3_bind_int64(statement_, ++parameter_, value))) failed_ = true;
    return *this;
}

query& query::bytes(std::string_view value) {
    if (failed_) return *this;
    // A null pointer would be NULL instead of nothing.
    const char* data = value.empty() ? "" : value.data();
    const int rc = sqlite3_bind_blob64(statement_, ++parameter_, data, value.size(), SQLITE_STATIC);
    if (!db_.note(rc)) failed_ = true;
    return *this;
}

query& query::null() {
    if (!failed_ && !db_.note(sqlite3_bind_null(statement_, ++parameter_))) failed_ = true;
    return *this;
}

bool query::row() {
    column_ = 0;
    if (failed_) return false;
    const int rc = sqlite3_step(statement_);
    if (rc == SQLITE_ROW) return true;
    failed_ = !db_.note(rc);
    return false;
}

bool query::run() {
    while (row()) {
    }
    return !failed_;
}

void query::again() noexcept {
    parameter_ = column_ = 0;
    if (statement_ != nullptr) sqlite3_reset(statement_);
}

std::int64_t query::number() {
    return sqlite3_column_int64(statement_, column_++);
}

std::string_view query::bytes() {
    const int at = column_++;
    const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, at));
    const int size = sqlite3_column_bytes(statement_, at);
    return data == nullptr ? std::string_view{} : std::string_view(data, static_cast<size_t>(size));
}

bool query::next_is_null() const {
    return sqlite3_column_type(statement_, column_) == SQLITE_NULL;
}

}  // namespace shardgate::store
