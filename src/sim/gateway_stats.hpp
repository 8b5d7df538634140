// SPDX-License-Identifier: Apache-2.0
// What the gateway counts: every rule a client broke, and what each shard did. Pure.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

namespace shardgate::sim {

struct shard_stats {
    std::uint64_t identifies = 0, resumes = 0, resumes_refused = 0;
    std::uint64_t connections = 0;  // that identified or resumed
    std::uint64_t beats = 0;
    std::uint64_t last_beat_seq = 0;
    int last_client_close = -1;  // -1 = none yet, 0 = ended without a close frame
    int last_server_close = -1;
};

struct gateway_stats {
    std::uint64_t connections = 0, refused_upgrades = 0;
    std::uint64_t identifies = 0, identifies_refused = 0, resumes = 0, resumes_refused = 0;
    std::uint64_t sessions_expired = 0, sessions_closed = 0;
    std::uint64_t heartbeats = 0, beats_above_sent = 0, beats_missed = 0;
    std::uint64_t rate_limited = 0, slow_readers = 0, resumes_above_sent = 0;
    std::uint64_t asked_beats = 0, asked_beats_answered = 0;
    double slowest_asked_beat_ms = 0;
    double longest_beat_gap_ms = 0;  // between two heartbeats, or from HELLO to the first
    std::uint64_t sessions_forgotten = 0;
    // Dispatches between RESUME and RESUMED; dispatches that had been on the wire before.
    std::uint64_t replayed = 0, sent_again = 0;
    std::uint64_t trimmed_by_beats = 0, trimmed_by_resumes = 0;  // events that left a ring by it
    std::map<int, std::uint64_t> sent_ops;                       // what clients sent, by op
    std::map<int, std::uint64_t> server_closes;                  // by code, 0 = none
    std::map<int, std::uint64_t> client_closes;   // by code, 0 = without a close frame
    std::map<std::string, std::uint64_t> errors;  // a client's breaches of protocol
    std::map<std::pair<std::uint32_t, std::uint32_t>, shard_stats> shards;  // {shards, shard}

    shard_stats& of(std::uint32_t shard, std::uint32_t count) { return shards[{count, shard}]; }
    [[nodiscard]] boost::json::object report() const;
};

}  // namespace shardgate::sim
