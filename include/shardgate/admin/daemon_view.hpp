// SPDX-License-Identifier: Apache-2.0
// What the admin API may see and ask of the daemon: values, never a stage. app implements it.
// Loop thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "shardgate/metrics/snapshots.hpp"

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
};

}  // namespace shardgate
