// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "shardgate/shard/backoff.hpp"

#include <algorithm>

namespace shardgate {

backoff::backoff(duration initial, duration maximum, duration settle) noexcept
    : initial_(initial), maximum_(maximum), settle_(settle) {}

duration backoff::next(time_point now, bool at_once, random_source& random) {
    if (succeeded_at_ && now - *succeeded_at_ >= settle_) failures_ = 0;
    succeeded_at_.reset();
    const unsigned before = failures_;
    failures_ = std::min(failures_ + 1, 1000U);
    if (at_once && before == 0) return duration::zero();
    duration step = initial_;
    for (unsigned i = at_once ? 1 : 0; i < before && step < maximum_; ++i)
        step = step > maximum_ / 2 ? maximum_ : step * 2;
    return random.between(step / 2, step);
}

}  // namespace shardgate
