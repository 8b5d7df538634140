// SPDX-License-Identifier: Apache-2.0
// What an operator asks of guilds and handler over the admin API, and who watches events go by.
#include <algorithm>

#include "app/daemon.hpp"
#include "shardgate/base/log.hpp"

namespace shardgate {

guild_list daemon::guilds(bool with_ids) const {
    guild_list out;
    if (!fleet_) return out;
    out.complete = true;
    for (const auto& shard : fleet_->shards()) {
        const shard_guilds& of = shard->guilds();
        out.count += of.size();
        out.unavailable += of.unavailable();
        out.complete = out.complete && of.loaded();
        if (!with_ids) continue;
        for (const snowflake id : of.ids())
            out.ids.push_back(id.value);
    }
    std::sort(out.ids.begin(), out.ids.end());
    return out;
}

void daemon::change_handler(const handler_change& change) {
    // Paused before and resumed behind the switch: who asks for both wants nothing sent between.
    if (change.paused && *change.paused) deliverer_->pause(true);
    if (change.urls) {
        deliverer_->set_urls(*change.urls);
        log::info("handler switched on request", {{"urls", change.urls->size()}});
    }
    if (change.paused && !*change.paused) deliverer_->pause(false);
    if (change.paused)
        log::info(*change.paused ? "handler paused on request" : "handler resumed on request");
}

void daemon::watch_events(event_watcher* watcher) {
    tap_.show_to(watcher, *deliverer_);
}

}  // namespace shardgate
