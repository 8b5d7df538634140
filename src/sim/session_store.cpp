// SPDX-License-Identifier: Apache-2.0
#include "sim/session_store.hpp"

#include <algorithm>

namespace shardgate::sim {

session_store::shape& session_store::shape_of(std::uint32_t shards) {
    for (shape& s : shapes_)
        if (s.shards == shards) return s;
    shape made;
    made.shards = shards;
    made.by_shard.resize(shards);
    shapes_.push_back(std::move(made));
    return shapes_.back();
}

session& session_store::create(std::string id, std::uint32_t shard, std::uint32_t shards,
                               std::size_t depth) {
    all_.push_back(std::make_unique<session>(std::move(id), shard, shards, depth));
    session& made = *all_.back();
    by_id_.emplace(made.id, &made);
    shape& set = shape_of(shards);
    auto& twins = set.by_shard[shard];
    made.second = &set != &shapes_.front() ||
                  std::any_of(twins.begin(), twins.end(),
                              [](const session* twin) { return twin->connection != nullptr; });
    twins.push_back(&made);
    return made;
}

session* session_store::find(std::string_view id) const {
    const auto at = by_id_.find(std::string(id));
    return at == by_id_.end() ? nullptr : at->second;
}

void session_store::remove(session& s) {
    // Had for certain: what the client confirmed, or all of what an orderly end put on the wire.
    // What is older than the ring was had or missed.
    const std::uint64_t kept = std::max(s.not_had(), s.ring.first());
    std::uint64_t until = UINT64_MAX;
    for (std::uint64_t seq = kept; seq <= s.ring.last() && until == UINT64_MAX; ++seq)
        if (const std::uint64_t event = s.ring.find(seq)->event; event != 0) until = event - 1;
    if (until == UINT64_MAX) until = s.last_event;
    if (past_.size() == past_max) past_.pop_front();
    past_.push_back({s.shard, s.shards, {s.first_event, until}, std::move(s.missed)});
    const auto set = std::find_if(shapes_.begin(), shapes_.end(),
                                  [&](const auto& each) { return each.shards == s.shards; });
    std::erase(set->by_shard[s.shard], &s);
    if (std::all_of(set->by_shard.begin(), set->by_shard.end(),
                    [](const auto& list) { return list.empty(); }))
        shapes_.erase(set);
    by_id_.erase(s.id);
    std::erase_if(all_, [&](const auto& one) { return one.get() == &s; });
}

void session_store::owners(std::uint64_t guild, std::vector<session*>& into) const {
    for (const shape& one : shapes_) {
        const auto& list = one.by_shard[guild == 0 ? 0 : (guild >> 22) % one.shards];
        into.insert(into.end(), list.begin(), list.end());
    }
}

bool session_store::elsewhere(const session& s, std::uint64_t guild, std::uint64_t event) const {
    std::vector<session*> candidates;
    owners(guild, candidates);
    if (std::any_of(candidates.begin(), candidates.end(),
                    [&](const session* other) { return other != &s && other->gives(event); }))
        return true;
    return std::any_of(past_.begin(), past_.end(), [&](const past& p) {
        return (guild == 0 ? 0 : (guild >> 22) % p.shards) == p.shard && p.had.from <= event &&
               event <= p.had.to && !within(p.missed, event);
    });
}

void session_store::clear() {
    shapes_.clear();
    by_id_.clear();
    all_.clear();
    past_.clear();
}

}  // namespace shardgate::sim
