// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "store/store_file.hpp"

#include <chrono>
#include <utility>

namespace shardgate::store {
namespace {

// Reading a file to its end takes a while: larger ones are checked where they are read.
constexpr std::uint64_t check_below = 64ULL << 20;

wall_ms wall_now() {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(
        std::chrono::system_clock::now());
}

std::string refusal(const std::string& path, const format_outcome& is, const file_format& format) {
    if (is.what == format_state::foreign) return path + " is another program's database";
    return path + " has version " + std::to_string(is.version) +
           ", made by a later shardgate; this one knows versions up to " +
           std::to_string(format.steps.size());
}

}  // namespace

store_file::store_file(const state_directory& directory, const file_format& format, std::string vfs,
                       work prepare)
    : directory_(directory), format_(format), vfs_(std::move(vfs)), prepare_(std::move(prepare)) {}

// False with `refused` set: the file is not ours to use. False without: the database's status.
bool store_file::connect(std::string& refused) {
    db_.clear();
    const std::string name = path();
    const format_outcome peeked = peek_format(name, format_);
    if (peeked.what == format_state::newer) {
        refused = refusal(name, peeked, format_);
        return false;
    }
    const std::uint64_t size = file_size(name);
    // SQLite would take an empty file for a new one and throw its log away.
    if (size == 0 && file_size(name + "-wal") > 0) {
        db_.note_damage("the file is empty and its write-ahead log is not");
        return false;
    }
    directory_.make_private(format_.name);
    if (!db_.open(name, vfs_)) return false;
    const format_outcome is = apply_format(db_, format_);
    if (is.what == format_state::newer || is.what == format_state::foreign)
        refused = refusal(name, is, format_);
    if (is.what != format_state::ready) return false;
    if (size > 0 && size < check_below && !check_structure(db_)) return false;
    return prepare_(db_);
}

result<std::string> store_file::open() {
    std::string refused;
    std::string moved;
    bool good = connect(refused);
    if (!good && db_.status().code == db_code::damaged) {
        auto name = replace();
        if (!name) return name.error();
        moved = *name;
        good = connect(refused);
    }
    if (good) return result<std::string>(boost::system::in_place_value, std::move(moved));
    const db_status why = db_.status();
    db_.leave_untouched(true);
    db_.close();
    if (!refused.empty()) return failure(refused);
    if (why.code == db_code::busy) return failure(path() + " is in use by another program");
    return failure(path() + " cannot be used: " + why.detail);
}

result<std::string> store_file::replace() {
    db_.rollback();
    db_.leave_untouched(true);  // it is evidence
    db_.close();
    return directory_.set_aside(format_.name, wall_now());
}

file_outcome store_file::write(const work& what) {
    return run(what, true);
}

file_outcome store_file::read(const work& what) {
    return run(what, false);
}

file_outcome store_file::run(const work& what, bool transaction) {
    if (!db_.is_open()) {
        std::string refused;
        if (!connect(refused)) {
            if (!refused.empty()) {
                db_.leave_untouched(true);
                db_.close();
                return {file_result::failed, false, refused};
            }
            file_outcome outcome = after_error();
            // A connection that did not come about is not worth keeping.
            if (outcome.what == file_result::failed) db_.close();
            return outcome;
        }
    }
    db_.clear();
    const bool good = transaction ? db_.begin() && what(db_) && db_.commit() : what(db_);
    if (good) {
        failures_ = 0;
        return {file_result::done, false, {}};
    }
    db_.rollback();
    return after_error();
}

file_outcome store_file::after_error() {
    const db_status why = db_.status();
    const std::string name = path();
    if (why.code != db_code::damaged) {
        // What a full disk refuses the same connection can do once there is space.
        if (why.code == db_code::failed && ++failures_ >= patience) {
            failures_ = 0;
            db_.close();
        }
        const char* verb = why.code == db_code::full ? " finds no space: " : " cannot be used: ";
        return {file_result::failed, why.code == db_code::full, name + verb + why.detail};
    }
    const auto moved = replace();
    if (!moved) return {file_result::failed, false, moved.error().detail};
    std::string text = name + " was damaged (" + why.detail + ") and was moved aside as " + *moved;
    std::string refused;
    // What goes wrong here goes wrong again at the next try, which tells it.
    if (!connect(refused)) db_.close();
    db_.clear();
    return {file_result::reset, false, std::move(text)};
}

}  // namespace shardgate::store
