// SPDX-License-Identifier: Apache-2.0
// SIGTERM, SIGINT and SIGHUP as calls on the loop. One per process.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>

namespace shardgate {

struct signal_handlers {
    std::function<void(int signal)> on_stop;      // the first SIGTERM or SIGINT: orderly stop
    std::function<void(int signal)> on_stop_now;  // each further one
    std::function<void()> on_reload;              // SIGHUP

    signal_handlers() = default;
};

class signal_watcher {
public:
    // Watches from now on. Also lets SIGPIPE be ignored: a peer that went away is an error code.
    // Throws if the system refuses (start-up).
    signal_watcher(boost::asio::any_io_executor loop, signal_handlers handlers);
    // The signals do again what they did before; no handler is called any more.
    ~signal_watcher();
    signal_watcher(const signal_watcher&) = delete;
    signal_watcher& operator=(const signal_watcher&) = delete;

    // Ends the watch, so that the loop can run out of work.
    void stop();

private:
    struct state;
    std::shared_ptr<state> state_;
};

}  // namespace shardgate
