// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "store/ledger_book.hpp"

#include <algorithm>
#include <iterator>

namespace shardgate::store {

void ledger_book::identified(const identify_entry& e) {
    if (e.max_concurrency != max_concurrency_) {
        max_concurrency_ = e.max_concurrency;
        keys_.clear();
    }
    keys_[e.key] = e.at;
}

void ledger_book::started(wall_ms at) {
    starts_.push_back(at);
    while (starts_.size() > max_starts || at - starts_.front() > kept)
        starts_.pop_front();
}

void ledger_book::not_started(wall_ms at) {
    const auto found = std::find(starts_.rbegin(), starts_.rend(), at);
    if (found != starts_.rend()) starts_.erase(std::next(found).base());
}

std::optional<wall_ms> ledger_book::last(std::uint32_t key, std::uint32_t max_concurrency,
                                         wall_ms now) const {
    if (max_concurrency != max_concurrency_) return std::nullopt;
    const auto found = keys_.find(key);
    if (found == keys_.end() || found->second > now) return std::nullopt;
    return found->second;
}

std::uint32_t ledger_book::starts_last_day(wall_ms now) const {
    const auto recent = std::count_if(starts_.begin(), starts_.end(),
                                      [now](wall_ms when) { return now - when <= day; });
    return static_cast<std::uint32_t>(recent);
}

bool ledger_book::knows_the_future(wall_ms now) const {
    const auto later = [now](wall_ms when) { return when > now; };
    return std::any_of(starts_.begin(), starts_.end(), later) ||
           std::any_of(keys_.begin(), keys_.end(), [&](const auto& k) { return later(k.second); });
}

}  // namespace shardgate::store
