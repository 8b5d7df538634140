// SPDX-License-Identifier: Apache-2.0
// The daemon as the admin API sees it: values gathered from the parts when asked.
#include <algorithm>
#include <boost/asio/post.hpp>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/daemon.hpp"
#include "shardgate/config/cli.hpp"

namespace shardgate {

namespace {

double seconds(duration d) {
    return std::chrono::duration<double>(d).count();
}

// Why events wait: the handler's state says it.
std::string_view cause_of(handler_state s) {
    switch (s) {
    case handler_state::down: return "handler_down";
    case handler_state::paused: return "handler_paused";
    case handler_state::up: break;
    }
    return "handler_busy";
}

// With its text as long as `room` has bytes; what does not fit is left out, never cut.
dead_letter_snapshot letter_of(const dead_letter& l, std::string key, std::size_t& room) {
    const queued_event& e = *l.event;
    dead_letter_snapshot s;
    s.key = std::move(key);
    s.event = e.name();
    s.shard = e.shard.value;
    s.shards = e.shards.value;
    s.guild = e.guild.value;
    s.status = l.status;
    s.attempts = l.attempts;
    s.when = l.when;
    s.reason = l.reason;
    s.bytes = e.frame().size();
    if (e.frame().size() <= room) {
        room -= e.frame().size();
        s.payload = std::string(e.frame());
    } else {
        room = 0;  // those that come first, not those that happen to be small
    }
    return s;
}

queue_snapshot queue_of(const delivery_snapshot& d, time_point now) {
    queue_snapshot q;
    q.events = d.events;
    q.bytes = d.bytes;
    q.spooled_events = d.spooled_events;
    q.spooled_bytes = d.spooled_bytes;
    q.stored_events = d.stored_events;
    q.lanes = d.lanes;
    q.dead_letters = d.dead_letters;
    q.oldest_age_s = d.oldest ? std::max(0.0, seconds(now - *d.oldest)) : 0.0;
    if (const auto waiting = d.events + d.spooled_events; waiting > 0)
        q.causes.emplace_back(cause_of(d.state), waiting);
    for (std::size_t c = 0; c < shed_class_count; ++c)
        q.shed.emplace_back(name_of(static_cast<shed_class>(c)), d.shed[c]);
    return q;
}

}  // namespace

status_snapshot daemon::status() const {
    const time_point now = clock::now();
    const delivery_snapshot d = deliverer_->core().snapshot();
    status_snapshot s;
    s.version = config::version_number();
    s.uptime_s = seconds(now - started_);
    s.handler_state = name_of(d.state);
    for (const url_snapshot& u : d.urls)
        s.handler_urls.push_back(
            {u.url, std::string(name_of(u.state)), u.last_error, u.in_flight, u.window});
    s.queue = queue_of(d, now);
    s.storage = storage_health();
    s.warnings = warnings_;
    if (keeper_)
        s.warnings.insert(s.warnings.end(), keeper_->warnings().begin(), keeper_->warnings().end());
    if (keeper_ && keeper_->slow() > duration{0})
        s.warnings.push_back("the disk is slow: a write took " +
                             std::to_string(static_cast<long>(seconds(keeper_->slow()) * 1000)) +
                             " ms");
    if (trigger_ && !trigger_->warning().empty()) s.warnings.push_back(trigger_->warning());
    if (!restart_warning_.empty()) s.warnings.push_back(restart_warning_);
    s.waiting_for = waiting_for_;
    s.plan_source = plan_source_;
    if (!fleet_) return s;
    const shard_range& range = fleet_->range();
    s.generation = range.gen.value;
    s.guilds = fleet_->guilds();
    s.total = s.plan_total = range.total.value;
    s.first = range.first.value;
    s.last = range.last.value;
    for (const auto& shard : fleet_->shards())
        s.ready += shard->state() == shard_state::ready ? 1U : 0U;
    const session_start_limit& limit = gate_->limit();
    s.limit_total = limit.total;
    s.limit_remaining = gate_->state().remaining(now);
    s.max_concurrency = limit.max_concurrency;
    s.limit_reset_after_s = std::max(0.0, seconds(limit.reset_after - (now - limits_seen_)));
    if (gate_->ledger_fails()) s.waiting_for = "the identify ledger, which cannot be written";
    const auto until = gate_->state().blocked_until(now);
    if (until && now < identify_from_)
        s.waiting_for = "this daemon ended uncleanly " + std::to_string(crashes_) +
                        " times in ten minutes: the next session starts in " +
                        std::to_string(static_cast<long>(seconds(identify_from_ - now))) + " s";
    else if (until && limits_known_)
        s.waiting_for = "the identify budget is used up; the next session starts in " +
                        std::to_string(static_cast<long>(seconds(*until - now))) + " s";
    return s;
}

std::vector<shard_snapshot> daemon::shards() const {
    std::vector<shard_snapshot> all = fleet_ ? fleet_->snapshots() : std::vector<shard_snapshot>{};
    if (resharder_)
        for (shard_snapshot& s : resharder_->next().snapshots())
            all.push_back(std::move(s));
    return all;
}

queue_snapshot daemon::queue() const {
    return queue_of(deliverer_->core().snapshot(), clock::now());
}

storage_snapshot daemon::storage_health() const {
    storage_snapshot s;
    if (!disk_) return s;
    const storage_stats d = disk_->stats();
    s.state = "up";
    if (keeper_ && !keeper_->trouble().empty()) {
        s.state = "failing";
        s.detail = keeper_->trouble();
    }
    s.errors = d.write_errors + d.ledger_errors;
    s.resets = d.resets;
    s.last_write_s = d.last_write_seconds;
    s.file_bytes = d.spool_file_bytes;
    s.rows_written = d.rows_written;
    s.rows_freed = d.rows_freed;
    return s;
}

std::vector<dead_letter_snapshot> daemon::dead_letters(const dead_letter_query& query) const {
    const std::set<std::string, std::less<>> keys(query.keys.begin(), query.keys.end());
    const std::size_t looked_at = keys.empty() ? query.at_most : settings_.queue.dead_letters_max;
    std::size_t room = query.payload_bytes;
    std::vector<dead_letter_snapshot> out;
    for (const dead_letter& l : deliverer_->core().dead_letters(looked_at)) {
        if (out.size() == query.at_most) break;
        std::string key;
        l.event->append_key(key);
        if (!keys.empty() && !keys.contains(key)) continue;
        out.push_back(letter_of(l, std::move(key), room));
    }
    return out;
}

std::size_t daemon::retry_dead_letters(const std::vector<std::string>& keys) {
    return deliverer_->retry_dead_letters(keys);
}

std::size_t daemon::delete_dead_letters(const std::vector<std::string>& keys) {
    return deliverer_->clear_dead_letters(keys);
}

metrics_snapshot daemon::metrics() const {
    metrics_snapshot m;
    m.status = status();
    m.shards = shards();
    const auto names = known_events();
    for (std::size_t i = 0; i < names.size(); ++i)
        if (const auto n = stage_->events_of(static_cast<event_id>(i)); n != 0)
            m.events_by_type.emplace_back(i == 0 ? "other" : names[i], n);
    const filter_stats filtered = stage_->filtered();
    for (std::size_t i = 0; i < drop_reason_count; ++i)
        m.filtered_by_reason.emplace_back(name_of(static_cast<drop_reason>(i)),
                                          filtered.dropped[i]);
    const delivery& core = deliverer_->core();
    const delivery_snapshot d = core.snapshot();
    m.handler_requests = {{"accepted", d.requests_ok},
                          {"refused", d.requests_refused},
                          {"failed", d.requests_failed},
                          {"timeout", d.requests_timed_out}};
    m.interactions = {
        {"taken", d.interactions_taken},       {"deferred", d.interactions_deferred},
        {"message", d.interactions_messaged},  {"already_answered", d.interactions_already},
        {"too_late", d.interactions_too_late}, {"failed", d.interactions_failed},
        {"expired", d.interactions_expired},   {"unknown_type", d.interactions_unknown_type}};
    m.dead_letters_dropped = d.dead_letters_dropped;
    m.events_replayed_known = d.replayed_known;
    m.events_evicted = d.evicted;
    m.handler_request_seconds = core.request_seconds();
    m.delivery_lag_seconds = core.lag();
    const sink_stats sink = deliverer_->sink();
    m.sink_connections = sink.open;
    m.sink_connections_opened = sink.connections_opened;
    m.sink_stale_retries = sink.stale_retries;
    m.loop_lag_seconds = {seconds(lag_.latest())};
    const member_stats& asked = answers_.book().stats();
    m.member_requests = {{"complete", asked.complete},
                         {"timed_out", asked.timed_out},
                         {"rate_limited", asked.rate_limited},
                         {"too_slow", asked.too_slow},
                         {"abandoned", asked.abandoned},
                         {"refused", asked.refused},
                         {"shared", asked.shared}};
    m.member_chunks_late = asked.late;
    m.member_requests_waiting = answers_.book().size();
    m.member_unread_bytes = answers_.book().unread();
    m.reshard = reshard_progress();
    m.reloads = {{"applied", reloads_}, {"refused", reloads_refused_}};
    m.last_reload_worked = last_reload_worked_;
    if (!fleet_) return m;
    std::uint64_t commands_sent = 0, commands_refused = 0, expired = 0, replaced = 0;
    std::uint64_t sent = 0, started = 0, refused = 0, resumes = 0, resumed = 0, lost = 0;
    for (const auto& shard : fleet_->shards()) {
        const session_stats& s = shard->session().stats();
        sent += s.identifies, started += s.readies, refused += s.invalid_sessions;
        resumes += s.resumes_sent, resumed += s.resumes_done, lost += shard->sessions_lost();
        m.wire_bytes += shard->wire_bytes();
        m.payload_bytes += shard->payload_bytes();
        m.bad_frames += s.bad_frames;
        m.zombies += s.zombies;
        const command_queue& waiting = shard->session().commands();
        commands_sent += s.commands_sent, commands_refused += s.commands_refused;
        expired += waiting.expired(), replaced += waiting.coalesced();
        m.commands_waiting += waiting.size();
    }
    m.commands = {{"sent", commands_sent},
                  {"refused", commands_refused},
                  {"expired", expired},
                  {"replaced", replaced}};
    m.identifies = {{"sent", sent}, {"ready", started}, {"invalid_session", refused}};
    m.resumes = {{"sent", resumes}, {"resumed", resumed}, {"session_lost", lost}};
    for (const auto& [code, n] : fleet_->closes())
        m.closes.emplace_back(code, n);
    return m;
}

readiness daemon::ready() const {
    readiness r;
    const time_point now = clock::now();
    if (stopping_) r.reasons.emplace_back("stopping");
    // Sessions that are resumed need nobody's answer.
    if (!waiting_for_.empty() && !fleet_) r.reasons.push_back("waiting for " + waiting_for_);
    std::size_t away = 0;
    std::string example;
    if (fleet_)
        for (const auto& shard : fleet_->shards()) {
            const shard_state is = shard->state();
            if (is == shard_state::ready && shard->survives()) continue;
            if (is == shard_state::resuming &&
                now - shard->session().state_since() < settings_.admin.ready_grace)
                continue;
            if (++away == 1)
                example =
                    "shard " + std::to_string(shard->id().value) + " is " +
                    std::string(is == shard_state::ready ? "ready, its session not on disk yet"
                                                         : name_of(is));
        }
    if (away > 1) example += " and " + std::to_string(away - 1) + " more are not ready";
    if (away > 0) r.reasons.push_back(example);
    const delivery_snapshot d = deliverer_->core().snapshot();
    if (d.state != handler_state::up)
        r.reasons.push_back("the handler is " + std::string(name_of(d.state)));
    const status_snapshot s = status();
    r.warnings = s.warnings;
    // Events still flow; but the promise that none is lost does not hold until the disk is back.
    if (s.storage.state == "failing") r.reasons.push_back("storage fails: " + s.storage.detail);
    r.ready = r.reasons.empty();
    return r;
}

}  // namespace shardgate
