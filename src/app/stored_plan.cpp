// SPDX-License-Identifier: Apache-2.0
// See the header. What a start makes of the same facts: daemon_start.cpp.
#include "shardgate/app/stored_plan.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "app/plan_facts.hpp"

namespace shardgate {
namespace {

std::string_view fact(const state_glance& stored, std::string_view name) {
    for (const auto& [key, value] : stored.facts)
        if (key == name) return value;
    return {};
}

}  // namespace

std::vector<std::string> plan_warnings(const state_glance& stored,
                                       const config::settings& settings) {
    const auto plan = facts::read_range(fact(stored, facts::plan));
    if (!plan || fact(stored, facts::identity) != facts::identity_of(settings.discord)) return {};
    // Without a session of it the plan is not taken up again.
    const auto of_plan = [&plan](const state_glance::session& s) {
        return s.gen == plan->gen && s.shards == plan->total && plan->holds(s.shard);
    };
    if (std::none_of(stored.sessions.begin(), stored.sessions.end(), of_plan)) return {};
    std::vector<std::string> out;
    if (std::string text = facts::disagreement(*plan, settings.sharding); !text.empty())
        out.push_back(std::move(text));
    return out;
}

std::vector<std::string> stored_warnings(const config::settings& settings) {
    if (settings.state.directory.empty()) return {};
    const auto stored = glance_at_state(settings.state.directory);
    return stored ? plan_warnings(*stored, settings) : std::vector<std::string>();
}

}  // namespace shardgate
