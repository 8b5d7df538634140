// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "store/spool_file.hpp"

#include <utility>

#include "store/spool_tables.hpp"

namespace shardgate::store {

spool_file::spool_file(const state_directory& directory, const storage_options& options)
    : ordering_(options.ordering),
      dead_letters_max_(options.dead_letters_max),
      file_(directory, spool_format(), options.vfs, [this](database& db) { return prepare(db); }) {}

bool spool_file::prepare(database& db) {
    if (!use_ordering(db, ordering_)) {
        db.rollback();
        return false;
    }
    if (loading_ == nullptr) return true;
    const wall_ms from = now_pair::read().wall - interaction_age;
    // Only a saving of space: a full disk must not stop the start, damage will show again.
    if (!forget_interactions(db, from)) db.clear();
    *loading_ = {};
    return load_state(db, from, sessions_, *loading_);
}

result<void> spool_file::open(stored_state& out) {
    loading_ = &out;
    const auto moved = file_.open();
    loading_ = nullptr;
    if (!moved) return moved.error();
    if (!moved->empty()) {
        out.spool_lost = true;
        ++stats_.resets;
        out.notices.push_back(file_.path() + " was damaged and was moved aside as " + *moved +
                              ": what it held is not delivered");
    }
    stats_.spool_file_bytes = file_size(file_.path()) + file_size(file_.path() + "-wal");
    return {};
}

write_outcome spool_file::write(const store_batch& batch) {
    const time_point begun = clock::now();
    write_counts counts;
    file_outcome outcome = file_.write(
        [&](database& db) { return apply_batch(db, batch, dead_letters_max_, counts); });
    if (outcome.what == file_result::done) {
        // Giving space back is a transaction of its own, and no error of the batch's.
        const file_outcome shrunk = file_.read(shrink);
        if (shrunk.what == file_result::reset) outcome = shrunk;
    }
    ++stats_.writes;
    stats_.last_write_seconds = std::chrono::duration<double>(clock::now() - begun).count();
    stats_.spool_file_bytes = file_size(file_.path()) + file_size(file_.path() + "-wal");
    write_outcome out;
    out.full = outcome.full;
    out.detail = std::move(outcome.detail);
    switch (outcome.what) {
    case file_result::done:
        out.what = write_result::stored;
        stats_.rows_written += counts.rows;
        stats_.rows_freed += counts.freed;
        break;
    case file_result::failed:
        out.what = write_result::failed;
        ++stats_.write_errors;
        break;
    case file_result::reset:
        out.what = write_result::reset;
        ++stats_.resets;
        break;
    }
    return out;
}

template <class T>
read_outcome<T> spool_file::answer(file_outcome outcome, std::vector<T> rows) {
    read_outcome<T> out;
    out.ok = outcome.what == file_result::done;
    out.reset = outcome.what == file_result::reset;
    out.detail = std::move(outcome.detail);
    if (out.ok) out.rows = std::move(rows);
    if (out.reset) ++stats_.resets;
    return out;
}

read_outcome<spool_row> spool_file::read(const spool_read& what) {
    std::vector<spool_row> rows;
    file_outcome outcome =
        file_.read([&](database& db) { return read_lane(db, what, sessions_, rows); });
    return answer(std::move(outcome), std::move(rows));
}

read_outcome<spool_row_info> spool_file::list(const spool_candidates& what) {
    std::vector<spool_row_info> rows;
    file_outcome outcome =
        file_.read([&](database& db) { return list_candidates(db, what, rows); });
    return answer(std::move(outcome), std::move(rows));
}

}  // namespace shardgate::store
