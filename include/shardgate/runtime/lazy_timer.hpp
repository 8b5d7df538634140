// SPDX-License-Identifier: Apache-2.0
// One deadline that moves often: the wake-up is set again only when it must come earlier, so that a
// deadline pushed back at every event costs nothing. A wake-up may thus come early; the owner asks
// its state machine, which knows. Loop thread only.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <utility>

#include "shardgate/base/time.hpp"

namespace shardgate {

class lazy_timer {
public:
    // `fire` runs on the loop, never from inside arm(), and not after the timer is destroyed.
    lazy_timer(boost::asio::any_io_executor loop, std::function<void()> fire)
        : state_(std::make_shared<state>(std::move(loop), std::move(fire))) {}
    ~lazy_timer() { state_->alive = false, state_->timer.cancel(); }
    lazy_timer(const lazy_timer&) = delete;
    lazy_timer& operator=(const lazy_timer&) = delete;

    // Wake up at `when` at the latest; `never` leaves a pending wake-up as it is.
    void arm(time_point when) {
        if (when >= state_->armed) return;
        state_->armed = when;
        state_->timer.expires_at(
            when);  // cancels the later wake-up, whose handler then sees the epoch
        state_->timer.async_wait([s = state_, epoch = ++state_->epoch](const auto&) {
            if (!s->alive || epoch != s->epoch) return;
            s->armed = never;
            s->fire();
        });
    }

private:
    struct state {
        state(boost::asio::any_io_executor loop, std::function<void()> f)
            : timer(std::move(loop)), fire(std::move(f)) {}
        boost::asio::steady_timer timer;
        std::function<void()> fire;
        time_point armed = never;
        std::uint64_t epoch = 0;
        bool alive = true;
    };
    std::shared_ptr<state> state_;
};

}  // namespace shardgate
