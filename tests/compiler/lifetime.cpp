// SPDX-License-Identifier: Apache-2.0
// How our coroutines are started and how long what they hold lives: static members that take their
// object by value, parameters by value, cancellation, and destruction of a suspended frame.
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "compiler/probe.hpp"
#include "shardgate/runtime/task_group.hpp"

namespace {

using namespace probe;
using namespace std::chrono_literals;

class runner {
public:
    explicit runner(int n) : held_(n) {}
    static task<void> run_self(std::shared_ptr<runner> self, std::string name, witness extra) {
        auto got = co_await number(self->held_.value());
        self->sum_ = got + extra.value() + static_cast<int>(name.size());
        co_await self->member();
    }
    [[nodiscard]] int sum() const { return sum_; }

private:
    task<void> member() {
        co_await suspend();
        ++sum_;
    }
    witness held_;
    int sum_ = 0;
};

task<void> static_entry() {
    auto r = std::make_shared<runner>(10);
    co_await runner::run_self(r, std::string(40, 'n'), witness(5));
    check(r->sum() == 56, "static entry by shared_ptr", "wrong value");
    check(r.use_count() == 1, "static entry by shared_ptr", "a reference leaked");
}
task<void> waits(std::shared_ptr<witness> keep, bool* aborted) {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto executor = co_await asio::this_coro::executor;
    asio::steady_timer timer(executor, 1h);
    auto [code] = co_await timer.async_wait(asio::as_tuple(asio::deferred));
    *aborted = code == asio::error::operation_aborted && keep->value() == 1;
    co_await suspend();
}

void spawned_with_closure() {
    asio::io_context loop{1};
    witness w(3);
    int seen = 0;
    auto done = [w, &seen](const std::exception_ptr&) { seen = w.value(); };
    asio::co_spawn(loop, suspend(), std::move(done));
    loop.run();
    check(seen == 3, "completion handler with captures", "wrong value");
}
void cancelled() {
    asio::io_context loop{1};
    asio::cancellation_signal signal;
    bool aborted = false;
    bool ended = false;
    auto keep = std::make_shared<witness>(1);
    auto done = [&ended](const std::exception_ptr& e) { ended = !e; };
    asio::co_spawn(loop, waits(keep, &aborted),
                   asio::bind_cancellation_slot(signal.slot(), std::move(done)));
    loop.poll();
    signal.emit(asio::cancellation_type::terminal);
    loop.run();
    check(aborted && ended, "cancellation as a value", "not seen, or thrown");
    check(keep.use_count() == 1, "cancellation as a value", "a reference leaked");
}
void destroyed_while_suspended() {
    auto keep = std::make_shared<witness>(1);
    bool aborted = false;
    {
        asio::io_context loop{1};
        auto done = [](const std::exception_ptr&) {};
        asio::co_spawn(loop, waits(keep, &aborted), std::move(done));
        loop.poll();
        check(keep.use_count() == 2, "suspended frame", "does not hold its parameter");
    }
    check(!aborted, "destroyed frame", "was resumed");
    check(keep.use_count() == 1, "destroyed frame", "its parameter was not destroyed once");
}
void grouped() {
    auto keep = std::make_shared<witness>(1);
    bool aborted = false;
    asio::io_context loop{1};
    {
        shardgate::task_group group(loop.get_executor());
        group.spawn("waits", waits(keep, &aborted));
        loop.poll();
    }
    loop.restart();
    loop.run();
    check(aborted, "task_group", "its task was not cancelled");
    check(keep.use_count() == 1, "task_group", "a reference leaked");
}

}  // namespace

int main() {
    const long before = alive;
    run("static entry", static_entry());
    spawned_with_closure();
    cancelled();
    destroyed_while_suspended();
    grouped();
    check(alive == before, "all of them", "objects leaked or were destroyed twice");
    return verdict("lifetime");
}
