// SPDX-License-Identifier: Apache-2.0
// When was something made at Discord, on our steady clock? Snowflakes tell Discord's time; the
// smallest difference between that and our receipt seen lately is our clock's offset plus the
// network at its best, so what an event needed beyond it is its age. Pure. Owner: interaction_desk.
// A wall clock that is wrong or is being set does not matter: differences are to the steady clock.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "shardgate/base/ids.hpp"
#include "shardgate/base/time.hpp"

namespace shardgate {

class clock_offset {
public:
    // How long a difference counts, at least; one tenth more at most.
    static constexpr std::chrono::minutes memory{10};
    // Ids that claim to be made further than this from our wall clock are not believed.
    static constexpr std::chrono::milliseconds believable = std::chrono::hours(1);
    // A smallest difference counts once a second one comes this close, so that no single odd id
    // makes every later event look old.
    static constexpr std::chrono::milliseconds agreement = std::chrono::seconds(2);

    // An event made just now, as far as Discord is concerned, was received.
    void observe(snowflake id, time_point received, wall_ms received_wall);

    // When `id` was made: never later than `received`, which is the answer while too little is
    // known, and never more than `believable` before it.
    [[nodiscard]] time_point created(snowflake id, time_point received,
                                     wall_ms received_wall) const noexcept;

private:
    using milliseconds = std::chrono::milliseconds;
    struct bucket {
        std::int64_t minute = -1;
        milliseconds smallest = milliseconds::max();
    };

    void keep(std::int64_t minute, milliseconds difference);
    void turn_to(std::int64_t minute);

    std::array<bucket, memory.count() + 1> buckets_{};
    std::int64_t minute_ = -1;               // the newest bucket's
    std::optional<milliseconds> smallest_;   // of all buckets
    std::optional<milliseconds> candidate_;  // smaller than that, not confirmed
};

}  // namespace shardgate
