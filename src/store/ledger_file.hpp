// SPDX-License-Identifier: Apache-2.0
// The ledger as a file: when each key identified, the starts of the last day, this and earlier runs
// of the daemon. Its space is its own: a full disk does not stop it. Blocks; owned and used by
// storage's thread once it is open.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "shardgate/base/result.hpp"
#include "store/ledger_book.hpp"
#include "store/state_directory.hpp"
#include "store/store_file.hpp"

namespace shardgate::store {

[[nodiscard]] const file_format& ledger_format();

class ledger_file {
public:
    ledger_file(const state_directory& directory, std::string vfs);
    ledger_file(const ledger_file&) = delete;
    ledger_file& operator=(const ledger_file&) = delete;

    // Reads it, notes that a run begins, takes its space. Fails with a sentence; what an operator
    // should know is appended to `notices`.
    [[nodiscard]] result<void> open(wall_ms now, std::vector<std::string>& notices);

    // The file that was there could not be read and was moved aside.
    [[nodiscard]] bool found_damaged() const noexcept { return found_damaged_; }
    [[nodiscard]] const ledger_book& book() const noexcept { return book_; }
    // When earlier runs ended that did not end cleanly, as far as that is known: at the start of
    // the run that followed.
    [[nodiscard]] const std::vector<wall_ms>& crashes() const noexcept { return crashes_; }

    // True once it is on the disk. False with a sentence.
    [[nodiscard]] bool record(const identify_entry& entry, std::string& why);
    [[nodiscard]] bool end_cleanly(wall_ms now, std::string& why);

private:
    [[nodiscard]] bool prepare(database& db);
    [[nodiscard]] bool load(database& db);
    [[nodiscard]] bool load_runs(database& db);
    [[nodiscard]] bool rewrite(database& db);
    [[nodiscard]] bool note_run(database& db);
    [[nodiscard]] bool put(database& db, const identify_entry& entry);
    void reserve_space();
    [[nodiscard]] bool write(const store_file::work& what, std::string& why);

    ledger_book book_;
    std::vector<wall_ms> crashes_;
    wall_ms started_{};
    bool found_damaged_ = false;
    bool loaded_ = false;   // what is known is in book_: a new file gets it
    std::int64_t run_ = 0;  // this run's row; 0: not written yet
    store_file file_;
};

}  // namespace shardgate::store
