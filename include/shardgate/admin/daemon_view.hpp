// SPDX-License-Identifier: Apache-2.0
// What the admin API may see and ask of the daemon: values, never a stage. app implements it.
// Loop thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shardgate/metrics/snapshots.hpp"
#include "shardgate/protocol/member_reader.hpp"

namespace shardgate {

struct dead_letter_query {
    std::size_t at_most = 100;
    std::vector<std::string> keys;  // only these; empty = all
    // With payloads: those that come first, until this many bytes are full. 0 = without.
    std::size_t payload_bytes = 0;
};

struct reshard_request {
    std::optional<std::uint32_t> shards;  // nothing: "auto"
    bool dry_run = false;
};

struct reshard_reply {
    enum class kind : std::uint8_t {
        accepted,     // it has begun
        planned,      // a dry run: it would begin
        busy,         // one runs already
        refused,      // the budget or a rule forbids it
        unavailable,  // Discord could not be asked
    } what = kind::refused;
    reshard_plan_snapshot plan;  // of accepted and planned
    std::string detail;          // of the others: a sentence for a person
};

enum class abort_reply : std::uint8_t {
    aborting,      // the old set carries on; progress tells when the new one is gone
    nothing_runs,  //
    too_late,      // the old set is being retired
};

// What reading the configuration again came to.
struct reload_reply {
    std::vector<std::string> problems;                // of the file; with any, nothing has changed
    std::vector<std::string> applied, needs_restart;  // keys
    std::size_t unchanged = 0;
};

// A gateway command for one shard, for a guild's shard, or (a presence) for all.
struct send_request {
    std::optional<std::uint32_t> shard;       // nothing: found from the guild
    std::optional<std::uint32_t> generation;  // of the shard; nothing: the active set
    std::int64_t op = 0;
    std::string d;  // JSON
};

struct send_reply {
    enum class kind : std::uint8_t {
        accepted,
        full,      // the shard's queue: later
        not_here,  // no such shard, or the guild's does not run here
        wrong,     // what is asked for cannot be sent
        down,      // the shard, or the daemon has none yet
    } what = kind::wrong;
    std::uint32_t shard = 0, generation = 0;
    std::uint32_t shards = 1;   // how many get it
    bool to_all = false;        // to each, one after the other
    std::uint64_t waiting = 0;  // commands of that shard, this one included
    double retry_after_s = 0;
    std::string detail;  // of all but accepted: a sentence for a person
};

// Of one guild: what op 8 takes beside guild_id and nonce.
struct members_request {
    std::uint64_t guild = 0;
    std::string d;  // JSON
};

struct reconnect_request {
    std::uint32_t shard = 0;
    std::optional<std::uint32_t> generation;
    bool identify = false;  // a new session
};

// Guilds of the shards that run here.
struct guild_list {
    std::uint64_t count = 0, unavailable = 0;
    bool complete = false;           // every shard has told all of its guilds
    std::vector<std::uint64_t> ids;  // ascending; only when asked for
};

// Planned maintenance, or another handler in the place of this one.
struct handler_change {
    std::optional<bool> paused;
    std::optional<std::vector<std::string>> urls;  // checked as handler.urls is
};

// An event on its way to the handler. Views: valid during the call.
struct watched_event {
    std::string_view name;  // as it is forwarded
    std::uint32_t shard = 0, shards = 0, generation = 0;
    std::uint64_t guild = 0, channel = 0;  // 0 = none
    std::uint64_t seq = 0;                 // 0 = one of the daemon's own
    wall_ms received{};
    std::string_view mark;  // of a guild event: loaded, joined, …
    std::string_view d;     // its payload, JSON
};

// Called for every event, on the hot path. Must not call the daemon back.
class event_watcher {
public:
    virtual ~event_watcher() = default;
    virtual void on_event(const watched_event& event) = 0;
};

class daemon_view {
public:
    virtual ~daemon_view() = default;
    [[nodiscard]] virtual status_snapshot status() const = 0;
    // Of every generation that runs; the active one is status().generation.
    [[nodiscard]] virtual std::vector<shard_snapshot> shards() const = 0;
    [[nodiscard]] virtual queue_snapshot queue() const = 0;
    [[nodiscard]] virtual storage_snapshot storage_health() const = 0;
    [[nodiscard]] virtual metrics_snapshot metrics() const = 0;
    [[nodiscard]] virtual readiness ready() const = 0;

    // The oldest first.
    [[nodiscard]] virtual std::vector<dead_letter_snapshot> dead_letters(
        const dead_letter_query& query) const = 0;
    // Those of the keys, or all without any; how many. Retried: back into the queue, as if they
    // had just come.
    virtual std::size_t retry_dead_letters(const std::vector<std::string>& keys) = 0;
    virtual std::size_t delete_dead_letters(const std::vector<std::string>& keys) = 0;

    // `done` is called later, on the loop, exactly once; never when the daemon stops before.
    virtual void reshard(const reshard_request& wanted,
                         std::function<void(reshard_reply)> done) = 0;
    [[nodiscard]] virtual reshard_snapshot reshard_progress() const = 0;
    virtual abort_reply abort_reshard() = 0;

    // `done` as reshard's.
    virtual void reload(std::function<void(reload_reply)> done) = 0;

    virtual send_reply send(const send_request& wanted) = 0;
    // Accepted: the reader is told, chunk by chunk, perhaps from inside the call.
    virtual send_reply members(const members_request& wanted,
                               std::shared_ptr<member_reader> reader) = 0;
    // accepted, not_here, wrong or down.
    virtual send_reply reconnect(const reconnect_request& wanted) = 0;

    [[nodiscard]] virtual guild_list guilds(bool with_ids) const = 0;
    virtual void change_handler(const handler_change& change) = 0;
    // From now on; null = nobody. Costs nothing while nobody watches.
    virtual void watch_events(event_watcher* watcher) = 0;
};

}  // namespace shardgate
