// SPDX-License-Identifier: Apache-2.0
// The answers that never end: the live tail and the dashboard's figures. Pure but for what the view
// is asked. Owner: server_core.
#pragma once

#include "admin/event_tail.hpp"
#include "admin/http_message.hpp"
#include "admin/stats_feed.hpp"
#include "admin/target.hpp"
#include "shardgate/admin/daemon_view.hpp"

namespace shardgate::admin {

struct live_feeds {
    explicit live_feeds(daemon_view& view) : tail(view), stats(view) {}
    // Asks the view nothing from here on.
    void close() {
        tail.close();
        stats.close();
    }

    event_tail tail;
    stats_feed stats;
};

// GET /v1/events and GET /v1/stats; null: this server has no feeds.
[[nodiscard]] http_response open_events(live_feeds* feeds, const target& t);
[[nodiscard]] http_response open_stats(live_feeds* feeds, const target& t);

}  // namespace shardgate::admin
