// SPDX-License-Identifier: Apache-2.0
// The state directory: two SQLite files (spool.db, ledger.db), one thread that owns them, and the
// lock that keeps a second daemon out. The loop posts work and is told on the loop what became of
// it; it never waits. Owner: app. Rules: docs/spool.md.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "shardgate/base/result.hpp"
#include "shardgate/base/time.hpp"
#include "shardgate/config/config.hpp"
#include "shardgate/delivery/spool.hpp"
#include "shardgate/identify/ledger.hpp"
#include "shardgate/store/records.hpp"

namespace shardgate {

struct storage_options {
    std::string directory;
    // How lanes are named (config handler.ordering): stored rows are given the lanes of this mode.
    config::ordering_mode ordering = config::ordering_mode::guild;
    // Dead letters kept at most, in rows; the oldest make room.
    std::size_t dead_letters_max = 10000;
    // SQLite's VFS; empty = the default. Tests inject faults here.
    std::string vfs;
};

// What became of a write.
enum class write_result : std::uint8_t {
    stored,  // durable: it survives a power cut
    failed,  // nothing of it is stored; the same batch may be tried again
    reset,   // the file was damaged: moved aside and made anew, empty. Nothing of the batch is
             // stored, and nothing that was stored before
};
struct write_outcome {
    write_result what = write_result::failed;
    bool full = false;   // no space left
    std::string detail;  // one sentence for the log; empty when stored
};

template <class T>
struct read_outcome {
    bool ok = false;
    bool reset = false;  // as above; the file is new and empty
    std::string detail;
    std::vector<T> rows;
};

// Counters and gauges, by value; may be read from the loop at any time.
struct storage_stats {
    std::uint64_t writes = 0, rows_written = 0, rows_freed = 0, write_errors = 0, resets = 0;
    std::uint64_t ledger_writes = 0, ledger_errors = 0;
    std::uint64_t spool_file_bytes = 0;  // as of the last write
    double last_write_seconds = 0;
};

class storage {
public:
    // Creates the directory (one level) and the files where they are missing, takes the lock, reads
    // everything. Blocks: call it before the loop runs. Fails with a sentence that names the
    // directory, and the process that holds the lock if one does. A damaged file is no failure: it
    // is moved aside (`notices`).
    [[nodiscard]] static result<std::unique_ptr<storage>> open(boost::asio::any_io_executor loop,
                                                               const storage_options& options);
    // Waits for what is under way, at most a few seconds; then leaves the thread to the system.
    ~storage();
    storage(const storage&) = delete;
    storage& operator=(const storage&) = delete;

    // As found by open(). Take it once.
    [[nodiscard]] stored_state take_state();

    // ---- loop thread only; callbacks come on the loop, never from inside the call, and not after
    // the destructor has begun -----------------------------------------------------------------
    // Done in the order of the calls. At most a few should be under way; beyond 1,024 one fails.
    // One transaction. At most one write should be under way: the caller gathers meanwhile.
    void write(std::shared_ptr<const store_batch> batch, std::function<void(write_outcome)> done);
    void read(spool_read what, std::function<void(read_outcome<spool_row>)> done);
    void list(spool_candidates what, std::function<void(read_outcome<spool_row_info>)> done);

    // Durable. Lives as long as the storage.
    [[nodiscard]] identify_ledger& ledger() noexcept;
    // Unclean ends of earlier processes within the last `window`: how often one ended without
    // mark_clean_end().
    [[nodiscard]] std::uint32_t crashes(duration window) const noexcept;
    // This process ends on request. `done` once it is written, or could not be.
    void mark_clean_end(std::function<void()> done);

    [[nodiscard]] storage_stats stats() const;

private:
    struct impl;
    explicit storage(std::unique_ptr<impl> i);
    std::unique_ptr<impl> impl_;
};

}  // namespace shardgate
