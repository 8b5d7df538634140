// SPDX-License-Identifier: Apache-2.0
// How many connections may be under way at once: a thousand shards that come back together must not
// stampede. Resumes go first, for their replay window is short. Pure; owner: fleet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <unordered_map>
#include <unordered_set>

namespace shardgate {

class connect_pool {
public:
    using ticket = std::uint64_t;

    // Pre: slots > 0.
    explicit connect_pool(std::size_t slots) : slots_(slots) {}

    // Calls `go` as soon as a place is free, at once if one is. The place is held until release().
    [[nodiscard]] ticket acquire(bool resuming, std::function<void()> go);
    // Gives the place back, or leaves the line. Unknown and used tickets are ignored.
    void release(ticket t);

    [[nodiscard]] std::size_t under_way() const noexcept { return held_; }
    [[nodiscard]] std::size_t waiting() const noexcept { return waiting_.size(); }

private:
    void serve();

    std::size_t slots_;
    std::size_t held_ = 0;
    ticket last_ = 0;
    bool serving_ = false;
    std::deque<ticket> resumes_, identifies_;                    // may name tickets that left
    std::unordered_map<ticket, std::function<void()>> waiting_;  // not served yet
    std::unordered_set<ticket> holders_;
};

}  // namespace shardgate
