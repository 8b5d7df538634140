// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "shardgate/identify/ledger.hpp"

#include <algorithm>

namespace shardgate {
namespace {

constexpr std::chrono::milliseconds day = std::chrono::hours(24);

}  // namespace

void memory_ledger::record(std::uint32_t key, std::uint32_t max_concurrency, wall_ms now,
                           std::function<void(bool stored)> written) {
    if (max_concurrency != max_concurrency_) {
        max_concurrency_ = max_concurrency;
        last_.clear();
    }
    last_[key] = now;
    starts_.push_back(now);
    while (starts_.size() > max_rows || now - starts_.front() > day)
        starts_.pop_front();
    if (written) written(true);
}

std::optional<wall_ms> memory_ledger::last(std::uint32_t key, std::uint32_t max_concurrency,
                                           wall_ms now) const {
    if (max_concurrency != max_concurrency_) return std::nullopt;
    const auto found = last_.find(key);
    if (found == last_.end() || found->second > now) return std::nullopt;
    return found->second;
}

std::uint32_t memory_ledger::starts_last_day(wall_ms now) const {
    const auto recent = std::count_if(starts_.begin(), starts_.end(),
                                      [now](wall_ms when) { return now - when <= day; });
    return static_cast<std::uint32_t>(recent);
}

session_start_limit within_own_count(session_start_limit limit,
                                     std::uint32_t starts_last_day) noexcept {
    const std::uint32_t left = limit.total - std::min(limit.total, starts_last_day);
    limit.remaining = std::min(limit.remaining, left);
    return limit;
}

}  // namespace shardgate
