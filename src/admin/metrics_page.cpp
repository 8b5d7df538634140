// SPDX-License-Identifier: Apache-2.0
#include "admin/metrics_page.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

#include "admin/views.hpp"
#include "shardgate/metrics/prometheus_text.hpp"

namespace shardgate::admin {

namespace {

using kind = prometheus_text::kind;
using counts = std::vector<std::pair<std::string, std::uint64_t>>;

template <class Number>
void single(prometheus_text& p, kind k, std::string_view name, std::string_view help, Number v) {
    p.family(k, name, help);
    p.sample(v);
}

void labelled(prometheus_text& p, std::string_view name, std::string_view help,
              std::string_view label, const counts& all) {
    p.family(kind::counter, name, help);
    for (const auto& [key, n] : all)
        p.sample(n, {{label, key}});
}

void write_daemon(prometheus_text& p, const status_snapshot& s) {
    p.family(kind::gauge, "build_info", "Always 1; the version is the label.");
    p.sample(1U, {{"version", s.version}});
    single(p, kind::gauge, "uptime_seconds", "Since the daemon started.", s.uptime_s);
    single(p, kind::gauge, "generation", "Number of the active shard set.", s.generation);
    single(p, kind::gauge, "session_start_limit", "Session starts Discord allows in 24 hours.",
           s.limit_total);
    single(p, kind::gauge, "session_start_limit_remaining",
           "Session starts left until Discord resets the budget.", s.limit_remaining);
    single(p, kind::gauge, "session_start_limit_reset_seconds", "Until Discord resets the budget.",
           s.limit_reset_after_s);
    single(p, kind::gauge, "max_concurrency", "Identify rate-limit keys in use.",
           s.max_concurrency);
}

void write_shards(prometheus_text& p, const metrics_snapshot& m) {
    constexpr std::array<std::string_view, 7> states{
        "idle", "connecting", "identifying", "loading", "ready", "resuming", "parked"};
    std::array<std::uint64_t, states.size()> by_state{};
    std::uint64_t unavailable = 0, loading = 0;
    for (const shard_snapshot& s : m.shards) {
        if (s.generation != m.status.generation) continue;
        const auto at = std::find(states.begin(), states.end(), s.state);
        if (at != states.end()) ++by_state[static_cast<std::size_t>(at - states.begin())];
        unavailable += s.guilds_unavailable;
        loading += s.guilds_loading;
    }
    p.family(kind::gauge, "shards", "Shards of the active set by state.");
    for (std::size_t i = 0; i < states.size(); ++i)
        p.sample(by_state[i], {{"state", states[i]}});
    p.family(kind::gauge, "heartbeat_latency_seconds", "Last heartbeat's round trip.");
    for (const shard_snapshot& s : m.shards) {
        if (s.generation != m.status.generation || !s.latency_ms) continue;
        p.sample(*s.latency_ms / 1000, {{"shard", std::to_string(s.id)}});
    }
    p.family(kind::gauge, "unsafe_events",
             "Sequence numbers received and not safe: Discord would have to send them again.");
    for (const shard_snapshot& s : m.shards) {
        if (s.generation != m.status.generation) continue;
        const std::uint64_t open = s.received > s.safe ? s.received - s.safe : 0;
        p.sample(open, {{"shard", std::to_string(s.id)}});
    }
    single(p, kind::gauge, "guilds", "Guilds known over all shards.", m.status.guilds);
    single(p, kind::gauge, "guilds_unavailable", "Guilds in an outage.", unavailable);
    single(p, kind::gauge, "guilds_loading", "Guilds announced by READY and not yet here.",
           loading);
}

void write_reshard(prometheus_text& p, const metrics_snapshot& m) {
    const reshard_snapshot& r = m.reshard;
    std::uint64_t fullest = 0;
    for (const shard_snapshot& s : m.shards)
        if (s.generation == m.status.generation) fullest = std::max(fullest, s.guilds);
    single(p, kind::gauge, "shard_guilds_max", "Guilds on the fullest shard; Discord allows 2500.",
           fullest);
    single(p, kind::gauge, "reshard_due",
           "1 while the shards are nearly full and no resharding starts by itself.",
           r.warning.empty() ? 0U : 1U);
    p.family(kind::gauge, "reshard_state", "1 for the state of the last resharding.");
    for (const std::string_view state :
         {"idle", "starting", "overlap", "retiring", "done", "aborted", "failed"})
        p.sample(state == r.state ? 1U : 0U, {{"state", state}});
    single(p, kind::gauge, "reshard_progress_ratio", "How much of it is done, 0 to 1.",
           r.percent / 100.0);
    single(p, kind::gauge, "reshard_ready_shards", "Shards of its new set that are ready.",
           r.ready);
    labelled(p, "reshard_events_total", "Events of its two sets, by what became of them.",
             "outcome",
             {{"forwarded", r.forwarded},
              {"dropped", r.dropped},
              {"released", r.released},
              {"expired", r.expired}});
    single(p, kind::gauge, "reshard_held_bytes", "Bytes of events that wait for their copy.",
           r.held);
    single(p, kind::counter, "reshard_guessed_total",
           "Guilds and channels whose two streams were matched without proof.", r.guessed);
}

void write_gateway(prometheus_text& p, const metrics_snapshot& m) {
    labelled(p, "gateway_events_total", "Dispatches received from Discord.", "type",
             m.events_by_type);
    p.family(kind::counter, "gateway_received_bytes_total",
             "Bytes from Discord: on the wire, and inflated.");
    p.sample(m.wire_bytes, {{"kind", "wire"}});
    p.sample(m.payload_bytes, {{"kind", "payload"}});
    single(p, kind::counter, "gateway_bad_frames_total",
           "Frames that could not be understood; each cost its connection.", m.bad_frames);
    single(p, kind::counter, "zombies_total", "Connections given up for silence.", m.zombies);
    labelled(p, "identify_total", "IDENTIFYs sent, by result.", "result", m.identifies);
    labelled(p, "resume_total", "RESUMEs sent, by result.", "result", m.resumes);
    p.family(kind::counter, "closes_total", "Connections closed, by WebSocket close code.");
    for (const auto& [code, n] : m.closes)
        p.sample(n, {{"code", std::to_string(code)}});
}

void write_delivery(prometheus_text& p, const metrics_snapshot& m) {
    labelled(p, "filtered_events_total", "Events dropped by the filter.", "reason",
             m.filtered_by_reason);
    labelled(p, "handler_requests_total", "Requests to the handler, by outcome.", "outcome",
             m.handler_requests);
    p.family(kind::histogram, "handler_request_seconds",
             "A request to the handler, to its answer.");
    p.sample(m.handler_request_seconds);
    p.family(kind::histogram, "delivery_lag_seconds",
             "From an event's receipt to the handler's acceptance.");
    p.sample(m.delivery_lag_seconds);
    p.family(kind::gauge, "handler_state", "1 for the state the handler is in.");
    for (const std::string_view state : {"up", "down", "paused"})
        p.sample(state == m.status.handler_state ? 1U : 0U, {{"state", state}});
    const auto per_url = [&](std::string_view name, std::string_view help, auto value) {
        p.family(kind::gauge, name, help);
        std::vector<std::string> seen;  // two URLs may differ in their secrets alone
        for (const url_status& u : m.status.handler_urls) {
            const std::string shown = without_secrets(u.url);
            if (std::find(seen.begin(), seen.end(), shown) != seen.end()) continue;
            seen.push_back(shown);
            p.sample(value(u), {{"url", shown}});
        }
    };
    per_url("handler_in_flight", "Requests under way.",
            [](const url_status& u) { return u.in_flight; });
    per_url("handler_window", "Requests allowed under way.",
            [](const url_status& u) { return u.window; });
    single(p, kind::gauge, "handler_connections", "Open connections to the handler.",
           m.sink_connections);
    single(p, kind::counter, "handler_connections_opened_total",
           "Connections to the handler ever opened.", m.sink_connections_opened);
    single(p, kind::counter, "handler_stale_retries_total",
           "Requests repeated at once because an idle connection was closed.",
           m.sink_stale_retries);
    labelled(p, "interactions_total", "Interactions, by what became of them.", "outcome",
             m.interactions);
}

void write_commands(prometheus_text& p, const metrics_snapshot& m) {
    labelled(p, "commands_total", "Gateway commands of the bot, by what became of them.", "result",
             m.commands);
    single(p, kind::gauge, "commands_waiting",
           "Gateway commands that wait for their connection or for Discord's limits.",
           m.commands_waiting);
    labelled(p, "member_requests_total",
             "Requests for members over the admin API, by what became of them.", "outcome",
             m.member_requests);
    single(p, kind::gauge, "member_requests_waiting", "Requests for members under way.",
           m.member_requests_waiting);
    single(p, kind::gauge, "member_unread_bytes", "Members that wait to be read.",
           m.member_unread_bytes);
    single(p, kind::counter, "member_chunks_late_total",
           "Answers to requests for members that nobody waited for any more.",
           m.member_chunks_late);
}

void write_queue(prometheus_text& p, const metrics_snapshot& m) {
    const queue_snapshot& q = m.status.queue;
    single(p, kind::gauge, "queue_events", "Events waiting for the handler, in memory.", q.events);
    single(p, kind::gauge, "queue_bytes", "Their bytes.", q.bytes);
    single(p, kind::gauge, "queue_lanes", "Guilds, channels and shards that have events waiting.",
           q.lanes);
    single(p, kind::gauge, "queue_oldest_age_seconds", "Age of the oldest waiting event.",
           q.oldest_age_s);
    single(p, kind::gauge, "queue_spooled_events", "Events waiting on disk, not in memory.",
           q.spooled_events);
    single(p, kind::gauge, "queue_spooled_bytes", "Their bytes.", q.spooled_bytes);
    single(p, kind::gauge, "queue_stored_events",
           "Events waiting in memory that are on disk as well.", q.stored_events);
    labelled(p, "queue_dropped_total", "Events shed at the queue's bound, by class.", "class",
             q.shed);
    single(p, kind::gauge, "dead_letters", "Events set aside because the handler refused them.",
           q.dead_letters);
    single(p, kind::counter, "dead_letters_dropped_total",
           "Dead letters that gave way to later ones.", m.dead_letters_dropped);
}

void write_storage(prometheus_text& p, const metrics_snapshot& m) {
    const storage_snapshot& s = m.status.storage;
    single(p, kind::counter, "events_replayed_known_total",
           "Events that Discord sent again and the spool held already.", m.events_replayed_known);
    single(p, kind::counter, "queue_evicted_total",
           "Events that left a full memory for the spool, which had them already.",
           m.events_evicted);
    single(p, kind::counter, "spool_rows_written_total", "Events written to the spool.",
           s.rows_written);
    single(p, kind::counter, "spool_rows_freed_total", "Events freed from the spool.",
           s.rows_freed);
    if (s.state == "off") return;  // memory only: a storage that is not there cannot be down
    single(p, kind::gauge, "storage_up", "1 while writes to the state directory succeed.",
           s.state == "up" ? 1U : 0U);
    single(p, kind::counter, "storage_errors_total", "Writes that failed; each is repeated.",
           s.errors);
    single(p, kind::counter, "storage_resets_total",
           "Damaged files moved aside; what they held is lost.", s.resets);
    single(p, kind::gauge, "storage_last_write_seconds", "How long the last write took.",
           s.last_write_s);
    single(p, kind::gauge, "storage_file_bytes", "The spool's file.", s.file_bytes);
}

void write_process(prometheus_text& p, const metrics_snapshot& m, const page_extras& x) {
    p.family(kind::gauge, "loop_lag_seconds", "How late the event loop is.");
    for (std::size_t i = 0; i < m.loop_lag_seconds.size(); ++i)
        p.sample(m.loop_lag_seconds[i], {{"worker", std::to_string(i)}});
    labelled(p, "reloads_total", "Readings of the configuration while running, by result.",
             "result", m.reloads);
    single(p, kind::gauge, "config_last_reload_successful",
           "0 while the file that was read last has errors and was not taken.",
           m.last_reload_worked ? 1U : 0U);
    single(p, kind::counter, "log_lines_lost_total",
           "Log lines that standard error did not take in time.", x.log_lines_lost);
    single(p, kind::gauge, "admin_connections", "Open admin connections.", x.server.connections);
    single(p, kind::counter, "admin_refused_connections_total", "Admin connections over the limit.",
           x.server.refused);
    single(p, kind::counter, "admin_requests_total", "Admin requests answered.", x.server.requests);
    single(p, kind::counter, "admin_bad_requests_total",
           "Admin requests that were not HTTP or too large.", x.server.bad_requests);
    single(p, kind::counter, "admin_timeouts_total", "Admin requests that came too slowly.",
           x.server.timeouts);
    single(p, kind::gauge, "admin_streams", "Open live tails and dashboards.", x.server.streams);
    single(p, kind::counter, "admin_slow_readers_total",
           "Clients dropped because they did not read their stream.", x.server.slow_readers);
    single(p, kind::counter, "admin_tail_dropped_events_total",
           "Events that a live tail left out because its client was too slow.",
           x.server.tail_dropped);
    const auto shared = [&](kind k, std::string_view name, std::string_view help, auto value) {
        p.shared_family(k, name, help);
        if (x.process) p.sample(value(*x.process));
    };
    using stats = const process_stats&;
    shared(kind::counter, "process_cpu_seconds_total", "User and system time spent.",
           [](stats s) { return s.cpu_seconds; });
    shared(kind::gauge, "process_resident_memory_bytes", "Resident memory.",
           [](stats s) { return s.resident_bytes; });
    shared(kind::gauge, "process_virtual_memory_bytes", "Virtual memory.",
           [](stats s) { return s.virtual_bytes; });
    shared(kind::gauge, "process_threads", "Threads.", [](stats s) { return s.threads; });
    shared(kind::gauge, "process_open_fds", "Open file descriptors.",
           [](stats s) { return s.open_fds; });
    shared(kind::gauge, "process_max_fds", "Limit of open file descriptors.",
           [](stats s) { return s.max_fds; });
    shared(kind::gauge, "process_start_time_seconds", "Start of the process, unix time.",
           [](stats s) { return s.start_time_seconds; });
}

}  // namespace

std::string metrics_page(const metrics_snapshot& m, const page_extras& extras) {
    prometheus_text page;
    write_daemon(page, m.status);
    write_shards(page, m);
    write_reshard(page, m);
    write_gateway(page, m);
    write_delivery(page, m);
    write_commands(page, m);
    write_queue(page, m);
    write_storage(page, m);
    write_process(page, m, extras);
    return page.take();
}

}  // namespace shardgate::admin
