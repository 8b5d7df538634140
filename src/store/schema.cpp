// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "store/schema.hpp"

#include <array>
#include <cstdio>
#include <memory>
#include <string_view>

namespace shardgate::store {
namespace {

// sqlite.org/fileformat2.html, section 1.3
constexpr std::size_t header_size = 100, version_at = 60, application_at = 68;
constexpr std::string_view magic{"SQLite format 3\0", 16};

std::int32_t big_endian(const std::array<unsigned char, header_size>& bytes, std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i)
        value = value << 8 | bytes[at + i];
    return static_cast<std::int32_t>(value);
}

format_state judge(std::int64_t application, std::int64_t version, bool has_tables,
                   const file_format& format) {
    // Both are set in the first step's transaction: a file has both or nothing.
    if (application != format.application_id)
        return application == 0 && version == 0 && !has_tables ? format_state::ready
                                                               : format_state::foreign;
    return version > static_cast<std::int64_t>(format.steps.size()) || version < 0
               ? format_state::newer
               : format_state::ready;
}

bool use_log(database& db) {
    query q(db, "PRAGMA journal_mode=WAL");
    if (!q.row()) return false;
    return q.bytes() == "wal";
}

bool step_up(database& db, const file_format& format, std::int64_t version) {
    std::string numbers = "PRAGMA user_version=" + std::to_string(version + 1);
    numbers += "; PRAGMA application_id=" + std::to_string(format.application_id);
    return db.begin() && db.exec(format.steps[static_cast<std::size_t>(version)]) &&
           db.exec(numbers.c_str()) && db.commit();
}

}  // namespace

format_outcome peek_format(const std::string& path, const file_format& format) {
    const auto close = [](std::FILE* f) { std::fclose(f); };
    const std::unique_ptr<std::FILE, decltype(close)> file(std::fopen(path.c_str(), "rbe"), close);
    if (!file) return {};
    std::array<unsigned char, header_size> bytes{};
    if (std::fread(bytes.data(), 1, bytes.size(), file.get()) != bytes.size()) return {};
    for (std::size_t i = 0; i < magic.size(); ++i)
        if (bytes[i] != static_cast<unsigned char>(magic[i])) return {};
    // Another number may be another program's or a damaged one's: SQLite has to say.
    if (big_endian(bytes, application_at) != format.application_id) return {};
    const std::int64_t version = big_endian(bytes, version_at);
    return {judge(format.application_id, version, true, format), version};
}

format_outcome apply_format(database& db, const file_format& format) {
    db.leave_untouched(true);
    std::int64_t application = 0;
    std::int64_t version = 0;
    std::int64_t tables = 0;
    // Exclusive before the first look: no shared memory file, and nobody reads or writes but us.
    if (!db.exec("PRAGMA locking_mode=EXCLUSIVE") ||
        !db.read_number("PRAGMA application_id", application) ||
        !db.read_number("PRAGMA user_version", version) ||
        !db.read_number("SELECT count(*) FROM sqlite_master", tables))
        return {};
    const format_state what = judge(application, version, tables != 0, format);
    if (what != format_state::ready) return {what, version};

    // Must stand before the first table does.
    const char* vacuum =
        format.shrinks ? "PRAGMA auto_vacuum=INCREMENTAL" : "PRAGMA auto_vacuum=NONE";
    if (tables == 0 && !db.exec(vacuum)) return {};
    if (!use_log(db) || !db.exec(format.settings)) return {};
    if (format.keeps_log) db.keep_log();
    for (; version < static_cast<std::int64_t>(format.steps.size()); ++version) {
        if (!step_up(db, format, version)) {
            db.rollback();
            return {};
        }
    }
    db.leave_untouched(false);
    return {format_state::ready, version};
}

bool check_structure(database& db) {
    query q(db, "PRAGMA quick_check(1)");
    if (!q.row()) return false;
    const std::string_view answer = q.bytes();
    if (answer == "ok") return true;
    db.note_damage(answer);
    return false;
}

}  // namespace shardgate::store
