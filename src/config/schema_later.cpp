// SPDX-License-Identifier: Apache-2.0
// [controllers] and [cluster].
#include "config/rules.hpp"
#include "config/schema.hpp"

namespace shardgate::config {
namespace {

using namespace std::chrono_literals;

template <auto Field>
constexpr auto controllers_field = at<&settings::controllers, Field>;
template <auto Field>
constexpr auto cluster_field = at<&settings::cluster, Field>;

constexpr byte_count mib = 1ULL << 20;

constexpr const char* optional_path = "empty, or an absolute path";
constexpr const char* short_name = "at most 64 letters, digits, \"-\", \"_\" or \".\"";

}  // namespace

schema_part controllers_schema() {
    return {
        text("controllers.script", controllers_field<&controllers::script>, optional_path,
             path_rule, "Lua script"),
        number("controllers.call_instructions", controllers_field<&controllers::call_instructions>,
               std::uint64_t{1000}, std::uint64_t{1'000'000'000}, "Lua instructions per call"),
        duration("controllers.call_time", controllers_field<&controllers::call_time>, 1ms, 1s,
                 "time per call"),
        size("controllers.memory", controllers_field<&controllers::memory>, mib, 1024 * mib,
             "memory of a Lua state"),
    };
}

schema_part cluster_schema() {
    return {
        text("cluster.nats_url", cluster_field<&cluster::nats_url>,
             "empty (not a cluster), or a nats or tls URL", nats_url_rule, "NATS server"),
        text("cluster.credentials_file", cluster_field<&cluster::credentials_file>, optional_path,
             path_rule, "NATS credentials"),
        text("cluster.ca_file", cluster_field<&cluster::ca_file>, optional_path, path_rule,
             "PEM certificates trusted for NATS"),
        text("cluster.name", cluster_field<&cluster::name>, short_name, name_rule,
             "name of the cluster, part of every subject"),
        text("cluster.node", cluster_field<&cluster::node>, std::string("empty, or ") + short_name,
             optional_name_rule, "name of this node; empty = the host name"),
        duration("cluster.lease", cluster_field<&cluster::lease>, 1s, 1min,
                 "how long a silent node keeps its shards"),
        number("cluster.partitions", cluster_field<&cluster::partitions>, 1, 4096,
               "partitions of the event stream"),
    };
}

}  // namespace shardgate::config
