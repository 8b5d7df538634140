// SPDX-License-Identifier: Apache-2.0
// A sliding minimum in buckets of one minute. Pure; depends on base only.
#include "delivery/clock_offset.hpp"

#include <algorithm>

namespace shardgate {
namespace {

using std::chrono::milliseconds;

milliseconds since_start(time_point t) {
    return std::chrono::floor<milliseconds>(t.time_since_epoch());
}

milliseconds difference_of(snowflake id, time_point received) {
    return since_start(received) - milliseconds(created_unix_ms(id));
}

bool is_believable(snowflake id, wall_ms received_wall) {
    const milliseconds off = received_wall.time_since_epoch() - milliseconds(created_unix_ms(id));
    return off >= -clock_offset::believable && off <= clock_offset::believable;
}

}  // namespace

void clock_offset::observe(snowflake id, time_point received, wall_ms received_wall) {
    if (!is_believable(id, received_wall)) return;
    turn_to(std::chrono::floor<std::chrono::minutes>(received.time_since_epoch()).count());
    const milliseconds difference = difference_of(id, received);
    if (smallest_ && difference >= *smallest_ - agreement) {
        keep(minute_, difference);
        return;
    }
    if (candidate_ && std::chrono::abs(difference - *candidate_) <= agreement) {
        keep(minute_, std::min(difference, *candidate_));
        candidate_.reset();
        return;
    }
    candidate_ = difference;
}

void clock_offset::keep(std::int64_t minute, milliseconds difference) {
    bucket& b = buckets_[static_cast<std::size_t>(minute) % buckets_.size()];
    b.minute = minute;
    b.smallest = std::min(b.smallest, difference);
    smallest_ = std::min(smallest_.value_or(difference), difference);
}

// Forgets what is too old. Receipts of one loop come in order; one that does not counts as now.
void clock_offset::turn_to(std::int64_t minute) {
    if (minute <= minute_) return;
    minute_ = minute;
    smallest_.reset();
    for (bucket& b : buckets_) {
        if (b.minute < 0 || minute - b.minute > memory.count()) {
            b = {};
        } else {
            smallest_ = std::min(smallest_.value_or(b.smallest), b.smallest);
        }
    }
}

time_point clock_offset::created(snowflake id, time_point received,
                                 wall_ms received_wall) const noexcept {
    if (!smallest_ || !is_believable(id, received_wall)) return received;
    const milliseconds age = difference_of(id, received) - *smallest_;
    return received - std::clamp(age, milliseconds(0), believable);
}

}  // namespace shardgate
