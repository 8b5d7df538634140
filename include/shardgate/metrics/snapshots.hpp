// SPDX-License-Identifier: Apache-2.0
// What observers see: values gathered from the parts, never the parts themselves.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "shardgate/base/time.hpp"
#include "shardgate/metrics/histogram.hpp"

namespace shardgate {

struct shard_snapshot {
    std::uint32_t id = 0, total = 0, generation = 0;
    std::string
        state;  // interface: idle, connecting, identifying, loading, ready, resuming, parked
    double state_age_s = 0;
    std::string session;  // first 8 characters and an ellipsis: enough to tell, useless to steal
    std::uint64_t received = 0, safe = 0;
    std::optional<double> latency_ms;
    std::uint64_t guilds = 0, guilds_unavailable = 0, guilds_loading = 0;
    bool guilds_loaded = false;
    std::uint64_t events = 0;
    std::uint32_t last_close = 0;
    std::uint32_t worker = 0;
    std::string url;  // host only
    std::uint64_t connects = 0, identifies = 0, resumes = 0, zombies = 0, invalid_sessions = 0;
    std::uint64_t wire_bytes = 0, payload_bytes = 0;
    std::uint64_t commands_waiting = 0;  // of the bot, for the connection or the limits
};

struct url_status {
    std::string url, state, last_error;
    std::uint64_t in_flight = 0, window = 0;
};

struct queue_snapshot {
    std::uint64_t events = 0, bytes = 0;                  // in memory
    std::uint64_t spooled_events = 0, spooled_bytes = 0;  // on disk alone
    std::uint64_t stored_events = 0;                      // of those in memory: on disk as well
    std::uint64_t dead_letters = 0, lanes = 0;
    double oldest_age_s = 0;
    std::vector<std::pair<std::string, std::uint64_t>> causes;  // why events wait, n
    std::vector<std::pair<std::string, std::uint64_t>> shed;    // class, n
};

// An event the handler refused. Its text is a copy, made only when asked for.
struct dead_letter_snapshot {
    std::string key;  // its Idempotency-Key
    std::string event;
    std::uint32_t shard = 0, shards = 0;
    std::uint64_t guild = 0;  // 0 = none
    unsigned status = 0;      // the handler's last; 0 = none
    std::uint32_t attempts = 0;
    wall_ms when{};
    std::string reason;
    std::uint64_t bytes = 0;  // of its text
    std::optional<std::string> payload;
};

// What is kept on disk, and whether that works.
struct storage_snapshot {
    std::string state = "off";  // up, failing, off
    std::string detail;         // what fails, one sentence
    std::uint64_t errors = 0;   // writes that failed
    std::uint64_t resets = 0;   // damaged files moved aside
    double last_write_s = 0;
    std::uint64_t file_bytes = 0;
    std::uint64_t rows_written = 0, rows_freed = 0;
};

struct status_snapshot {
    std::string version;
    double uptime_s = 0;
    std::uint32_t generation = 0;
    std::uint64_t guilds = 0;
    std::uint32_t total = 0, first = 0, last = 0, ready = 0;
    std::uint32_t limit_total = 0, limit_remaining = 0, max_concurrency = 0;
    double limit_reset_after_s = 0;
    std::string handler_state;  // up, down, paused
    std::vector<url_status> handler_urls;
    queue_snapshot queue;
    storage_snapshot storage;
    std::vector<std::string> warnings;  // sentences; nothing waits for them
    std::uint32_t plan_total = 0;
    std::string plan_source;  // stored, file, discord
    std::string waiting_for;  // one sentence when something is waited for; else empty
};

// What a resharding would cost and come to.
struct reshard_plan_snapshot {
    std::uint32_t from = 0, to = 0;
    std::uint32_t session_starts = 0;  // what it spends
    std::uint32_t remaining = 0;       // what there is to spend, before
    double estimated_s = 0;
    std::vector<std::string> voice_guilds;  // where the bot has a live voice session
    std::vector<std::string> warnings;      // sentences
};

// The resharding that runs, else the last one; and how events of the two sets are told apart.
struct reshard_snapshot {
    std::string state = "idle";  // idle, starting, overlap, retiring, done, aborted, failed
    std::uint32_t from = 0, to = 0;
    std::uint32_t ready = 0;       // shards of the new set
    std::uint32_t percent = 0;     // of all of it
    double eta_s = 0;              // until done
    std::string reason;            // why it started, what it waits for, or why it ended
    std::uint32_t generation = 0;  // of the new set; 0 = there was none
    bool automatic = false;
    double started_ago_s = 0;  // or, once it has ended, how long it took
    // Its pairing: events, and lanes aligned without proof (guessed).
    std::uint64_t forwarded = 0, dropped = 0, released = 0, expired = 0, guessed = 0;
    std::uint64_t held = 0;  // bytes, now
    // Why one is due and does not start by itself, for people; empty = nothing to say.
    std::string warning;
};

// Everything /metrics shows beyond the above.
struct metrics_snapshot {
    status_snapshot status;
    std::vector<shard_snapshot> shards;
    std::vector<std::pair<std::string, std::uint64_t>> events_by_type;
    std::vector<std::pair<std::string, std::uint64_t>> filtered_by_reason;
    std::vector<std::pair<std::string, std::uint64_t>> handler_requests;  // outcome
    std::vector<std::pair<std::string, std::uint64_t>> interactions;      // outcome
    std::vector<std::pair<std::string, std::uint64_t>> identifies;        // result
    std::vector<std::pair<std::string, std::uint64_t>> resumes;           // result
    std::vector<std::pair<std::uint32_t, std::uint64_t>> closes;          // code
    std::uint64_t wire_bytes = 0, payload_bytes = 0;
    std::uint64_t events_replayed_known = 0;  // replayed by Discord, found in the spool
    std::uint64_t events_evicted = 0;         // left memory for the spool, which had them already
    std::uint64_t bad_frames = 0, zombies = 0, dead_letters_dropped = 0;
    std::uint64_t sink_connections = 0, sink_connections_opened = 0, sink_stale_retries = 0;
    histogram handler_request_seconds, delivery_lag_seconds;
    std::vector<double> loop_lag_seconds;  // per worker
    reshard_snapshot reshard;
    std::vector<std::pair<std::string, std::uint64_t>> reloads;   // result
    bool last_reload_worked = true;                               // also when there was none
    std::vector<std::pair<std::string, std::uint64_t>> commands;  // result
    std::uint64_t commands_waiting = 0;
    std::vector<std::pair<std::string, std::uint64_t>> member_requests;  // outcome
    std::uint64_t member_requests_waiting = 0, member_chunks_late = 0, member_unread_bytes = 0;
};

struct readiness {
    bool ready = false;
    std::vector<std::string> reasons;   // why not, for people
    std::vector<std::string> warnings;  // worth a look, but ready all the same
};

}  // namespace shardgate
