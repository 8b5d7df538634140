// SPDX-License-Identifier: Apache-2.0
// The composition root: builds every part in order, connects them, starts and stops them.
// Loop thread only, but for run().
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "app/bot_answers.hpp"
#include "app/event_tap.hpp"
#include "app/notify.hpp"
#include "app/plan_facts.hpp"
#include "app/resharder.hpp"
#include "app/settings_reader.hpp"
#include "shardgate/admin/server.hpp"
#include "shardgate/app/run.hpp"
#include "shardgate/config/config.hpp"
#include "shardgate/config/reload.hpp"
#include "shardgate/fleet/bot_gateway.hpp"
#include "shardgate/fleet/deliverer.hpp"
#include "shardgate/fleet/fleet.hpp"
#include "shardgate/fleet/identify_gate.hpp"
#include "shardgate/fleet/loop_stage.hpp"
#include "shardgate/fleet/state_keeper.hpp"
#include "shardgate/identify/ledger.hpp"
#include "shardgate/reshard/command_route.hpp"
#include "shardgate/reshard/plan.hpp"
#include "shardgate/reshard/trigger.hpp"
#include "shardgate/runtime/lazy_timer.hpp"
#include "shardgate/runtime/loop_lag.hpp"
#include "shardgate/runtime/signals.hpp"
#include "shardgate/runtime/task_group.hpp"
#include "shardgate/shard/presence_round.hpp"
#include "shardgate/store/storage.hpp"
#include "shardgate/transport/http_client.hpp"
#include "shardgate/transport/tls_client.hpp"

namespace shardgate {

// Something the configuration names cannot be used: a certificate file, the admin address.
struct startup_failure : std::runtime_error {
    using std::runtime_error::runtime_error;
};

class daemon final : private daemon_view, private fleet_listener, private state_source {
public:
    daemon(const config::settings& settings, settings_source reread);
    ~daemon() override;

    // Until stopped; the exit code.
    [[nodiscard]] int run();

private:
    // Start: asks Discord until it answers, then builds the fleet.
    boost::asio::awaitable<void> begin();
    boost::asio::awaitable<void> keep_limits_fresh();
    boost::asio::awaitable<void> confirm_token();
    void launch(const bot_gateway& gateway);
    // With the sessions of an earlier process nobody needs to be asked first.
    void resume_stored();
    [[nodiscard]] std::optional<shard_range> stored_plan() const;
    [[nodiscard]] shard_range stored_range();
    [[nodiscard]] shard_range range_for(std::uint32_t recommended) const;
    void take_state();
    void apply(const session_start_limit& limit);
    void start_fleet(const shard_range& range, const bot_gateway& gateway);
    void open_admin();

    // Resharding (daemon_reshard.cpp).
    boost::asio::awaitable<void> plan_reshard(reshard_request wanted, bool by_hand,
                                              std::function<void(reshard_reply)> done);
    [[nodiscard]] reshard_question question_for(const reshard_request& wanted, bool by_hand,
                                                const bot_gateway& gateway) const;
    [[nodiscard]] std::vector<std::string> voice_guilds() const;
    [[nodiscard]] shard_range range_of(const reshard_plan& plan) const;
    void start_reshard(reshard_order order, const std::vector<stored_session>& stored);
    void on_reshard_over();
    void end_old_keys();
    void watch_fullness();
    void log_trigger();
    [[nodiscard]] reshard_parts parts_for_reshard();
    void stop_fleets();

    // What the bot sends (daemon_bot.cpp).
    struct sender;  // a shard and its set
    [[nodiscard]] fleet* set_of(std::optional<std::uint32_t> gen) const noexcept;
    [[nodiscard]] shard_count sending_total() const noexcept;
    [[nodiscard]] std::optional<sender> sender_for(const gateway_command& command);
    [[nodiscard]] send_reply send_by_shard(const send_request& wanted);
    [[nodiscard]] send_reply send_by_guild(gateway_command command);
    [[nodiscard]] send_reply hand_over(const sender& to, const gateway_command& command);
    [[nodiscard]] send_reply send_to_all(gateway_command presence);
    [[nodiscard]] std::size_t all_shards() const noexcept;
    void go_round();

