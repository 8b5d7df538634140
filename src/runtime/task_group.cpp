// SPDX-License-Identifier: Apache-2.0
// Coroutines with an owner.
#include "shardgate/runtime/task_group.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <exception>
#include <list>
#include <utility>

#include "shardgate/base/log.hpp"

namespace shardgate {

namespace asio = boost::asio;

namespace {

struct task {
    std::string name;
    asio::cancellation_signal signal;
    bool ended = false;
};

// What every task runs in. Cancellation must be seen as error codes: once cancelled, every later
// co_await of a coroutine that throws on it would throw, clean-up included (style: 5.3).
asio::awaitable<void> run(asio::awaitable<void> body, bool start) {
    co_await asio::this_coro::throw_if_cancelled(false);
    if (start) co_await std::move(body);
}

std::string describe(const std::exception_ptr& thrown) {
    try {
        std::rethrow_exception(thrown);
    } catch (const std::exception& e) {
        return e.what();
    } catch (...) {
        return "an exception that is not a std::exception";
    }
}

}  // namespace

struct task_group::state : std::enable_shared_from_this<task_group::state> {
    asio::any_io_executor loop;
    fault_handler on_fault;
    std::function<void()> on_empty;
    std::list<std::shared_ptr<task>> tasks;
    bool cancelled = false;
    bool abandoned = false;

    void ended(const std::shared_ptr<task>& which, const std::exception_ptr& thrown) {
        which->ended = true;
        tasks.remove(which);
        if (thrown) {
            const std::string what = describe(thrown);
            log::error("a task ended by an exception", {{"task", which->name}, {"what", what}});
            if (on_fault && !abandoned) {
                const fault_handler handler = on_fault;  // it may destroy the group
                handler(which->name, what);
            }
        }
        if (tasks.empty() && on_empty && !abandoned) on_empty();
    }

    // Only those that run at the call: a later one starts cancelled.
    void cancel(asio::cancellation_type how) {
        // From inside the loop: at once. From outside, Boost 1.81 would post each emission with a
        // bare pointer to the task's signal, which may be gone when it runs (asio issue 1332).
        asio::dispatch(loop, [running = tasks, how] {
            for (const std::shared_ptr<task>& t : running)
                if (!t->ended) t->signal.emit(how);
        });
    }
};

task_group::task_group(asio::any_io_executor loop, fault_handler on_fault)
    : state_(std::make_shared<state>()) {
    state_->loop = std::move(loop);
    state_->on_fault = std::move(on_fault);
}

task_group::~task_group() {
    state_->abandoned = true;
    state_->cancel(asio::cancellation_type::terminal);
}

void task_group::spawn(std::string name, asio::awaitable<void> body) {
    auto entry = std::make_shared<task>();
    entry->name = std::move(name);
    state_->tasks.push_back(entry);
    auto on_end = [group = state_, entry](const std::exception_ptr& thrown) {
        group->ended(entry, thrown);
    };
    asio::co_spawn(state_->loop, run(std::move(body), !state_->cancelled),
                   asio::bind_cancellation_slot(entry->signal.slot(), std::move(on_end)));
}

void task_group::cancel(asio::cancellation_type how) {
    state_->cancelled = true;
    state_->cancel(how);
}

std::size_t task_group::size() const noexcept {
    return state_->tasks.size();
}

std::vector<std::string> task_group::names() const {
    std::vector<std::string> all;
    for (const std::shared_ptr<task>& t : state_->tasks)
        all.push_back(t->name);
    return all;
}

void task_group::on_empty(std::function<void()> wake) {
    state_->on_empty = std::move(wake);
}

}  // namespace shardgate
