// SPDX-License-Identifier: Apache-2.0
// All sessions, found by their id and by what they are entitled to. Several of one shard and sets
// of several shard counts live side by side, each with its own copy of everything (Discord docs,
// Gateway, Sharding; S23). Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sim/session.hpp"

namespace shardgate::sim {

class session_store {
public:
    // A session is `second` when sessions of another total were there before any of its own, or
    // when somebody is connected to one of the same shard.
    session& create(std::string id, std::uint32_t shard, std::uint32_t shards, std::size_t depth);
    // Null when there is no such session (any more).
    [[nodiscard]] session* find(std::string_view id) const;
    // The session ends. What its client has had stays known: see elsewhere().
    void remove(session& s);

    // Appends the sessions that get events of this guild (0 = everything without a guild: shard 0).
    void owners(std::uint64_t guild, std::vector<session*>& into) const;
    // Whether another session than `s` delivers event `event` of `guild` (however late), has
    // delivered it, or had before it ended.
    [[nodiscard]] bool elsewhere(const session& s, std::uint64_t guild, std::uint64_t event) const;

    [[nodiscard]] std::size_t size() const noexcept { return all_.size(); }
    // In order of creation.
    [[nodiscard]] const std::vector<std::unique_ptr<session>>& all() const noexcept { return all_; }
    void clear();

private:
    struct shape {
        std::uint32_t shards;
        std::vector<std::vector<session*>> by_shard;
    };
    struct past {
        std::uint32_t shard = 0, shards = 1;
        event_span had;
        std::vector<event_span> missed;
    };
    shape& shape_of(std::uint32_t shards);

    static constexpr std::size_t past_max = 4096;

    std::vector<std::unique_ptr<session>> all_;
    std::unordered_map<std::string, session*> by_id_;
    std::vector<shape> shapes_;  // the oldest set first
    std::deque<past> past_;
};

}  // namespace shardgate::sim
