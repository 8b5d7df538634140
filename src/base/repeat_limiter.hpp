// SPDX-License-Identifier: Apache-2.0
// Lets one of many equal things through per window and counts the rest, for a bounded number of
// keys. Pure; not synchronised. Owner: the log.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "shardgate/base/time.hpp"

namespace shardgate {

class repeat_limiter {
public:
    repeat_limiter(duration window, std::size_t capacity) : window_(window), capacity_(capacity) {}

    // How many equal ones were held back since the last that passed; nullopt = hold this one back.
    // A window starts at what passed, so that a steady stream passes once per window.
    [[nodiscard]] std::optional<std::uint64_t> admit(std::string_view key, time_point now);

    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

private:
    struct entry {
        std::string key;
        time_point passed;
        std::uint64_t held_back = 0;
    };
    using entry_list = std::list<entry>;  // the least recently passed first

    const duration window_;
    const std::size_t capacity_;
    entry_list entries_;
    // Keys point into the list's nodes, which do not move.
    std::unordered_map<std::string_view, entry_list::iterator> by_key_;
};

}  // namespace shardgate
