// SPDX-License-Identifier: Apache-2.0
#include "sim/command_log.hpp"

#include <boost/json/object.hpp>
#include <chrono>
#include <utility>

namespace shardgate::sim {

namespace json = boost::json;

void command_log::add(std::uint32_t shard, std::uint32_t shards, std::int64_t op,
                      const json::value* d, time_point now) {
    if (newest_.size() >= kept) newest_.pop_front();
    command c;
    c.when = now;
    c.shard = shard;
    c.shards = shards;
    c.op = op;
    if (d != nullptr) c.d = *d;
    newest_.push_back(std::move(c));
}

json::array command_log::list(time_point start) const {
    json::array out;
    for (const command& c : newest_)
        out.push_back(
            json::object{{"ms", std::chrono::duration<double, std::milli>(c.when - start).count()},
                         {"shard", c.shard},
                         {"shards", c.shards},
                         {"op", c.op},
                         {"d", c.d}});
    return out;
}

}  // namespace shardgate::sim
