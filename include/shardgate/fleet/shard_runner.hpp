// SPDX-License-Identifier: Apache-2.0
// One shard with its socket: feeds what happens into session_fsm and does what the actions say.
// Decides nothing about the protocol. Loop thread only. Owner: fleet.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "shardgate/fleet/connect_pool.hpp"
#include "shardgate/fleet/identify_gate.hpp"
#include "shardgate/fleet/kept_session.hpp"
#include "shardgate/fleet/loop_stage.hpp"
#include "shardgate/guild/guild_book.hpp"
#include "shardgate/metrics/snapshots.hpp"
#include "shardgate/runtime/lazy_timer.hpp"
#include "shardgate/shard/session_fsm.hpp"
#include "shardgate/transport/inflate.hpp"
#include "shardgate/transport/websocket.hpp"

namespace shardgate {

class shard_runner;

// What a runner tells its fleet. May be called from any of the runner's functions; the runner must
// not be destroyed from inside.
class shard_watcher {
public:
    virtual ~shard_watcher() = default;
    virtual void on_parked(shard_runner& shard, close_code code) = 0;    // 4010, 4011
    virtual void on_stop_bot(shard_runner& shard, close_code code) = 0;  // 4004, 4012, 4013, 4014
    virtual void on_stopped(shard_runner& shard) = 0;  // after stop(), connection closed
    virtual void on_close_seen(close_code code) = 0;   // for the metric
    // For the silence watchdog: became ready or not any more; a dispatch came.
    virtual void on_live(shard_runner& shard, bool live) = 0;
    virtual void on_event(shard_id shard, shed_class what) = 0;
};

// What runners of one fleet share. Borrowed; outlives them.
struct shard_surroundings {
    boost::asio::any_io_executor loop;
    const config::discord& discord;
    const session_settings& session;
    tls_client& tls;
    loop_stage& stage;
    identify_gate& gate;
    connect_pool& connects;
    random_source& random;
    shard_watcher& watcher;
    std::string user_agent;
    std::string gateway_url;  // generic
    bool by_hand = false;     // every IDENTIFY is an operator's wish
};

class shard_runner final : private websocket_listener, private identify_candidate {
public:
    shard_runner(shard_surroundings& around, shard_id shard, shard_count shards, generation gen);
    ~shard_runner() override;

    // With a stored session: resumes it, its guilds as they were.
    void start(const stored_session* stored);
    void stop(close_code code);
    void reconnect(bool new_session);
    // A gateway command of the bot, read by read_command().
    [[nodiscard]] submitted submit(gateway_command command);

    // See state_source: what of this shard is to be kept.
    void add_state(store_batch& batch);
    void on_stored() { kept_.on_stored(); }
    void forget_stored() noexcept { kept_.forget(); }
    // A new process would resume its session, if it has one.
    [[nodiscard]] bool survives() const noexcept {
        return !around_.stage.keeps_state() || !fsm_.session() ||
               kept_.is_durable(fsm_.session()->session_id);
    }

    // What a new process would resume from; 0 without a session on disk.
    [[nodiscard]] seq_no durable_mark() const { return durable_safe(); }

    [[nodiscard]] shard_snapshot snapshot() const;
    [[nodiscard]] shard_state state() const noexcept { return fsm_.state(); }
    [[nodiscard]] const session_fsm& session() const noexcept { return fsm_; }
    [[nodiscard]] const shard_guilds& guilds() const noexcept { return guilds_; }
    [[nodiscard]] shard_id id() const noexcept { return shard_; }
    [[nodiscard]] bool connected() const noexcept { return open_; }
    [[nodiscard]] std::uint64_t wire_bytes() const noexcept;
    [[nodiscard]] std::uint64_t payload_bytes() const noexcept { return payload_bytes_; }
    [[nodiscard]] std::uint64_t sessions_lost() const noexcept { return sessions_lost_; }

private:
    void on_open() override;
    void on_message(std::string_view message, bool binary, time_point now) override;
    void on_end(const websocket_end& end) override;
    void on_turn_near() override;
    void on_permit() override;
    void on_timer();

    // Does what `actions_` says, and what follows from doing it.
    void act();
    void perform(session_action& action);
    void connect(const act::connect& how);
    void open(const std::string& base);
    void tell_safe();  // to the session machine, before it may need it
    [[nodiscard]] seq_no safe_after_batch() const;
    [[nodiscard]] seq_no durable_safe() const;
    void hang_up(close_code code, std::string_view why);  // 0 = without a close frame
    void drop_connection();
    void lose_session(const act::session_lost& lost);
    void deliver(const envelope& frame, const session_fsm::verdict& verdict, time_point now);
    void check_guilds(time_point now);
    void note_state();

    shard_surroundings& around_;
    shard_id shard_;
    shard_count shards_;
    generation gen_;
    session_fsm fsm_;
    shard_guilds guilds_;
    session_actions actions_, doing_;
    bool acting_ = false;
    bool stopping_ = false;
    bool told_stopped_ = false;

    std::unique_ptr<inflater> inflate_;
    std::unique_ptr<websocket> socket_;
    std::optional<connect_pool::ticket> slot_;
    bool open_ = false;
    std::string host_;           // of the connection, for status
    std::uint64_t attempt_ = 0;  // of connecting; tells an old one's completion
    kept_session kept_;
    session_handle session_;
    wall_clock wall_;
    wall_ms session_seen_{};  // when its last event came
    shard_state logged_ = shard_state::idle;

    std::uint64_t finished_wire_bytes_ = 0, payload_bytes_ = 0, sessions_lost_ = 0;
    lazy_timer timer_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace shardgate
