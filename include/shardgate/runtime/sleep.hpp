// SPDX-License-Identifier: Apache-2.0
// Waiting inside a coroutine. The clock is a parameter so that tests can move time themselves.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/this_coro.hpp>

#include "shardgate/base/result.hpp"
#include "shardgate/base/time.hpp"

namespace shardgate {

// No error once `until` is reached; operation_aborted when the coroutine was cancelled meanwhile.
// Throws nothing, provided the coroutine began with throw_if_cancelled(false) as task_group's do.
template <class Clock = clock>
[[nodiscard]] boost::asio::awaitable<error_code> sleep_until(typename Clock::time_point until) {
    auto executor = co_await boost::asio::this_coro::executor;
    boost::asio::basic_waitable_timer<Clock> timer(executor);
    timer.expires_at(until);
    auto [code] = co_await timer.async_wait(boost::asio::as_tuple(boost::asio::deferred));
    co_return code;
}

template <class Clock = clock>
[[nodiscard]] boost::asio::awaitable<error_code> sleep_for(typename Clock::duration span) {
    return sleep_until<Clock>(Clock::now() + span);
}

}  // namespace shardgate
