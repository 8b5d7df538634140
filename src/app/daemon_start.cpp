// SPDX-License-Identifier: Apache-2.0
// How the daemon starts: what an earlier process left, what Discord says, the fleet. Stored
// sessions resume at once; to IDENTIFY, Discord's own numbers come first.
#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include "app/daemon.hpp"
#include "shardgate/app/run.hpp"
#include "shardgate/base/log.hpp"
#include "shardgate/config/address.hpp"
#include "shardgate/runtime/sleep.hpp"

namespace shardgate {

namespace asio = boost::asio;

namespace {

constexpr auto limits_asked_every =
    std::chrono::minutes(30);  // the docs: not to be cached for long
constexpr auto shortest_at_discord = std::chrono::seconds(5);
constexpr auto first_retry = std::chrono::seconds(1);
constexpr auto last_retry = std::chrono::seconds(60);

// The crash-loop breaker: so many unclean ends in this time, and new sessions wait, longer with
// each. Resumes cost nothing and never wait.
constexpr auto crash_window = std::chrono::minutes(10);
constexpr std::uint32_t crashes_allowed = 5;
constexpr duration crash_wait_first = std::chrono::seconds(5);
constexpr duration crash_wait_most = std::chrono::minutes(1);

std::int64_t milliseconds_of(duration d) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(d).count();
}

std::string fact(const stored_state& state, std::string_view name) {
    for (const auto& [key, value] : state.facts)
        if (key == name) return value;
    return {};
}

std::uint32_t number(const std::string& text, std::uint32_t otherwise) {
    std::uint32_t n = otherwise;
    const auto end = std::from_chars(text.data(), text.data() + text.size(), n);
    return end.ec == std::errc{} ? n : otherwise;
}

std::uint64_t long_number(const std::string& text) {
    std::uint64_t n = 0;
    (void)std::from_chars(text.data(), text.data() + text.size(), n);
    return n;
}

// The plan that most of the stored sessions belong to.
std::uint32_t stored_total(const std::vector<stored_session>& sessions) {
    std::map<std::uint32_t, std::size_t> votes;
    for (const stored_session& s : sessions)
        ++votes[s.row.shards.value];
    const auto most =
        std::max_element(votes.begin(), votes.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    return most == votes.end() ? 0 : most->first;
}

}  // namespace

// ---- what was left -----------------------------------------------------------------------------

void daemon::take_state() {
    stored_ = disk_->take_state();
    for (const std::string& notice : stored_.notices) {
        log::error(notice);
        warnings_.push_back(notice);
    }
    stored_.spool.notes = stored_.facts;
    // A replay brings the dead again, too.
    for (stored_session& s : stored_.sessions) {
        for (const dead_row& d : stored_.spool.dead)
            if (d.event->session && *d.event->session == s.row.session_id &&
                d.event->seq > s.row.safe)
                s.spooled.push_back(d.event->seq.value);
        std::sort(s.spooled.begin(), s.spooled.end());
    }
    keeper_ = std::make_unique<state_keeper>(loop_.get_executor(), *disk_, *deliverer_, random_,
                                             std::exchange(stored_.spool, {}));
    const delivery_snapshot waiting = std::as_const(*deliverer_).core().snapshot();
    log::info("state", {{"directory", settings_.state.directory},
                        {"sessions", stored_.sessions.size()},
                        {"spooled_events", waiting.spooled_events},
                        {"dead_letters", waiting.dead_letters}});
    crashes_ = disk_->crashes(crash_window);
    if (crashes_ >= crashes_allowed) {
        duration wait = crash_wait_first;
        for (std::uint32_t n = crashes_allowed; n < crashes_ && wait < crash_wait_most; ++n)
            wait *= 2;
        wait = std::min(wait, crash_wait_most);
        identify_from_ = later(clock::now(), wait);
        log::warn("this daemon has ended uncleanly again and again: new sessions wait",
                  {{"ends_in_ten_minutes", crashes_}, {"wait_ms", milliseconds_of(wait)}});
    }
    const std::string whose = facts::identity_of(settings_.discord);
    if (!stored_.sessions.empty() && fact(stored_, facts::identity) != whose) {
        log::warn("the stored sessions belong to another bot or other intents: not resumed");
        keeper_->end_sessions(std::exchange(stored_.sessions, {}));
    }
    keeper_->set_fact(std::string(facts::identity), whose);
    if (stored_.sessions.empty()) return;
    stage_->on_bot(snowflake{long_number(fact(stored_, facts::bot))});
    stage_->voices().restore(fact(stored_, facts::voices));
}

// The stored plan, if there are sessions that belong to it.
std::optional<shard_range> daemon::stored_plan() const {
    const auto plan = facts::read_range(fact(stored_, facts::plan));
    const auto belongs = [&](const stored_session& s) {
        return s.row.gen == plan->gen && s.row.shards == plan->total && plan->holds(s.row.shard);
    };
    if (plan && std::any_of(stored_.sessions.begin(), stored_.sessions.end(), belongs)) return plan;
    return std::nullopt;
}

// The stored plan is the one in force: a resharding made it. Without one the file's number holds,
// or what most of the stored sessions say.
shard_range daemon::stored_range() {
    const auto plan = stored_plan();
    if (!plan) {
        const std::uint32_t total =
            settings_.sharding.total.value_or(stored_total(stored_.sessions));
        return total == 0 ? shard_range{} : range_for(total);
    }
    if (std::string text = facts::disagreement(*plan, settings_.sharding); !text.empty())
        warnings_.push_back(std::move(text));
    return *plan;
}

void daemon::resume_stored() {
    const bool planned = stored_plan().has_value();
    const shard_range range = stored_range();
    const std::uint32_t total = range.total.value;
    last_generation_ = range.gen;
    auto unfinished = facts::read_reshard(fact(stored_, facts::reshard));
    // The process before us was closing the old set: we need not, for nobody holds it any more.
    if (unfinished && unfinished->phase == "retiring" && unfinished->to.gen == range.gen)
        stage_->tell_resharded(range.first, unfinished->from, range.total, range.gen,
                               unfinished->started);
    // Before the windows the old set is all there is; after them the plan says that it was left.
    if (unfinished && (unfinished->phase != "overlap" || unfinished->to.gen <= range.gen))
        unfinished.reset();
    std::vector<stored_session> usable, stale;
    const auto belongs = [](const stored_session& s, const shard_range& to) {
        return s.row.gen == to.gen && s.row.shards == to.total && to.holds(s.row.shard);
    };
    for (stored_session& s : stored_.sessions) {
        last_generation_ = std::max(last_generation_, s.row.gen);
        const bool fits = belongs(s, range) || (unfinished && belongs(s, unfinished->to));
        (fits ? usable : stale).push_back(std::move(s));
    }
    if (!stale.empty())
        log::warn("stored sessions of shards that are not in force: not resumed",
                  {{"sessions", stale.size()}});
    keeper_->end_sessions(stale);
    stored_.sessions = std::move(usable);
    for (const generation gen : {range.gen, unfinished ? unfinished->to.gen : range.gen})
        if (auto keys = read_key_ranges(fact(stored_, facts::keys_of(gen))))
            stage_->keys().set(gen, std::move(*keys));
    if (unfinished)
        unfinished_ = unfinished;
    else
        keeper_->set_fact(std::string(facts::reshard), "");
    if (stored_.sessions.empty()) return;
    bot_gateway gateway;
    gateway.url = fact(stored_, "gateway_url");
    if (gateway.url.empty() && settings_.discord.gateway_url.empty()) return;
    gateway.shards = total;
    gateway.limit.max_concurrency = number(fact(stored_, "max_concurrency"), 1);
    gateway.limit.remaining = 0;  // until Discord says: nobody identifies
    gateway.limit.reset_after = std::chrono::hours(24);
    if (planned || !settings_.sharding.total) plan_source_ = "stored";
    log::info("resuming stored sessions", {{"sessions", stored_.sessions.size()}});
    start_fleet(range, gateway);
}

// ---- what Discord says -------------------------------------------------------------------------

asio::awaitable<void> daemon::begin() {
    duration wait = first_retry;
    while (!stopping_) {
        bot_gateway_answer answer = co_await fetch_bot_gateway(*rest_, settings_.discord);
        if (stopping_) co_return;
        if (answer.what == bot_gateway_answer::kind::ok) {
            launch(answer.gateway);
            break;
        }
        if (answer.what == bot_gateway_answer::kind::unauthorized) {
            log::error(
                "Discord refuses the token (401): check discord.token, or reset it in the "
                "developer portal");
            stop(exit_refused);
            co_return;
        }
        const duration pause = std::max(answer.retry_after, random_.between(wait / 2, wait));
        log::warn("GET /gateway/bot failed, trying again",
                  {{"detail", answer.detail}, {"in_ms", milliseconds_of(pause)}});
        const error_code woken = co_await sleep_for(pause);
        if (woken) co_return;
        wait = std::min<duration>(wait * 2, last_retry);
    }
    if (!stopping_) tasks_.spawn("limits", keep_limits_fresh());
}

shard_range daemon::range_for(std::uint32_t recommended) const {
    const config::sharding& wanted = settings_.sharding;
    shard_range range;
    range.total = shard_count{wanted.total.value_or(recommended)};
    range.first = shard_id{wanted.first};
    // The seeds' lastShardId may be one too many: what lies beyond the total is left out.
    range.last =
        shard_id{std::min(wanted.last.value_or(range.total.value - 1), range.total.value - 1)};
    return range;
}

void daemon::launch(const bot_gateway& gateway) {
    waiting_for_.clear();
    limits_known_ = true;
    if (keeper_) {
        keeper_->set_fact("gateway_url", gateway.url);
        keeper_->set_fact("max_concurrency", std::to_string(gateway.limit.max_concurrency));
    }
    if (fleet_) {
        apply(gateway.limit);
        return;
    }
    const shard_range range = range_for(gateway.shards);
    plan_source_ = settings_.sharding.total ? "file" : "discord";
    if (keeper_) keeper_->set_fact(std::string(facts::plan), "");  // nothing of it is left
    if (range.first > range.last) {
        log::error("sharding.first lies beyond the number of shards Discord recommends",
                   {{"first", range.first.value}, {"shards", range.total.value}});
        return stop(exit_config);
    }
    start_fleet(range, gateway);
    apply(gateway.limit);
    log::info("estimated time until the last shard identifies",
              {{"seconds",
                std::chrono::duration<double>(gate_->state().estimate(clock::now())).count()}});
}

void daemon::apply(const session_start_limit& limit) {
    const time_point now = clock::now();
    limits_seen_ = now;
    session_start_limit use = limit;
    if (now < identify_from_) {
        use.remaining = 0;
        use.reset_after = identify_from_ - now;
    }
    gate_->update(use);
}

void daemon::start_fleet(const shard_range& range, const bot_gateway& gateway) {
    const config::sharding& wanted = settings_.sharding;
    pacer_settings pacing;
    pacing.interval = wanted.identify_interval;
    pacing.max_concurrency_cap = wanted.max_concurrency;
    pacing.reserve = wanted.identify_reserve;
    limits_seen_ = clock::now();
    const std::string url =
        settings_.discord.gateway_url.empty() ? gateway.url : settings_.discord.gateway_url;
    if (pacing.interval < shortest_at_discord && config::is_discord_url(url)) {
        // A REST proxy hides from `check` where the gateway is; Discord's own pace is not
        // negotiable.
        log::warn(
            "sharding.identify_interval is too short for Discord's own gateway: using 5250ms");
        pacing.interval = std::chrono::milliseconds(5250);
    }
    identify_ledger& ledger = disk_ ? disk_->ledger() : ledger_;
    gate_ = std::make_unique<identify_gate>(loop_.get_executor(), pacing, gateway.limit, ledger);
    fleet_ = std::make_unique<fleet>(loop_.get_executor(), settings_, *discord_tls_, *stage_,
                                     *gate_, random_, range, url, user_agent_,
                                     static_cast<fleet_listener&>(*this));
    log::info("starting shards", {{"first", range.first.value},
                                  {"last", range.last.value},
                                  {"total", range.total.value},
                                  {"resuming", stored_.sessions.size()},
                                  {"max_concurrency", gateway.limit.max_concurrency},
                                  {"session_starts_left", gateway.limit.remaining},
                                  {"of", gateway.limit.total}});
    gateway_url_ = url;
    const std::vector<stored_session> sessions = std::exchange(stored_.sessions, {});
    if (keeper_) keeper_->set_source(this);
    // Before the old set's events are replayed: what both sets replay must be told apart.
    if (unfinished_) {
        reshard_order order;
        order.to = unfinished_->to;
        order.started = unfinished_->started;
        order.again = true;
        unfinished_.reset();
        start_reshard(order, sessions);
    }
    fleet_->start(sessions);
    trigger_.emplace(settings_.resharding, random_, clock::now());
    trigger_timer_.arm(trigger_->deadline());
    if (!keeper_) return;
    if (!std::exchange(stored_.spool_lost, false)) return;
    // What lay in the spool that was moved aside is known to nobody.
    for (const auto& shard : fleet_->shards())
        stage_->tell_gap(shard->id(), range.total, range.gen, "storage", wall_now());
}

asio::awaitable<void> daemon::keep_limits_fresh() {
    // Soon after the start once, when our own IDENTIFYs have opened Discord's window.
    duration usual = std::chrono::minutes(1);
    while (!stopping_) {
        const auto blocked = gate_->state().blocked_until(clock::now());
        duration pause = std::exchange(usual, limits_asked_every);
        if (blocked)
            pause = std::clamp<duration>(*blocked - clock::now(), std::chrono::seconds(30), pause);
        if (const time_point now = clock::now(); now < identify_from_)
            pause = std::min<duration>(pause, identify_from_ - now);
        const error_code woken = co_await sleep_for(pause);
        if (woken) co_return;
        if (stopping_) co_return;
        bot_gateway_answer answer = co_await fetch_bot_gateway(*rest_, settings_.discord);
        if (stopping_ || answer.what != bot_gateway_answer::kind::ok) continue;
        apply(answer.gateway.limit);
    }
}

}  // namespace shardgate
