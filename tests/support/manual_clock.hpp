// SPDX-License-Identifier: Apache-2.0
// A clock that stands still until a test moves it, and what Asio needs to wait on it:
// basic_waitable_timer<manual_clock>, advance(), then io.poll().
#pragma once

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/wait_traits.hpp>
#include <chrono>

namespace shardgate::testing {

struct manual_clock {
    using duration = std::chrono::steady_clock::duration;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<manual_clock>;
    static constexpr bool is_steady = true;

    static time_point now() noexcept { return time_point(elapsed()); }
    static void advance(duration by) noexcept { elapsed() += by; }

private:
    static duration& elapsed() noexcept {
        static duration since_start = std::chrono::hours(1);
        return since_start;
    }
};

}  // namespace shardgate::testing

// Asio asks how long to sleep; never, so that poll() looks at the clock again at once.
template <>
struct boost::asio::wait_traits<shardgate::testing::manual_clock> {
    using clock = shardgate::testing::manual_clock;
    static clock::duration to_wait_duration(const clock::duration&) { return clock::duration(0); }
    static clock::duration to_wait_duration(const clock::time_point&) { return clock::duration(0); }
};

namespace shardgate::testing {
using manual_timer = boost::asio::basic_waitable_timer<manual_clock>;
}  // namespace shardgate::testing
