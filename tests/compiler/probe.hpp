// SPDX-License-Identifier: Apache-2.0
// What the compiler probes share: an object that knows when it is destroyed once too often, a few
// awaitables, and a way to run a coroutine and say what went wrong.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdio>
#include <exception>
#include <memory>
#include <string>
#include <utility>

namespace probe {

namespace asio = boost::asio;
template <class T>
using task = asio::awaitable<T>;

inline int faults = 0;
inline long alive = 0;

inline void check(bool holds, const char* form, const char* what) {
    if (holds) return;
    ++faults;
    std::fprintf(stderr, "%s: %s\n", form, what);
}

// Counts itself, owns memory (so that ASan sees a double free), and remembers being destroyed.
class witness {
public:
    explicit witness(int value = 0) : value_(std::make_unique<int>(value)) { ++alive; }
    witness(const witness& other) : value_(std::make_unique<int>(other.value())) { ++alive; }
    witness(witness&& other) noexcept : value_(std::move(other.value_)) { ++alive; }
    witness& operator=(const witness& other) {
        value_ = std::make_unique<int>(other.value());
        return *this;
    }
    witness& operator=(witness&& other) noexcept = default;
    ~witness() {
        check(mark_ == living, "witness", "destroyed twice, or never made");
        mark_ = 0;
        --alive;
    }
    [[nodiscard]] int value() const { return value_ ? *value_ : -1; }

private:
    static constexpr unsigned living = 0x5AFE5AFE;
    volatile unsigned mark_ = living;
    std::unique_ptr<int> value_;
};

// Suspends for real: the rest of the expression runs after a trip through the loop.
inline task<void> suspend() {
    co_await asio::post(asio::use_awaitable);
}
inline task<int> number(int n) {
    co_await suspend();
    co_return n;
}
inline task<std::string> text(std::string t) {
    co_await suspend();
    std::string longer = t + " which is too long for the small string optimisation";
    co_return longer;
}
inline task<witness> made(int n) {
    co_await suspend();
    witness w(n);
    co_return w;
}

// Runs one form to its end and checks that nothing is left behind.
inline void run(const char* form, task<void> body) {
    const long before = alive;
    {
        asio::io_context loop{1};
        bool ended = false;
        asio::co_spawn(loop, std::move(body), [&](const std::exception_ptr& thrown) {
            ended = true;
            check(!thrown, form, "ended by an exception");
        });
        loop.run();
        check(ended, form, "did not end");
    }
    check(alive == before, form, "objects leaked or were destroyed twice");
}

inline int verdict(const char* program) {
    if (faults == 0) std::printf("%s: every allowed form works\n", program);
    return faults == 0 ? 0 : 1;
}

}  // namespace probe
