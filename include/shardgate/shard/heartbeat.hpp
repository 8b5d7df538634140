// SPDX-License-Identifier: Apache-2.0
// Heartbeat bookkeeping of one gateway connection: when to beat, and when the connection is a
// zombie. Pure: no clock, no socket, no allocation. Owner: session_fsm. Spec: docs/protocol.md,
// Heartbeats.
#pragma once

#include <cstdint>
#include <optional>

#include "shardgate/base/time.hpp"

namespace shardgate {

enum class beat : std::uint8_t { wait, send, dead };

class heartbeat {
public:
    // A timer that fires this late was held up by our own loop: the ACK may lie unread in the
    // socket, so that its absence proves nothing yet.
    static constexpr duration late_after = std::chrono::seconds(1);

    // HELLO is in. `jitter` in [0, 1): the first beat is due after that share of the interval, so
    // that a thousand shards do not beat as one. Pre: interval > 0.
    void start(time_point now, duration interval, double jitter) noexcept;
    // The connection is over. The last latency stays known.
    void stop() noexcept;

    // Any frame is a sign of life: under a flood the ACK can sit behind megabytes of dispatches.
    void on_receive() noexcept { heard_ = true; }
    // A beat goes out because the peer asked for it (op 1). It moves no timer and its missing ACK
    // condemns nobody.
    void on_requested(time_point now) noexcept;
    void on_ack(time_point now) noexcept;

    // What to do at `now`. After `send` the caller must write a beat. `dead`: no ACK and no frame
    // since the last beat; or an ACK missing for two intervals, whatever else came; or the timer
    // comes more than two intervals late (a suspended machine), when the peer has given us up.
    [[nodiscard]] beat poll(time_point now) noexcept;
    [[nodiscard]] time_point deadline() const noexcept { return due_; }

    [[nodiscard]] duration interval() const noexcept { return interval_; }
    // From a beat to its ACK, the last time that was seen.
    [[nodiscard]] std::optional<duration> latency() const noexcept { return latency_; }

private:
    duration interval_{};
    time_point due_ = never;
    std::optional<time_point> unanswered_;  // the oldest timer-driven beat without an ACK
    std::optional<time_point> asked_;       // the oldest beat of any kind without an ACK
    std::optional<duration> latency_;
    bool heard_ = false;  // something came in since the last timer-driven beat
};

}  // namespace shardgate
