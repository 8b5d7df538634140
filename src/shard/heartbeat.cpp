// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "shardgate/shard/heartbeat.hpp"

namespace shardgate {

void heartbeat::start(time_point now, duration interval, double jitter) noexcept {
    interval_ = interval;
    due_ = later(
        now, duration(static_cast<duration::rep>(static_cast<double>(interval.count()) * jitter)));
    unanswered_.reset();
    asked_.reset();
    heard_ = true;
}

void heartbeat::stop() noexcept {
    due_ = never;
    unanswered_.reset();
    asked_.reset();
}

void heartbeat::on_requested(time_point now) noexcept {
    if (!asked_) asked_ = now;
}

void heartbeat::on_ack(time_point now) noexcept {
    if (asked_) latency_ = now - *asked_;
    asked_.reset();
    unanswered_.reset();
}

beat heartbeat::poll(time_point now) noexcept {
    if (now < due_) return beat::wait;
    const duration lateness = now - due_;
    if (lateness > 2 * interval_) return beat::dead;
    if (unanswered_ && lateness <= late_after) {
        const bool overdue = now - *unanswered_ >= 2 * interval_;
        if (overdue || !heard_) return beat::dead;
    }
    if (!unanswered_) unanswered_ = now;
    if (!asked_) asked_ = now;
    heard_ = false;
    due_ = later(now, interval_);  // from now, not from due_: a stalled loop must not burst
    return beat::send;
}

}  // namespace shardgate
