// SPDX-License-Identifier: Apache-2.0
// One resharding under way: the second shard set, the pairing of both, and the steps from the one
// to the other. Does what reshard_machine says. Loop thread only; owner: daemon. Rules:
// docs/resharding.md.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "shardgate/config/config.hpp"
#include "shardgate/fleet/fleet.hpp"
#include "shardgate/fleet/state_keeper.hpp"
#include "shardgate/fleet/twin_stage.hpp"
#include "shardgate/metrics/snapshots.hpp"
#include "shardgate/reshard/machine.hpp"
#include "shardgate/runtime/lazy_timer.hpp"

namespace shardgate {

// What a resharding needs of the daemon. Borrowed; outlives it.
struct reshard_parts {
    boost::asio::any_io_executor loop;
    const config::settings& settings;
    tls_client& tls;
    loop_stage& stage;
    deliverer& out;
    identify_gate& gate;
    random_source& random;
    state_keeper* keeper;  // null: memory only
    std::string gateway_url, user_agent;
};

// What is to be done, and how it began.
struct reshard_order {
    shard_range to;
    duration expected_start{};  // until the last of the new shards identifies
    bool automatic = false;
    bool again = false;  // an earlier process was within the windows
    wall_ms started{};
};

class resharder final : private fleet_listener {
public:
    // `done` comes once, from the loop, when nothing more happens: take_new() then has the new set,
    // or nothing if the old one carries on.
    resharder(reshard_parts parts, fleet& old, reshard_order order,
              const std::vector<stored_session>& stored, std::function<void()> done);
    ~resharder() override;

    // The old set has no connection left.
    void on_old_gone() noexcept { old_gone_ = true; }
    // False: too late, the old set is being retired.
    [[nodiscard]] bool abort();
    // The daemon stops: both sets stay resumable. `stopped` once, when the new one is closed.
    void stop(close_code code, std::function<void()> stopped);

    [[nodiscard]] const fleet& next() const noexcept { return *new_; }
    [[nodiscard]] fleet& next() noexcept { return *new_; }
    [[nodiscard]] std::unique_ptr<fleet> take_new();
    [[nodiscard]] bool succeeded() const noexcept {
        return machine_.state() == reshard_state::done;
    }
    // The new set takes the lead, or has it: what the bot sends goes through it.
    [[nodiscard]] bool new_leads() const noexcept {
        return twins_ != nullptr && twins_->preferred() == shard_set::new_set;
    }
    [[nodiscard]] reshard_snapshot snapshot() const;
    [[nodiscard]] const reshard_order& order() const noexcept { return order_; }

private:
    void on_stop_bot(shard_id shard, close_code code) override;
    void on_parked(shard_id shard, close_code code, bool all_parked) override;
    void on_all_stopped() override;

    void look();
    void close_some_old(time_point now);
    void perform(reshard_step step);
    void open_windows();
    void close_windows();
    void keep(std::string_view phase);
    void end_sessions(const shard_range& of);
    void keep_keys(generation gen, const key_ranges& ranges);
    void forget_keys(generation gen);
    // For seqs that no event has yet when the disk has it.
    [[nodiscard]] std::uint64_t soon(const fleet& set, std::size_t index) const;
    void announce_keys();
    void end_keys(const fleet& stays);
    [[nodiscard]] reshard_view view() const;

    reshard_parts parts_;
    fleet& old_;
    reshard_order order_;
    std::function<void()> done_;
    std::unique_ptr<twin_stage> twins_;
    std::unique_ptr<fleet> new_;
    reshard_machine machine_;
    time_point begun_ = clock::now();
    // What each shard had received when we began, for how fast its seqs grow.
    std::vector<std::uint64_t> old_at_start_;
    bool old_gone_ = false, new_gone_ = false;
    bool closing_old_ = false;
    time_point closing_since_{};
    bool suspended_ = false;
    std::function<void()> stopped_;
    pairing_stats last_;  // when the windows closed
    reshard_state told_ = reshard_state::idle;
    lazy_timer timer_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace shardgate
