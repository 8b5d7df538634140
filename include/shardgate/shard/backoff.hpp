// SPDX-License-Identifier: Apache-2.0
// Capped exponential backoff with jitter, whose reset has to be earned: a success counts once it
// has lasted, so that a gateway that accepts and drops at once is not hammered. Pure.
// Owner: session_fsm.
#pragma once

#include <optional>

#include "shardgate/base/random.hpp"
#include "shardgate/base/time.hpp"

namespace shardgate {

class backoff {
public:
    // `settle`: how long a success must last to be one. Pre: 0 < initial <= maximum.
    backoff(duration initial, duration maximum, duration settle) noexcept;

    // READY or RESUMED is in. Nothing else resets, a connection that opens least of all.
    void succeeded(time_point now) noexcept { succeeded_at_ = now; }
    // How long to wait after this failure: in [step / 2, step], the step doubling from `initial` to
    // `maximum`. With `at_once` the first failure in a row waits for nothing.
    [[nodiscard]] duration next(time_point now, bool at_once, random_source& random);

    [[nodiscard]] unsigned failures() const noexcept { return failures_; }

private:
    duration initial_;
    duration maximum_;
    duration settle_;
    unsigned failures_ = 0;
    std::optional<time_point> succeeded_at_;
};

}  // namespace shardgate
