// SPDX-License-Identifier: Apache-2.0
// Brings to the disk what delivery and the shards want kept, and back what lanes have room for:
// gathers batches, one under way at a time, tries a failed one again, tells when the disk fails.
// Never waits for it. Loop thread only. Owner: app. Rules: docs/spool.md.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "shardgate/base/random.hpp"
#include "shardgate/fleet/deliverer.hpp"
#include "shardgate/runtime/lazy_timer.hpp"
#include "shardgate/store/storage.hpp"

namespace shardgate {

// Whose sessions and guild sets are kept: the fleet.
class state_source {
public:
    virtual ~state_source() = default;
    // Adds what changed since the last call, as it will be once `batch` is durable. Its spool part
    // is complete: delivery::first_unsafe(…, true) speaks of it.
    virtual void add_state(store_batch& batch) = 0;
    // What the last call added is durable.
    virtual void on_stored() = 0;
    // Nothing that was ever added is on disk any more: add everything again.
    virtual void forget_stored() = 0;
};

class state_keeper final : public spool_driver {
public:
    // All borrowed; outlive the keeper. Tells delivery what the spool holds.
    state_keeper(boost::asio::any_io_executor loop, storage& disk, deliverer& out,
                 random_source& random, const spool_contents& contents);
    ~state_keeper() override;

    void set_source(state_source* source) noexcept { source_ = source; }
    // A new session, or anything else that should not wait for the next second.
    void urgent() override;
    // Kept under this name until it is set again.
    void set_fact(std::string name, std::string value);

    // Once everything that was set before this call is durable; with the next batch, at once.
    void when_stored(std::function<void()> go);

    // Sessions that nobody will resume: their rows go.
    void end_sessions(const std::vector<stored_session>& sessions);
    void end_sessions(generation gen, const std::vector<shard_id>& shards);

    // Runs `go` when everything of the shard and its marks are durable, or half a second later all
    // the same: before a RESUME.
    void when_held(generation gen, shard_id shard, std::function<void()> go) override;
    // Into the next batch, without waiting for it.
    void hold(generation gen, shard_id shard) override;
    // The end: everything that is not settled and every mark. `done` when it is durable; the caller
    // has its own patience.
    void store_everything(std::function<void()> done);

    void pump() override;
    // When a batch went wrong and none has gone through since; else empty.
    [[nodiscard]] const std::string& trouble() const noexcept { return trouble_; }
    // How long the last write took, if that was longer than a disk should take; else 0.
    [[nodiscard]] duration slow() const noexcept { return slow_; }
    // Files that were moved aside.
    [[nodiscard]] const std::vector<std::string>& warnings() const noexcept { return warnings_; }
    [[nodiscard]] std::uint64_t failures() const noexcept { return failures_; }

private:
    struct waiter {
        generation gen;
        shard_id shard;
        std::uint64_t batch;  // the first one that has it all
        time_point until;
        std::function<void()> go;
    };

    void write(time_point now);
    void submit();
    void on_written(const write_outcome& outcome);
    void note_time(duration took);
    void on_failed(const write_outcome& outcome, time_point now);
    void on_reset(const std::string& detail, time_point now);
    void read();
    void on_read(const lane_key& lane, const read_outcome<spool_row>& outcome);
    void on_listed(const read_outcome<spool_row_info>& outcome);
    void release_waiters(time_point now);
    void arm(time_point now);

    storage& disk_;
    deliverer& out_;
    random_source& random_;
    state_source* source_ = nullptr;
    std::shared_ptr<const store_batch> batch_;  // under way, or to be tried again
    bool trying_ = false;                       // it is at the disk just now
    std::uint64_t begun_ = 0, stored_ = 0;      // batches
    time_point retry_at_ = never;
    duration retry_wait_{0};
    time_point not_before_{};
    time_point submitted_{};
    duration slow_{0};
    time_point next_tick_{};
    bool urgent_ = false;
    std::vector<std::pair<std::string, std::string>> facts_;
    std::vector<shard_key> ended_;
    std::vector<waiter> waiters_;  // one per shard at most
    std::function<void()> everything_;
    std::string trouble_;
    std::vector<std::string> warnings_;
    std::uint64_t failures_ = 0;
    bool pumping_ = false;
    lazy_timer timer_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace shardgate
