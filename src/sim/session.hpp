// SPDX-License-Identifier: Apache-2.0
// One gateway session: what Discord remembers of a shard between connections (Discord docs,
// Gateway, Resuming). It collects events whether or not somebody is connected; the connection takes
// them from the ring at its own pace. Pure.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "shardgate/base/time.hpp"
#include "sim/lag.hpp"
#include "sim/replay_ring.hpp"

namespace shardgate::sim {

struct link;

// Events of the world, by their place in its history.
struct event_span {
    std::uint64_t from = 0, to = 0;  // inclusive
};

struct session {
    session(std::string session_id, std::uint32_t shard_id, std::uint32_t shard_count,
            std::size_t depth)
        : id(std::move(session_id)), shard(shard_id), shards(shard_count), ring(depth) {}

    std::string id;
    std::uint32_t shard;
    std::uint32_t shards;
    std::uint64_t intents = 0;
    replay_ring ring;
    std::uint64_t cursor = 1;        // s of the next dispatch to put on the wire
    std::uint64_t written = 0;       // highest s ever put on the wire
    std::uint64_t acked = 0;         // highest s the client has confirmed by heartbeat or RESUME
    std::uint64_t first_event = 0;   // events from this one on were given to the session
    std::vector<event_span> missed;  // that left the ring before the client had them
    std::uint64_t missed_seq = 0;    // of the last of them
    bool second = false;  // began beside an older set: a resharding's (session_store::create)
    std::uint64_t last_event = 0;  // the newest it was given
    bool orderly = false;          // the last connection ended so that all written bytes arrived

    link* connection = nullptr;
    std::optional<time_point> alone_since;  // set while nobody is connected

    lag_curve lag;
    time_point last_due{};    // of the newest dispatch
    time_point not_before{};  // a replay comes late as well

    // Guilds whose GUILD_CREATE is still to be sent after READY; the last one is next.
    std::vector<std::uint32_t> loading;
    time_point load_start{};
    std::uint64_t loads_sent = 0;

    // The first s that the client may not have, when its connection is no more.
    [[nodiscard]] std::uint64_t not_had() const noexcept {
        return orderly ? cursor : std::min(cursor, acked + 1);
    }
    [[nodiscard]] std::uint64_t seq() const noexcept { return ring.last(); }
    // The oldest dispatch leaves the ring and the client has not had it.
    void miss(const ring_entry& oldest);
    // Whether the client has had this event from the session, or still can have it.
    [[nodiscard]] bool gives(std::uint64_t event) const noexcept;
    [[nodiscard]] std::uint64_t waiting() const noexcept { return ring.last() + 1 - cursor; }
};

[[nodiscard]] bool within(const std::vector<event_span>& spans, std::uint64_t event) noexcept;

enum class resume_verdict : std::uint8_t { ok, out_of_range, above_sent };

// Whether `seq` can be resumed from: everything after it must still be in the ring, and it must not
// be ahead of what was ever sent (close 4007).
[[nodiscard]] resume_verdict check_resume(const session& s, std::uint64_t seq) noexcept;

// Events kept per session by the formula staff gave in 2016 (fact sheet 5.6).
[[nodiscard]] constexpr std::size_t replay_depth_for(std::size_t guilds) noexcept {
    const std::size_t by_guilds = guilds * 75;
    return by_guilds < 100 ? 100 : (by_guilds > 3500 ? 3500 : by_guilds);
}

}  // namespace shardgate::sim
