// SPDX-License-Identifier: Apache-2.0
// shardgate-sim: options in, one loop, until told to stop.
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <exception>
#include <iostream>
#include <utility>

#include "shardgate/base/log.hpp"
#include "shardgate/runtime/signals.hpp"
#include "sim/options.hpp"
#include "sim/simulator.hpp"

namespace {

// What is left to do after a stop: answers under way, the kernel's buffers.
constexpr std::chrono::milliseconds farewell{100};

int run(const shardgate::sim::options& o) {
    boost::asio::io_context loop(1);
    boost::asio::steady_timer last(loop);
    shardgate::sim::simulator sim(loop, o);
    const auto stop = [&] {
        sim.stop();
        last.expires_after(farewell);
        last.async_wait([&loop](const boost::system::error_code&) { loop.stop(); });
    };
    shardgate::signal_handlers handlers;
    handlers.on_stop = [&](int) { stop(); };
    handlers.on_stop_now = [&](int) { loop.stop(); };
    shardgate::signal_watcher signals(loop.get_executor(), std::move(handlers));
    sim.on_quit = stop;
    sim.start();
    std::cout << sim.ready_line() << std::endl;
    loop.run();
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    int code = 0;
    const auto o = shardgate::sim::parse_options(argc, argv, code);
    if (!o) return code;
    try {
        code = run(*o);
    } catch (const std::exception& e) {
        std::cerr << "shardgate-sim: " << e.what() << '\n';
        code = 70;  // EX_SOFTWARE
    }
    shardgate::log::shutdown();
    return code;
}
