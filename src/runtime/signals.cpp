// SPDX-License-Identifier: Apache-2.0
// SIGTERM, SIGINT and SIGHUP as calls on the loop.
#include "shardgate/runtime/signals.hpp"

#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <utility>

#include "shardgate/base/result.hpp"

namespace shardgate {

struct signal_watcher::state : std::enable_shared_from_this<signal_watcher::state> {
    boost::asio::signal_set set;
    signal_handlers handlers;
    unsigned stops = 0;
    bool watching = true;

    state(boost::asio::any_io_executor loop, signal_handlers h)
        : set(std::move(loop), SIGTERM, SIGINT, SIGHUP), handlers(std::move(h)) {}

    void wait() {
        set.async_wait([self = shared_from_this()](const error_code& code, int signal) {
            if (code || !self->watching) return;
            self->arrived(signal);
            if (self->watching) self->wait();
        });
    }

    void arrived(int signal) {
        if (signal == SIGHUP) {
            if (handlers.on_reload) handlers.on_reload();
            return;
        }
        const auto& handler = stops++ == 0 ? handlers.on_stop : handlers.on_stop_now;
        if (handler) handler(signal);
    }
};

signal_watcher::signal_watcher(boost::asio::any_io_executor loop, signal_handlers handlers)
    : state_(std::make_shared<state>(std::move(loop), std::move(handlers))) {
    std::signal(SIGPIPE, SIG_IGN);
    state_->wait();
}

signal_watcher::~signal_watcher() {
    stop();
}

void signal_watcher::stop() {
    state_->watching = false;
    error_code ignored;
    state_->set.clear(ignored);
    state_->set.cancel(ignored);
}

}  // namespace shardgate