    // Stop: close resumably, flush for a while, leave.
    void watch_signals();
    void leave_now();
    // What of the new settings is here now (reload.cpp).
    [[nodiscard]] reload_reply reload_from(config::loaded read);
    void take_up(const config::reload_plan& plan);
    void take_up_presence();
    void stop(int exit_code);
    void finish_when_flushed();
    void finish();
    void leave();

    // fleet_listener
    void on_stop_bot(shard_id shard, close_code code) override;
    void on_parked(shard_id shard, close_code code, bool all_parked) override;
    void on_all_stopped() override;

    // state_source: of both shard sets
    void add_state(store_batch& batch) override;
    void on_stored() override;
    void forget_stored() override;

    // daemon_view
    [[nodiscard]] status_snapshot status() const override;
    [[nodiscard]] std::vector<shard_snapshot> shards() const override;
    [[nodiscard]] queue_snapshot queue() const override;
    [[nodiscard]] storage_snapshot storage_health() const override;
    [[nodiscard]] std::vector<dead_letter_snapshot> dead_letters(
        const dead_letter_query& query) const override;
    std::size_t retry_dead_letters(const std::vector<std::string>& keys) override;
    std::size_t delete_dead_letters(const std::vector<std::string>& keys) override;
    void reshard(const reshard_request& wanted, std::function<void(reshard_reply)> done) override;
    [[nodiscard]] reshard_snapshot reshard_progress() const override;
    abort_reply abort_reshard() override;
    void reload(std::function<void(reload_reply)> done) override;
    send_reply send(const send_request& wanted) override;
    send_reply members(const members_request& wanted,
                       std::shared_ptr<member_reader> reader) override;
    send_reply reconnect(const reconnect_request& wanted) override;
    [[nodiscard]] guild_list guilds(bool with_ids) const override;
    void change_handler(const handler_change& change) override;
    void watch_events(event_watcher* watcher) override;
    [[nodiscard]] metrics_snapshot metrics() const override;
    [[nodiscard]] readiness ready() const override;

    config::settings settings_;  // changes by a reload alone
    boost::asio::io_context loop_{1};
    settings_reader reader_;
    time_point started_ = clock::now();
    random_source random_;
    std::string user_agent_;

    // Built in the constructor, in this order; destroyed in reverse.
    std::unique_ptr<storage> disk_;  // null: memory only
    stored_state stored_;            // until the fleet has started
    std::unique_ptr<tls_client> discord_tls_, handler_tls_;
    std::unique_ptr<http_client> rest_;
    std::unique_ptr<deliverer> deliverer_;
    std::unique_ptr<loop_stage> stage_;
    std::unique_ptr<state_keeper> keeper_;
    memory_ledger ledger_;  // without a state directory
    loop_lag lag_;
    std::unique_ptr<signal_watcher> signals_;
    service_reporter manager_;
    lazy_timer flush_timer_;
    task_group tasks_;
    event_tap tap_;
    std::unique_ptr<admin_server> admin_;

    // Built when Discord has answered.
    std::unique_ptr<identify_gate> gate_;
    std::unique_ptr<fleet> fleet_;
    std::string gateway_url_;
    std::unique_ptr<resharder> resharder_;
    std::optional<reshard_trigger> trigger_;
    lazy_timer trigger_timer_;
    std::optional<facts::stored_reshard> unfinished_;  // of the process before us
    reshard_snapshot last_reshard_;
    generation last_generation_{1};
    snowflake stored_bot_{};
    presence_round presence_round_;
    lazy_timer presence_timer_;
    command_route command_route_;
    bot_answers answers_;
    bool planning_ = false;
    std::size_t fleets_to_stop_ = 0;

    int exit_code_ = 0;
    bool stopping_ = false;
    bool fleet_stopped_ = false;
    bool confirming_ = false;
    duration token_wait_ = std::chrono::seconds(1);
    time_point last_confirmed_{};
    time_point flush_until_ = never;
    time_point leave_by_ = never;
    bool leaving_ = false;
    bool limits_known_ = false;
    time_point identify_from_{};  // the crash-loop breaker's
    std::uint32_t crashes_ = 0;   // unclean ends lately
    std::vector<std::string> warnings_;
    std::string restart_warning_;  // keys of the file that wait for the next start
    std::uint64_t reloads_ = 0, reloads_refused_ = 0;
    bool last_reload_worked_ = true;
    time_point limits_seen_{};
    std::string plan_source_ = "discord";
    std::string waiting_for_ = "GET /gateway/bot";
};

}  // namespace shardgate
