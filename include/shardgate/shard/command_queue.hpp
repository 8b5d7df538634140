// SPDX-License-Identifier: Apache-2.0
// The commands that wait for a live connection and for the limits, in order. Bounded; a presence
// that waits is replaced by a newer one. Pure. Owner: session_fsm.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "shardgate/base/time.hpp"
#include "shardgate/shard/command.hpp"
#include "shardgate/shard/command_limiter.hpp"

namespace shardgate {

class command_queue {
public:
    static constexpr std::size_t default_capacity = 256;
    // A voice move or a member request is pointless later than this. A presence stays true.
    static constexpr duration max_age = std::chrono::minutes(5);

    explicit command_queue(std::size_t capacity = default_capacity) noexcept;

    // False: full. A presence takes the place of the one that waits, at its position.
    [[nodiscard]] bool add(gateway_command command, time_point now);
    // The first command that may go now, counted with the limiter; what a sub-limit holds back lets
    // the others pass. Nothing if none may.
    [[nodiscard]] std::optional<gateway_command> take(command_limiter& limiter, time_point now);
    // When take() may next answer something.
    [[nodiscard]] time_point next(command_limiter& limiter, time_point now) const noexcept;

    // An IDENTIFY carries the presence: the one that waits is done.
    void drop_presence() noexcept;
    void clear() noexcept { waiting_.clear(); }

    [[nodiscard]] std::size_t size() const noexcept { return waiting_.size(); }
    [[nodiscard]] std::uint64_t expired() const noexcept { return expired_; }
    [[nodiscard]] std::uint64_t coalesced() const noexcept { return coalesced_; }

private:
    struct entry {
        gateway_command command;
        time_point since;
    };
    void expire(time_point now);

    std::size_t capacity_;
    std::deque<entry> waiting_;
    std::uint64_t expired_ = 0;
    std::uint64_t coalesced_ = 0;
};

}  // namespace shardgate
