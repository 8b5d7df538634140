// SPDX-License-Identifier: Apache-2.0
#include "app/daemon.hpp"

#include <sys/resource.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <random>
#include <utility>

#include "shardgate/app/run.hpp"
#include "shardgate/base/log.hpp"
#include "shardgate/config/address.hpp"
#include "shardgate/config/cli.hpp"
#include "shardgate/runtime/sleep.hpp"

namespace shardgate {

namespace asio = boost::asio;

namespace {

constexpr auto lag_measured_every = std::chrono::milliseconds(250);
constexpr auto fleet_stop_patience = std::chrono::seconds(5);
constexpr auto store_patience = std::chrono::seconds(10);
constexpr auto first_retry = std::chrono::seconds(1);
constexpr auto last_retry = std::chrono::seconds(60);

std::uint64_t seed() {
    std::random_device device;
    return (static_cast<std::uint64_t>(device()) << 32) | device();
}

template <class T>
T must(result<T> r) {
    if (!r) throw startup_failure(r.error().detail);
    return std::move(*r);
}

std::unique_ptr<tls_client> tls_for_discord(const config::discord& d) {
    tls_client_options options;
    options.ca_file = d.ca_file;
    return must(tls_client::make(options));
}

std::unique_ptr<tls_client> tls_for_handler(const config::handler& h) {
    tls_client_options options;
    options.ca_file = h.ca_file;
    options.client_certificate_file = h.client_certificate_file;
    options.client_key_file = h.client_key_file;
    return must(tls_client::make(options));
}

// A shard needs a descriptor, and so does every handler connection.
void raise_descriptor_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) log::warn("cannot raise the file-descriptor limit");
}

std::unique_ptr<storage> open_disk(asio::any_io_executor loop, const config::settings& settings) {
    if (settings.state.directory.empty()) return nullptr;
    storage_options options;
    options.directory = settings.state.directory;
    options.ordering = settings.handler.ordering;
    options.dead_letters_max = settings.queue.dead_letters_max;
    return must(storage::open(std::move(loop), options));
}

std::string hex(std::uint64_t n) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (int shift = 60; shift >= 0; shift -= 4)
        text += digits[(n >> shift) & 15U];
    return text;
}

}  // namespace

daemon::daemon(const config::settings& settings, settings_source reread)
    : settings_(settings),
      reader_(loop_.get_executor(), std::move(reread)),
      random_(seed()),
      user_agent_("DiscordBot (https://github.com/shardgate/shardgate, " +
                  config::version_number() + ")"),
      disk_(open_disk(loop_.get_executor(), settings_)),
      discord_tls_(tls_for_discord(settings_.discord)),
      handler_tls_(tls_for_handler(settings_.handler)),
      rest_(std::make_unique<http_client>(loop_.get_executor(), *discord_tls_, user_agent_)),
      deliverer_(std::make_unique<deliverer>(loop_.get_executor(), settings_, *rest_, *handler_tls_,
                                             "d" + hex(seed()), random_, nullptr)),
      stage_(std::make_unique<loop_stage>(settings_, *deliverer_, "s" + hex(seed()))),
      lag_(loop_.get_executor(), lag_measured_every),
      manager_(loop_.get_executor(), config::surroundings::real().environment,
               [this] { return status(); }),
      flush_timer_(loop_.get_executor(), [this] { finish_when_flushed(); }),
      tasks_(loop_.get_executor(),
             [this](std::string_view, std::string_view) { stop(exit_software); }),
      trigger_timer_(loop_.get_executor(), [this] { watch_fullness(); }),
      presence_timer_(loop_.get_executor(), [this] { go_round(); }),
      answers_(loop_.get_executor(), hex(seed()),
               [this](gateway_command c) { return send_by_guild(std::move(c)); }) {
    stage_->take_answers(&answers_);
    if (disk_) take_state();
}

daemon::~daemon() = default;

int daemon::run() {
    raise_descriptor_limit();
    open_admin();
    watch_signals();
    if (keeper_) resume_stored();
    tasks_.spawn("start", begin());
    asio::post(loop_, [this] { manager_.ready(); });
    loop_.run();
    return exit_code_;
}

void daemon::open_admin() {
    if (settings_.admin.listen.empty()) return;
    admin_ = must(admin_server::listen(loop_.get_executor(), settings_.admin, *this));
    log::info("admin API", {{"address", admin_->address()}});
}

// ---- what the fleet reports
// -----------------------------------------------------------------------

void daemon::on_stop_bot(shard_id shard, close_code code) {
    if (code == 4004) {
        // Seen in outages with a good token: only a 401 of the API makes it final.
        if (std::exchange(confirming_, true)) return;
        log::warn("the gateway refused the token (4004): asking the API whether it is good",
                  {{"shard", shard.value}});
        tasks_.spawn("confirm token", confirm_token());
        return;
    }
    const close_rule& rule = rule_for(code);
    log::error("Discord closed a shard for good", {{"shard", shard.value},
                                                   {"code", code},
                                                   {"meaning", rule.name},
                                                   {"what_to_do", rule.guidance}});
    stop(exit_refused);
}

