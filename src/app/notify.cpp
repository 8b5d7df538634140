// SPDX-License-Identifier: Apache-2.0
#include "app/notify.hpp"

#include <unistd.h>

#include <chrono>
#include <utility>

namespace shardgate {

namespace {

constexpr auto looks_every = std::chrono::seconds(1);

}  // namespace

std::string service_status(const status_snapshot& s) {
    std::string text;
    if (s.total == 0)
        text = s.waiting_for.empty() ? "starting" : "waiting for " + s.waiting_for;
    else
        text = std::to_string(s.ready) + " of " + std::to_string(s.last - s.first + 1) +
               " shards ready, handler " + s.handler_state;
    const auto waiting = s.queue.events + s.queue.spooled_events;
    if (waiting > 0) text += ", " + std::to_string(waiting) + " events queued";
    if (s.storage.state == "failing") text += ", storage fails";
    return text;
}

service_reporter::service_reporter(boost::asio::any_io_executor loop,
                                   const environment_lookup& environment,
                                   std::function<status_snapshot()> status)
    : notifier_(service_notifier::from(environment)),
      status_(std::move(status)),
      look_timer_(loop, [this] { look(); }),
      feed_timer_(loop, [this] { feed(); }) {
    if (notifier_.active()) watchdog_ = watchdog_interval(environment, ::getpid());
}

void service_reporter::ready() {
    if (!notifier_.active()) return;
    notifier_.send("READY=1");
    look();
    feed();
}

void service_reporter::look() {
    std::string now = service_status(status_());
    if (now != told_ && notifier_.send(status_line(now))) told_ = std::move(now);
    look_timer_.arm(clock::now() + looks_every);
}

// On the loop: when it does not turn, nobody feeds.
void service_reporter::feed() {
    if (!watchdog_) return;
    notifier_.send("WATCHDOG=1");
    feed_timer_.arm(clock::now() + *watchdog_ / 2);
}

void service_reporter::reloading() {
    notifier_.send(reloading_lines());
}

void service_reporter::reloaded() {
    notifier_.send("READY=1");
}

void service_reporter::stopping(duration within) {
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(within).count();
    notifier_.send("STOPPING=1\nEXTEND_TIMEOUT_USEC=" + std::to_string(us));
}

}  // namespace shardgate
