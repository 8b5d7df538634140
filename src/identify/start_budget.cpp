// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "shardgate/identify/start_budget.hpp"

#include <algorithm>

namespace shardgate {

start_budget::start_budget(const session_start_limit& limit, std::uint32_t reserve,
                           time_point now) noexcept
    : reserve_(reserve) {
    update(limit, now);
}

void start_budget::update(const session_start_limit& limit, time_point now) noexcept {
    total_ = limit.total;
    remaining_ = std::min(limit.remaining, limit.total);
    if (limit.reset_after > duration::zero())
        resets_at_ = later(now, std::min(limit.reset_after, full_window));
    else
        resets_at_ = remaining_ < total_ ? later(now, full_window) : never;
}

bool start_budget::roll(time_point now) noexcept {
    if (now < resets_at_) return false;
    remaining_ = total_;
    resets_at_ = never;
    return true;
}

void start_budget::spend(time_point now) noexcept {
    roll(now);
    if (resets_at_ == never) resets_at_ = later(now, full_window);
    if (remaining_ > 0) --remaining_;
}

bool start_budget::allows(bool explicit_request) const noexcept {
    return remaining_ > std::uint64_t{held_} + (explicit_request ? 0 : reserve_);
}

std::uint32_t start_budget::remaining(time_point now) const noexcept {
    return now >= resets_at_ ? total_ : remaining_;
}

std::uint32_t start_budget::spendable() const noexcept {
    const std::uint64_t bound = std::uint64_t{held_} + reserve_;
    return remaining_ > bound ? static_cast<std::uint32_t>(remaining_ - bound) : 0;
}

}  // namespace shardgate
