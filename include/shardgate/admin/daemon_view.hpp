// SPDX-License-Identifier: Apache-2.0
// What the admin API may see and ask of the daemon: values, never a stage. app implements it.
// Loop thread only.
#pragma once

#include <vector>

#include "shardgate/metrics/snapshots.hpp"

namespace shardgate {

class daemon_view {
public:
    virtual ~daemon_view() = default;
    [[nodiscard]] virtual status_snapshot status() const = 0;
    // Of every generation that runs; the active one is status().generation.
    [[nodiscard]] virtual std::vector<shard_snapshot> shards() const = 0;
    [[nodiscard]] virtual queue_snapshot queue() const = 0;
    [[nodiscard]] virtual metrics_snapshot metrics() const = 0;
    [[nodiscard]] virtual readiness ready() const = 0;
};

}  // namespace shardgate
