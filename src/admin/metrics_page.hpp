// SPDX-License-Identifier: Apache-2.0
// The page of GET /metrics. Every family is always there, so that an alert on an absent one can be
// trusted; only those of the storage are absent while there is none. What each is for:
// docs/metrics.md (a test holds both against each other). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "admin/process_stats.hpp"
#include "shardgate/admin/daemon_view.hpp"

namespace shardgate::admin {

// What the admin server counts about itself.
struct server_counters {
    std::uint64_t connections = 0;   // open
    std::uint64_t refused = 0;       // connections over the limit
    std::uint64_t requests = 0;      // answered by a route
    std::uint64_t bad_requests = 0;  // not understood, too large
    std::uint64_t timeouts = 0;      // requests that did not arrive in time
    std::uint64_t streams = 0;       // open answers without an end
    std::uint64_t slow_readers = 0;  // dropped for not reading theirs
    std::uint64_t tail_dropped = 0;  // events a live tail's client did not get
};

struct page_extras {
    std::optional<process_stats> process;
    server_counters server;
    std::uint64_t log_lines_lost = 0;
};

[[nodiscard]] std::string metrics_page(const metrics_snapshot& m, const page_extras& extras);

}  // namespace shardgate::admin
