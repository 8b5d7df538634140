// SPDX-License-Identifier: Apache-2.0
// The SHARDGATE_GAP events the handler accepted, added up by reason: what the daemon says is
// missing, to be held against what is. Pure; bounded.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_set>

namespace shardgate::sim {

class gap_book {
public:
    static constexpr std::size_t keys_max = 100000;
    static constexpr std::size_t names_max = 10000;

    // An event in its envelope. False when it is no gap event as docs/delivery.md describes them.
    bool take(std::string_view key, std::string_view event);
    // {reason: {"events", "copies" (the same key again), "total" and "counts" (over all events),
    // "unknown" (events without counts), "shards": {shard: events}}}
    [[nodiscard]] boost::json::object report() const;

private:
    using tally = std::map<std::string, std::uint64_t, std::less<>>;
    struct sums {
        std::uint64_t events = 0, copies = 0, total = 0, unknown = 0;
        tally counts, shards;
    };
    static void add(tally& to, std::string_view name, std::uint64_t n);

    std::map<std::string, sums, std::less<>> by_reason_;
    std::unordered_set<std::uint64_t> keys_;  // hashes of those taken
};

}  // namespace shardgate::sim
