// SPDX-License-Identifier: Apache-2.0
// Puts the sections' parts together and finds entries in them.
#include "config/schema.hpp"

#include <algorithm>
#include <iterator>
#include <map>

namespace shardgate::config {
namespace {

std::vector<entry> all_parts() {
    using part = schema_part (*)();
    constexpr part parts[] = {
        discord_schema, sharding_schema,     resharding_schema, filter_schema, handler_schema,
        queue_schema,   interactions_schema, state_schema,      admin_schema,  watchdog_schema,
        log_schema,     controllers_schema,  cluster_schema};
    std::vector<entry> all;
    for (const part make : parts) {
        schema_part some = make();
        std::move(some.begin(), some.end(), std::back_inserter(all));
    }
    return all;
}

std::string_view section_of(std::string_view key) {
    return key.substr(0, key.find('.'));
}

}  // namespace

const std::vector<entry>& schema() {
    static const std::vector<entry> all = all_parts();
    return all;
}

const entry* find_entry(std::string_view key) {
    static const std::map<std::string_view, const entry*> index = [] {
        std::map<std::string_view, const entry*> by_key;
        for (const entry& e : schema())
            by_key.emplace(e.key, &e);
        return by_key;
    }();
    const auto found = index.find(key);
    return found == index.end() ? nullptr : found->second;
}

const std::vector<std::string_view>& key_names() {
    static const std::vector<std::string_view> names = [] {
        std::vector<std::string_view> list;
        for (const entry& e : schema())
            list.push_back(e.key);
        return list;
    }();
    return names;
}

const std::vector<std::string_view>& section_names() {
    static const std::vector<std::string_view> names = [] {
        std::vector<std::string_view> list;
        for (const entry& e : schema())
            if (list.empty() || list.back() != section_of(e.key)) list.push_back(section_of(e.key));
        return list;
    }();
    return names;
}

std::vector<std::string> all_keys() {
    const auto& names = key_names();
    return {names.begin(), names.end()};
}

}  // namespace shardgate::config
