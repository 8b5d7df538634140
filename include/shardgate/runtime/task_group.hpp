// SPDX-License-Identifier: Apache-2.0
// Owns coroutines: whoever spawns one here can cancel it and wait for its end. The only place that
// starts coroutines nobody awaits. Loop thread only.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/deferred.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "shardgate/base/time.hpp"

namespace shardgate {

class task_group {
public:
    // A coroutine ended by an exception: a bug. Called on the loop after it was logged; usually
    // asks for an orderly stop.
    using fault_handler = std::function<void(std::string_view task, std::string_view what)>;

    explicit task_group(boost::asio::any_io_executor loop, fault_handler on_fault = {});
    // Cancels what still runs and does not wait for it: such a task finds its operations aborted,
    // and its end is no longer reported.
    ~task_group();
    task_group(const task_group&) = delete;
    task_group& operator=(const task_group&) = delete;

    // Starts `task` on the loop (not before this call returned). It sees cancellation as errors of
    // its operations, never as an exception (boost 1.81: throw_if_cancelled(false) is set for it).
    // After cancel() a new task starts cancelled.
    void spawn(std::string name, boost::asio::awaitable<void> task);

    // Asks every task to end. Terminal: the I/O object it waits on may be unusable afterwards.
    void cancel(boost::asio::cancellation_type how = boost::asio::cancellation_type::terminal);

    [[nodiscard]] std::size_t size() const noexcept;
    // The names of what still runs, oldest first: what a failed join() should say.
    [[nodiscard]] std::vector<std::string> names() const;

    // Waits until every task has ended: true, or false when `deadline` came first. One join at a
    // time; the group must live meanwhile.
    template <class Clock = clock>
    [[nodiscard]] boost::asio::awaitable<bool> join(typename Clock::time_point deadline) {
        auto executor = co_await boost::asio::this_coro::executor;
        boost::asio::basic_waitable_timer<Clock> timer(executor);
        timer.expires_at(deadline);
        std::function<void()> wake = [&timer] { timer.cancel(); };
        on_empty(std::move(wake));
        while (size() > 0 && Clock::now() < deadline) {
            auto [code] = co_await timer.async_wait(boost::asio::as_tuple(boost::asio::deferred));
            if (!code) break;
            auto asked = co_await boost::asio::this_coro::cancellation_state;
            if (asked.cancelled() != boost::asio::cancellation_type::none) break;
        }
        on_empty({});
        const bool done = size() == 0;
        co_return done;
    }

private:
    struct state;
    void on_empty(std::function<void()> wake);
    std::shared_ptr<state> state_;
};

}  // namespace shardgate
