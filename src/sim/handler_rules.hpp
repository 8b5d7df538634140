// SPDX-License-Identifier: Apache-2.0
// What the event handler was told to do with which requests. Pure.
#pragma once

#include <cstdint>
#include <list>
#include <string_view>
#include <vector>

#include "sim/handler.hpp"
#include "sim/handler_body.hpp"

namespace shardgate::sim {

class handler_rules {
public:
    std::uint64_t add(handler_rule rule);
    bool remove(std::uint64_t number);
    void clear() noexcept { rules_.clear(); }
    [[nodiscard]] bool empty() const noexcept { return rules_.empty(); }

    // The first rule that fits, counted against its `times`; the default answer without one.
    [[nodiscard]] handler_rule choose(std::string_view target,
                                      const std::vector<posted_event>& events, const truth& book);

private:
    struct entry {
        std::uint64_t number;
        handler_rule rule;
    };
    std::list<entry> rules_;
    std::uint64_t last_ = 0;
};

[[nodiscard]] std::string_view name_of(handler_rule::act what) noexcept;

}  // namespace shardgate::sim
