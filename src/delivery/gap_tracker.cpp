// SPDX-License-Identifier: Apache-2.0
#include "delivery/gap_tracker.hpp"

#include <algorithm>

namespace shardgate {

void gap_tracker::on_shed(const victim& what, time_point now) {
    const auto [it, fresh] = runs_.try_emplace(key{what.gen, what.shard});
    run& r = it->second;
    if (fresh) {
        r.shards = what.shards;
        r.from = r.to = what.received;
        r.began = now;
    }
    r.from = std::min(r.from, what.received);
    r.to = std::max(r.to, what.received);
    ++r.counts[what.event];
}

std::optional<gap> gap_tracker::take(bool relaxed, time_point now) {
    for (auto it = runs_.begin(); it != runs_.end(); ++it) {
        const run& r = it->second;
        if (untold_.contains(it->first)) continue;
        if (!relaxed && now < later(r.began, patience)) continue;
        gap g;
        g.gen = it->first.first;
        g.shard = it->first.second;
        g.shards = r.shards;
        g.from = r.from;
        g.to = r.to;
        for (const auto& [event, n] : r.counts)
            g.counts.emplace_back(event == event_id::unknown ? "UNKNOWN" : name_of(event), n);
        runs_.erase(it);
        untold_.insert(key{g.gen, g.shard});
        return g;
    }
    return std::nullopt;
}

void gap_tracker::on_told(generation gen, shard_id shard) {
    untold_.erase(key{gen, shard});
}

}  // namespace shardgate
