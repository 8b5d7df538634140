// SPDX-License-Identifier: Apache-2.0
// The newest commands of clients (ops 3, 4, 8, 31, 43) as they arrived, for GET /commands. Pure.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>

#include "shardgate/base/time.hpp"

namespace shardgate::sim {

class command_log {
public:
    static constexpr std::size_t kept = 1000;

    // `d` as the client sent it; null when it sent none.
    void add(std::uint32_t shard, std::uint32_t shards, std::int64_t op,
             const boost::json::value* d, time_point now);

    // Oldest first: {"ms","shard","shards","op","d"}; ms since `start`.
    [[nodiscard]] boost::json::array list(time_point start) const;
    void clear() { newest_.clear(); }

private:
    struct command {
        time_point when{};
        std::uint32_t shard = 0, shards = 0;
        std::int64_t op = 0;
        boost::json::value d;
    };

    std::deque<command> newest_;
};

}  // namespace shardgate::sim
