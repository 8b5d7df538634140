// SPDX-License-Identifier: Apache-2.0
// Name rules, compiled once from the configuration.
#include "filter/name_rules.hpp"

namespace shardgate {

name_rules::name_set::name_set(const std::vector<std::string>& names)
    : known(known_events().size()), empty(names.empty()) {
    for (const std::string& name : names) {
        const event_id id = find_event(name);
        if (id == event_id::unknown)
            others.insert(name);
        else
            known[static_cast<std::size_t>(id)] = true;
    }
}

bool name_rules::name_set::has(event_id id, std::string_view name) const {
    if (id != event_id::unknown) return known[static_cast<std::size_t>(id)];
    return !others.empty() && others.find(name) != others.end();
}

name_rules::name_rules(const std::vector<std::string>& only, const std::vector<std::string>& drop)
    : only_(only), drop_(drop) {}

bool name_rules::passes(event_id id, std::string_view name, std::string_view forward_as) const {
    bool listed = only_.empty || only_.has(id, name);
    bool dropped = drop_.has(id, name);
    if (!forward_as.empty()) {
        const event_id other = find_event(forward_as);
        listed = listed || only_.has(other, forward_as);
        dropped = dropped || drop_.has(other, forward_as);
    }
    return listed && !dropped;
}

}  // namespace shardgate
