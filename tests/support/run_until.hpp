// SPDX-License-Identifier: Apache-2.0
// Runs a loop with real sockets until something is so: no sleeping, no fixed time.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>

namespace shardgate::testing {

// False when `limit` passes first: the test's failure, not its pace.
template <class Predicate>
[[nodiscard]] bool run_until(boost::asio::io_context& loop, Predicate so,
                             std::chrono::milliseconds limit = std::chrono::seconds(10)) {
    const auto give_up = std::chrono::steady_clock::now() + limit;
    while (!so()) {
        if (std::chrono::steady_clock::now() >= give_up) return false;
        loop.restart();
        loop.run_one_for(std::chrono::milliseconds(20));
    }
    return true;
}

// Whatever can be done without waiting.
inline void run_ready(boost::asio::io_context& loop) {
    loop.restart();
    loop.poll();
}

}  // namespace shardgate::testing
