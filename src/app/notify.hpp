// SPDX-License-Identifier: Apache-2.0
// Tells the service manager how the daemon is: ready, its state in a line, that the loop turns.
// Costs one timer when there is a manager, nothing without. Loop thread only; owner: daemon.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <optional>
#include <string>

#include "shardgate/metrics/snapshots.hpp"
#include "shardgate/runtime/lazy_timer.hpp"
#include "shardgate/runtime/notify.hpp"

namespace shardgate {

// "12 of 16 shards ready, handler up, 3 events queued". Pure.
[[nodiscard]] std::string service_status(const status_snapshot& s);

class service_reporter {
public:
    // `status` is asked once a second.
    service_reporter(boost::asio::any_io_executor loop, const environment_lookup& environment,
                     std::function<status_snapshot()> status);

    // The loop runs: from now on the state is told when it changes, and the watchdog is fed.
    void ready();
    void reloading();
    void reloaded();
    // At most so long until the process ends.
    void stopping(duration within);

private:
    void look();
    void feed();

    service_notifier notifier_;
    std::optional<duration> watchdog_;
    std::function<status_snapshot()> status_;
    std::string told_;
    lazy_timer look_timer_, feed_timer_;
};

}  // namespace shardgate
