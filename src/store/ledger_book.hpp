// SPDX-License-Identifier: Apache-2.0
// What the ledger knows, in memory: on the loop to answer at once, on storage's thread to write a
// damaged file anew. Pure; bounded.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>

#include "shardgate/base/time.hpp"

namespace shardgate::store {

struct identify_entry {
    std::uint32_t key = 0;
    std::uint32_t max_concurrency = 0;
    wall_ms at{};
};

class ledger_book {
public:
    // More starts in a day than any bot has; beyond it the oldest are forgotten.
    static constexpr std::size_t max_starts = 65536;
    static constexpr std::chrono::milliseconds day = std::chrono::hours(24);
    // A clock that was ahead for a while must not make us forget the day.
    static constexpr std::chrono::milliseconds kept = 2 * day;

    // A key's time under another max_concurrency says nothing: the keys are others.
    void identified(const identify_entry& e);
    void started(wall_ms at);
    // One that was counted and is known not to have been sent.
    void not_started(wall_ms at);

    [[nodiscard]] std::optional<wall_ms> last(std::uint32_t key, std::uint32_t max_concurrency,
                                              wall_ms now) const;
    [[nodiscard]] std::uint32_t starts_last_day(wall_ms now) const;
    // The latest time in it, if that lies after `now`: a clock was set back.
    [[nodiscard]] bool knows_the_future(wall_ms now) const;

    [[nodiscard]] std::uint32_t max_concurrency() const noexcept { return max_concurrency_; }
    [[nodiscard]] const std::map<std::uint32_t, wall_ms>& keys() const noexcept { return keys_; }
    [[nodiscard]] const std::deque<wall_ms>& starts() const noexcept { return starts_; }

private:
    std::uint32_t max_concurrency_ = 0;
    std::map<std::uint32_t, wall_ms> keys_;
    std::deque<wall_ms> starts_;  // in the order they were recorded
};

}  // namespace shardgate::store
