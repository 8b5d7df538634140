// SPDX-License-Identifier: Apache-2.0
// The spool as a file: batches in, rows out, whatever becomes of the disk. Blocks; owned and used
// by storage's thread once it is open.
#pragma once

#include <string>

#include "shardgate/store/storage.hpp"
#include "store/event_columns.hpp"
#include "store/state_directory.hpp"
#include "store/store_file.hpp"

namespace shardgate::store {

class spool_file {
public:
    // An interaction's token is good for this long (Discord docs, Interactions, Followup Messages):
    // what was answered before has no use.
    static constexpr auto interaction_age = std::chrono::minutes(15);

    // `directory` is borrowed.
    spool_file(const state_directory& directory, const storage_options& options);
    spool_file(const spool_file&) = delete;
    spool_file& operator=(const spool_file&) = delete;

    // Fails with a sentence. A damaged file is moved aside and told in `out`.
    [[nodiscard]] result<void> open(stored_state& out);

    [[nodiscard]] write_outcome write(const store_batch& batch);
    [[nodiscard]] read_outcome<spool_row> read(const spool_read& what);
    [[nodiscard]] read_outcome<spool_row_info> list(const spool_candidates& what);

    // The spool's part; the caller adds the ledger's.
    [[nodiscard]] const storage_stats& stats() const noexcept { return stats_; }

private:
    [[nodiscard]] bool prepare(database& db);
    template <class T>
    [[nodiscard]] read_outcome<T> answer(file_outcome outcome, std::vector<T> rows);

    const config::ordering_mode ordering_;
    const std::size_t dead_letters_max_;
    stored_state* loading_ = nullptr;  // while open() runs
    session_cache sessions_;
    storage_stats stats_;
    store_file file_;
};

}  // namespace shardgate::store
