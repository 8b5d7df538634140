// SPDX-License-Identifier: Apache-2.0
// `only` and `drop` as a bitmap over the known names and a small set for the others.
// Owner: filter_stage. Pure.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "shardgate/protocol/event_name.hpp"

namespace shardgate {

class name_rules {
public:
    // `only` empty = all names. A name in both lists is dropped.
    name_rules(const std::vector<std::string>& only, const std::vector<std::string>& drop);

    // `id` and `name` as Discord sent the event. `forward_as` is its other name, or empty: the
    // event goes by both, so a rule for either holds.
    [[nodiscard]] bool passes(event_id id, std::string_view name,
                              std::string_view forward_as) const;

private:
    struct name_set {
        explicit name_set(const std::vector<std::string>& names);
        [[nodiscard]] bool has(event_id id, std::string_view name) const;

        std::vector<bool> known;
        std::set<std::string, std::less<>> others;
        bool empty;
    };

    name_set only_;
    name_set drop_;
};

}  // namespace shardgate
