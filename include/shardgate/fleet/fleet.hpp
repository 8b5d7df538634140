// SPDX-License-Identifier: Apache-2.0
// The shards of one generation on one loop: starts them, watches over them, stops them.
// Loop thread only. Owner: app/daemon.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "shardgate/config/config.hpp"
#include "shardgate/fleet/connect_pool.hpp"
#include "shardgate/fleet/shard_runner.hpp"
#include "shardgate/fleet/state_keeper.hpp"
#include "shardgate/runtime/suspend_clock.hpp"
#include "shardgate/shard/silence_watch.hpp"

namespace shardgate {

// Which shards of which set.
struct shard_range {
    generation gen{1};
    shard_count total{1};
    shard_id first{}, last{};  // inclusive
    // Not 0: every shard whose number modulo this is within first and last. A part of a set that
    // was resharded to a multiple: the guilds of shard i are then on i, i + base, i + 2 base, …
    shard_count base{0};

    [[nodiscard]] bool holds(shard_id id) const noexcept {
        const shard_id at{base.value == 0 ? id.value : id.value % base.value};
        return id.value < total.value && at >= first && at <= last;
    }
    [[nodiscard]] bool partial() const noexcept {
        return first.value > 0 || last.value + 1 < (base.value == 0 ? total.value : base.value);
    }
    [[nodiscard]] std::vector<shard_id> ids() const;  // in order
};

class fleet_listener {
public:
    virtual ~fleet_listener() = default;
    virtual void on_stop_bot(shard_id shard, close_code code) = 0;
    virtual void on_parked(shard_id shard, close_code code, bool all_parked) = 0;
    virtual void on_all_stopped() = 0;
};

class fleet final : public state_source, private shard_watcher {
public:
    // Everything by reference is borrowed and outlives the fleet.
    fleet(boost::asio::any_io_executor loop, const config::settings& settings, tls_client& tls,
          loop_stage& stage, identify_gate& gate, random_source& random, shard_range range,
          std::string gateway_url, std::string user_agent, fleet_listener& listener);
    ~fleet() override;

    // Its session starts are an operator's wish: they may go into sharding.identify_reserve.
    void spend_reserve(bool may) noexcept { around_.by_hand = may; }
    // Another owner.
    void report_to(fleet_listener& listener) noexcept { listener_ = &listener; }

    // Resumes what `stored` has a session for, all at once but for the connect pool; the others
    // queue to identify.
    void start(const std::vector<stored_session>& stored);
    // Closes every shard with `code`; on_all_stopped() follows, at once if nothing is connected.
    void stop(close_code code);
    // The same for `n` more shards at most, but for those that are to be spared; false when none is
    // left to be asked.
    bool stop_some(close_code code, std::size_t n,
                   const std::function<bool(const shard_runner&)>& spare);
    // A parked or refused shard tries again: resumes if it still has a session.
    void restart(shard_id shard);

    void add_state(store_batch& batch) override;
    void on_stored() override;
    void forget_stored() override;

    [[nodiscard]] const shard_range& range() const noexcept { return range_; }
    [[nodiscard]] std::vector<shard_snapshot> snapshots() const;
    [[nodiscard]] const std::vector<std::unique_ptr<shard_runner>>& shards() const noexcept {
        return shards_;
    }
    // Null: it does not run here.
    [[nodiscard]] shard_runner* find(shard_id id) noexcept;
    [[nodiscard]] std::uint64_t guilds() const noexcept;
    // On the fullest shard.
    [[nodiscard]] std::uint64_t fullest() const noexcept;
    // Shards that have had READY and their guilds.
    [[nodiscard]] std::uint32_t loaded() const noexcept;
    [[nodiscard]] bool gone() const noexcept { return running_ == 0; }
    // Close codes seen, the first 32 different ones; the rest counts under 0.
    [[nodiscard]] const std::map<close_code, std::uint64_t>& closes() const noexcept {
        return closes_;
    }

private:
    void on_parked(shard_runner& shard, close_code code) override;
    void on_stop_bot(shard_runner& shard, close_code code) override;
    void on_stopped(shard_runner& shard) override;
    void on_close_seen(close_code code) override;
    void on_live(shard_runner& shard, bool live) override;
    void on_event(shard_id shard, shed_class what) override;
    void watch_silence();
    void watch_sleep();
    void treat(const silence_advice& advice);

    const config::settings& settings_;
    shard_range range_;
    fleet_listener* listener_;
    session_settings session_;
    connect_pool connects_;
    shard_surroundings around_;
    [[nodiscard]] shard_runner& runner(shard_id id);

    std::vector<std::unique_ptr<shard_runner>> shards_;  // in order of id
    std::map<close_code, std::uint64_t> closes_;
    silence_watch silence_;
    lazy_timer silence_timer_;
    duration asleep_ = time_asleep();
    lazy_timer sleep_timer_;
    std::size_t running_ = 0;
    std::set<shard_id> asked_to_stop_;
    bool stopping_ = false;
};

}  // namespace shardgate
