// SPDX-License-Identifier: Apache-2.0
// [sharding] and [resharding]: how many shards, where, and how fast they identify.
#include "config/schema.hpp"

namespace shardgate::config {
namespace {

using namespace std::chrono_literals;

template <auto Field>
constexpr auto field = at<&settings::sharding, Field>;
template <auto Field>
constexpr auto reshard_field = at<&settings::resharding, Field>;

constexpr std::uint32_t max_shards = 65536;
constexpr std::uint32_t max_session_starts = 100'000;

}  // namespace

schema_part sharding_schema() {
    const names<shard_spread> spreads{{"contiguous", shard_spread::contiguous},
                                      {"round-robin", shard_spread::round_robin}};
    return {
        number_or("sharding.total", field<&sharding::total>, "auto", 1, max_shards,
                  "number of shards; auto = what Discord recommends"),
        number("sharding.first", field<&sharding::first>, 0, max_shards - 1,
               "first shard of this process, inclusive"),
        number_or("sharding.last", field<&sharding::last>, "total-1", 0, max_shards - 1,
                  "last shard of this process, inclusive"),
        number("sharding.workers", field<&sharding::workers>, 1, 256,
               "event loops, one thread each"),
        number("sharding.shards_per_worker", field<&sharding::shards_per_worker>, 0, max_shards,
               "shards a worker; 0 = spread evenly"),
        choice("sharding.spread", field<&sharding::spread>, spreads, "how shards go to workers"),
        duration("sharding.identify_interval", field<&sharding::identify_interval>, 1ms, 10min,
                 "time between two IDENTIFYs of one rate-limit key"),
        number_or("sharding.max_concurrency", field<&sharding::max_concurrency>, "auto", 1, 4096,
                  "cap on the IDENTIFYs Discord allows at once"),
        number("sharding.identify_reserve", field<&sharding::identify_reserve>, 0,
               max_session_starts, "session starts kept for an operator's explicit request"),
        number("sharding.connect_concurrency", field<&sharding::connect_concurrency>, 1, 4096,
               "TLS handshakes under way at once"),
    };
}

schema_part resharding_schema() {
    return {
        flag("resharding.enabled", reshard_field<&resharding::enabled>, "reshard automatically"),
        number("resharding.percentage", reshard_field<&resharding::percentage>, 1, 100,
               "share of 2500 guilds on the fullest shard that starts a resharding"),
        duration("resharding.check_interval", reshard_field<&resharding::check_interval>, 1s, 24h,
                 "time between two looks at the fullest shard"),
        number("resharding.identify_reserve", reshard_field<&resharding::identify_reserve>, 0,
               max_session_starts, "session starts that must remain afterwards"),
        duration("resharding.overlap", reshard_field<&resharding::overlap>, 1s, 1min,
                 "how far apart the two sets' events may be"),
        duration("resharding.voice_drain", reshard_field<&resharding::voice_drain>, 0ms, 24h,
                 "how long old shards may stay for live voice sessions"),
        flag("resharding.large_bot_sharding", reshard_field<&resharding::large_bot_sharding>,
             "round up to a multiple Discord accepts"),
        number("resharding.large_bot_guilds", reshard_field<&resharding::large_bot_guilds>, 1,
               10'000'000, "guilds from which on that is done"),
    };
}

}  // namespace shardgate::config
