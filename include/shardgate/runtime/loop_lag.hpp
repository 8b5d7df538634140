// SPDX-License-Identifier: Apache-2.0
// How late the loop is: a timer that measures how long after its time it is called. Work that
// blocks the loop shows here. The clock is a parameter for tests. Loop thread only.
#pragma once

#include <algorithm>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <functional>
#include <memory>
#include <utility>

#include "shardgate/base/result.hpp"
#include "shardgate/base/time.hpp"

namespace shardgate {

template <class Clock>
class basic_loop_lag {
public:
    using observer = std::function<void(duration lag)>;

    // Measures every `interval` until stop() or destruction. `seen` (if any) gets each measurement:
    // a histogram's food and a watchdog's proof of life.
    basic_loop_lag(boost::asio::any_io_executor loop, duration interval, observer seen = {})
        : state_(std::make_shared<state>(std::move(loop), interval, std::move(seen))) {
        state_->arm(Clock::now() + interval);
    }
    ~basic_loop_lag() { stop(); }
    basic_loop_lag(const basic_loop_lag&) = delete;
    basic_loop_lag& operator=(const basic_loop_lag&) = delete;

    void stop() {
        state_->running = false;
        state_->timer.cancel();
    }

    [[nodiscard]] duration latest() const noexcept { return state_->latest; }
    // The worst since the last call: what a scrape should see, whenever it comes.
    [[nodiscard]] duration take_worst() noexcept {
        return std::exchange(state_->worst, duration::zero());
    }

private:
    struct state : std::enable_shared_from_this<state> {
        boost::asio::basic_waitable_timer<Clock> timer;
        duration interval;
        observer seen;
        duration latest{};
        duration worst{};
        bool running = true;

        state(boost::asio::any_io_executor loop, duration every, observer s)
            : timer(std::move(loop)), interval(every), seen(std::move(s)) {}

        void arm(typename Clock::time_point due) {
            timer.expires_at(due);
            timer.async_wait([self = this->shared_from_this(), due](const error_code& code) {
                if (code || !self->running) return;
                const auto now = Clock::now();
                self->latest = now - due;
                self->worst = std::max(self->worst, self->latest);
                if (self->seen) self->seen(self->latest);
                // From now, not from `due`: one long stall must not count as many.
                if (self->running) self->arm(now + self->interval);
            });
        }
    };
    std::shared_ptr<state> state_;
};

using loop_lag = basic_loop_lag<clock>;

}  // namespace shardgate