asio::awaitable<void> daemon::confirm_token() {
    // Over confirmations too: a gateway that goes on refusing what the API accepts must not be
    // asked every second by every shard.
    if (clock::now() - last_confirmed_ > std::chrono::minutes(10)) token_wait_ = first_retry;
    while (!stopping_) {
        bot_gateway_answer answer = co_await fetch_bot_gateway(*rest_, settings_.discord);
        if (stopping_) co_return;
        if (answer.what == bot_gateway_answer::kind::unauthorized) {
            log::error("token refused by the gateway (4004) and by the API (401): stopping",
                       {{"what_to_do", rule_for(4004).guidance}});
            stop(exit_refused);
            co_return;
        }
        const duration pause = random_.between(token_wait_, token_wait_ * 2);
        const error_code woken = co_await sleep_for(pause);
        if (woken) co_return;
        token_wait_ = std::min<duration>(token_wait_ * 2, last_retry);
        if (answer.what != bot_gateway_answer::kind::ok) continue;
        log::warn("the API accepts the token that the gateway refused: trying the shards again");
        confirming_ = false;
        last_confirmed_ = clock::now();
        for (const auto& shard : fleet_->shards())
            if (shard->state() == shard_state::parked) fleet_->restart(shard->id());
        co_return;
    }
}

void daemon::on_parked(shard_id shard, close_code code, bool all_parked) {
    const close_rule& rule = rule_for(code);
    log::write_limited(log::level::error, "parked",
                       "shard parked: Discord does not run it with this number of shards",
                       {{"shard", shard.value},
                        {"code", code},
                        {"meaning", rule.name},
                        {"what_to_do", rule.guidance}});
    if (!all_parked) return;
    log::error("no shard can run: stopping");
    // Not from inside the shard's own callback: it is destroyed on the way.
    asio::post(loop_, [this] { stop(exit_refused); });
}

// ---- stop
// ----------------------------------------------------------------------------------------

void daemon::watch_signals() {
    signal_handlers handlers;
    handlers.on_stop = [this](int) {
        log::info("stopping on request");
        stop(exit_stopped);
    };
    handlers.on_stop_now = [this](int) { leave_now(); };
    handlers.on_reload = [this] { reload({}); };
    signals_ = std::make_unique<signal_watcher>(loop_.get_executor(), std::move(handlers));
}

void daemon::leave_now() {
    log::warn("second signal: leaving now",
              {{"queued_events", deliverer_->core().snapshot().events}});
    loop_.stop();
}

void daemon::stop(int exit_code) {
    if (stopping_) return;
    stopping_ = true;
    exit_code_ = exit_code;
    flush_until_ = clock::now() + fleet_stop_patience + settings_.state.stop_flush;
    manager_.stopping(flush_until_ - clock::now() + store_patience + fleet_stop_patience);
    tasks_.cancel();
    stop_fleets();
    flush_timer_.arm(clock::now() + fleet_stop_patience);
}

void daemon::stop_fleets() {
    // Not 1000: the sessions stay resumable.
    fleets_to_stop_ = (fleet_ ? 1U : 0U) + (resharder_ ? 1U : 0U);
    if (fleets_to_stop_ == 0) {
        fleets_to_stop_ = 1;
        return on_all_stopped();
    }
    if (resharder_) resharder_->stop(close_to_resume, [this] { on_all_stopped(); });
    if (fleet_) fleet_->stop(close_to_resume);
}

void daemon::on_all_stopped() {
    if (!stopping_) {  // the old set of a resharding
        if (resharder_) resharder_->on_old_gone();
        return;
    }
    if (fleets_to_stop_ == 0 || --fleets_to_stop_ > 0) return;
    fleet_stopped_ = true;
    flush_until_ = clock::now() + settings_.state.stop_flush;
    flush_timer_.arm(clock::now());
}

void daemon::finish_when_flushed() {
    const time_point now = clock::now();
    if (leaving_) {
        if (now < leave_by_) return flush_timer_.arm(leave_by_);
        log::error("the disk did not take what was to be stored in time: some of it is lost");
        return leave();
    }
    if (!fleet_stopped_) {
        log::warn("some connections did not close in time");
        fleet_stopped_ = true;
    }
    if (!deliverer_->core().idle() && now < flush_until_) {
        flush_timer_.arm(now + std::chrono::milliseconds(20));
        return;
    }
    finish();
}

void daemon::finish() {
    if (std::exchange(leaving_, true)) return;
    const delivery_snapshot left = deliverer_->core().snapshot();
    if (!keeper_) {
        if (left.events > 0)
            log::error("stopped with events the handler did not take: they are lost",
                       {{"events", left.events}});
        return leave();
    }
    if (left.events + left.spooled_events > 0)
        log::info("events wait in state.directory for the next start",
                  {{"events", left.events + left.spooled_events}});
    leave_by_ = clock::now() + store_patience;
    flush_timer_.arm(leave_by_);
    keeper_->store_everything([this] { disk_->mark_clean_end([this] { leave(); }); });
}

void daemon::leave() {
    if (admin_) admin_->stop();
    log::info("stopped");
    loop_.stop();
}

int run_daemon(const config::settings& settings, settings_source reread) {
    log::configure(settings.log.level, settings.log.format);
    int code = exit_software;
    try {
        daemon d(settings, std::move(reread));
        code = d.run();
    } catch (const startup_failure& e) {
        log::error(e.what());
        code = exit_config;
    } catch (const std::exception& e) {
        log::error("unexpected exception", {{"what", e.what()}});
    }
    log::shutdown();
    return code;
}

}  // namespace shardgate
