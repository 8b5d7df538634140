// SPDX-License-Identifier: Apache-2.0
// Storage's thread and what it owns: both files and the directory's lock. It is off the loop, so
// that it may wait, for the disk and for work; the loop only ever takes the mutex for as long as a
// queue is touched. Shared by the storage and the thread, which may outlive it where a disk hangs.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <variant>

#include "store/completions.hpp"
#include "store/ledger_file.hpp"
#include "store/spool_file.hpp"
#include "store/state_directory.hpp"

namespace shardgate::store {

struct write_job {
    std::uint64_t id = 0;
    std::shared_ptr<const store_batch> batch;
};
struct read_job {
    std::uint64_t id = 0;
    spool_read what;
};
struct list_job {
    std::uint64_t id = 0;
    spool_candidates what;
};
using spool_job = std::variant<write_job, read_job, list_job>;

// An IDENTIFY to note, or the end of the run.
struct ledger_job {
    std::uint64_t id = 0;
    std::optional<identify_entry> entry;
    wall_ms now{};
    time_point give_up{};  // tried again until then
    time_point due{};      // not before
    duration wait{};       // before the next attempt
};

class workshop {
public:
    // Callers have at most a few of each under way; beyond this a job fails at once.
    static constexpr std::size_t max_jobs = 1024;

    workshop(boost::asio::any_io_executor loop, std::unique_ptr<state_directory> directory,
             const storage_options& options);
    workshop(const workshop&) = delete;
    workshop& operator=(const workshop&) = delete;

    // ---- before the thread runs ----
    [[nodiscard]] result<void> open(wall_ms now, stored_state& out);
    [[nodiscard]] const ledger_file& ledger() const { return *ledger_; }

    // ---- loop thread. False: too many are waiting ----
    [[nodiscard]] bool push(spool_job job);
    [[nodiscard]] bool push(ledger_job job);
    // The thread's results go here.
    [[nodiscard]] completions& waiting() noexcept { return *waiting_; }
    // Gives a result on the loop, but not from inside the caller. Any thread.
    template <class T>
    void give(std::uint64_t id, T value) {
        // Under the mutex: once close() has it, nothing is posted to a loop that may be gone.
        const std::lock_guard lock(mutex_);
        if (!open_) return;
        boost::asio::post(loop_, [waiting = waiting_, id, v = std::move(value)]() mutable {
            waiting->complete<T>(id, std::move(v));
        });
    }
    [[nodiscard]] storage_stats stats() const;
    // No results from here on; the thread does what is queued and ends.
    void close();
    // Whether it has ended.
    [[nodiscard]] bool wait_closed(duration limit);

    // ---- the thread ----
    void run();

private:
    struct next {
        std::optional<ledger_job> ledger;
        std::optional<spool_job> spool;
    };
    [[nodiscard]] next take();
    [[nodiscard]] bool take_ledger(next& out, time_point now, time_point& wake);
    void work(ledger_job job);
    void work(const spool_job& job);
    [[nodiscard]] bool attempt(const ledger_job& job);
    void publish_stats();

    const boost::asio::any_io_executor loop_;
    const std::shared_ptr<completions> waiting_ = std::make_shared<completions>();
    std::unique_ptr<state_directory> directory_;
    std::unique_ptr<spool_file> spool_;
    std::unique_ptr<ledger_file> ledger_;
    std::uint64_t ledger_writes_ = 0, ledger_errors_ = 0;
    std::uint64_t ledger_resets_ = 0;

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<spool_job> spool_jobs_;
    std::deque<ledger_job> ledger_jobs_;
    bool open_ = true;       // results are wanted
    bool finished_ = false;  // the thread has ended
    storage_stats stats_;
};

}  // namespace shardgate::store
