// SPDX-License-Identifier: Apache-2.0
#include "base/repeat_limiter.hpp"

#include <iterator>
#include <utility>

namespace shardgate {

namespace {
// A key made from outside text must not grow the table's memory.
constexpr std::size_t longest_key = 128;
}  // namespace

std::optional<std::uint64_t> repeat_limiter::admit(std::string_view key, time_point now) {
    key = key.substr(0, longest_key);
    if (const auto found = by_key_.find(key); found != by_key_.end()) {
        const auto at = found->second;
        if (now < later(at->passed, window_)) {
            ++at->held_back;
            return std::nullopt;
        }
        at->passed = now;
        entries_.splice(entries_.end(), entries_, at);
        return std::exchange(at->held_back, 0);
    }
    if (entries_.size() >= capacity_) {
        by_key_.erase(entries_.front().key);
        entries_.pop_front();
    }
    entries_.push_back({std::string(key), now, 0});
    by_key_.emplace(entries_.back().key, std::prev(entries_.end()));
    return 0;
}

}  // namespace shardgate
