// SPDX-License-Identifier: Apache-2.0
// The one list of keys that wait for their feature. Building the feature means deleting its lines.
#include "config/not_yet.hpp"

#include <array>

#include "config/schema.hpp"

namespace shardgate::config {
namespace {

struct waiting {
    std::string_view key;      // or a section: "cluster."
    std::string_view feature;  // what is missing
    std::string_view also;     // TOML text of a second value that is fine already
};

constexpr std::array waiting_list{
    waiting{"sharding.workers", "more than one event loop", ""},
    waiting{"sharding.shards_per_worker", "more than one event loop", ""},
    waiting{"sharding.spread", "more than one event loop", ""},
    waiting{"controllers.", "controllers", ""},
    waiting{"cluster.", "the cluster", ""},
};

const waiting* find_waiting(std::string_view key) {
    for (const waiting& w : waiting_list)
        if (w.key == key || (w.key.back() == '.' && key.substr(0, w.key.size()) == w.key))
            return &w;
    return nullptr;
}

// The settings with nothing but `key` set, to `toml`.
settings with_value(const entry& e, std::string_view toml) {
    draft d{""};
    const toml::table parsed = toml::parse("v = " + std::string(toml));
    (void)e.take(d, *parsed.get("v"));
    return d.values;
}

}  // namespace

void refuse_not_yet(draft& d) {
    for (const entry& e : schema()) {
        const waiting* const w = find_waiting(e.key);
        if (w == nullptr || !d.given(e.key) || d.faulty(e.key)) continue;
        settings fine;
        if (e.same(d.values, fine)) continue;
        std::string allowed = e.default_text;
        if (!w->also.empty()) {
            fine = with_value(e, w->also);
            if (e.same(d.values, fine)) continue;
            allowed += " or " + std::string(w->also);
        }
        d.refuse(e.key, "not yet: " + std::string(w->feature) +
                            " comes with a later release, allowed for now: " + allowed);
    }
}

}  // namespace shardgate::config
