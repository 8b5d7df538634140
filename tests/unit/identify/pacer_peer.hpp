// SPDX-License-Identifier: Apache-2.0
// A pacer in virtual time that counts from its start.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <utility>
#include <vector>

#include "shardgate/identify/pacer.hpp"

namespace shardgate::test {

using namespace std::chrono_literals;

inline constexpr time_point t0{1h};
inline constexpr duration interval = 5250ms;

inline session_start_limit limit_of(std::uint32_t max_concurrency) {
    session_start_limit limit;
    limit.max_concurrency = max_concurrency;
    return limit;
}
inline pacer_ticket ticket(std::uint32_t shard) {
    return pacer_ticket{generation{1}, shard_id{shard}};
}
inline std::vector<shard_id> shards(std::initializer_list<std::uint32_t> ids) {
    std::vector<shard_id> all;
    for (const std::uint32_t id : ids)
        all.push_back(shard_id{id});
    return all;
}

struct pacer_peer {
    explicit pacer_peer(const session_start_limit& limit) : pace({}, limit, t0) {}

    time_point now() const { return at; }
    bool request(std::uint32_t shard, bool keep = false, bool explicit_request = false) {
        return pace.request(ticket(shard), keep, explicit_request, at);
    }
    void ready(std::uint32_t shard, bool is = true) { pace.ready(ticket(shard), is, at); }
    void sent(std::uint32_t shard) { pace.sent(ticket(shard), at); }

    // Polls on every deadline up to t0 + d.
    void advance_to(duration d) {
        granted.clear();
        told.clear();
        const time_point end = t0 + d;
        for (;;) {
            std::vector<pacer_signal> out;
            pace.poll(at, out);
            for (const pacer_signal& s : out)
                (s.what == pacer_signal::kind::permit ? granted : told).push_back(s.who.shard);
            if (out.empty() && pace.deadline() <= at) std::abort();  // would spin
            if (pace.deadline() > end) break;
            at = std::max(at, pace.deadline());
        }
        at = std::max(at, end);
    }
    std::vector<shard_id> permits_until(duration d) {
        advance_to(d);
        return granted;
    }
    std::vector<shard_id> told_until(duration d) {
        advance_to(d);
        return told;
    }

    time_point at = t0;
    pacer pace;
    std::vector<shard_id> granted, told;
};

}  // namespace shardgate::test
