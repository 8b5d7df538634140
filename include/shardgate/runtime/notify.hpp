// SPDX-License-Identifier: Apache-2.0
// The service manager's notification socket: sd_notify(3)'s protocol in a few lines, without its
// library. Without NOTIFY_SOCKET every call does nothing. Never blocks. Any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "shardgate/base/time.hpp"

namespace shardgate {

using environment_lookup = std::function<std::optional<std::string>(std::string_view name)>;

class service_notifier {
public:
    // `address`: "/path", or "@name" in the abstract namespace; empty, or of another kind: nobody.
    explicit service_notifier(const std::string& address);
    [[nodiscard]] static service_notifier from(const environment_lookup& environment);
    ~service_notifier();
    service_notifier(service_notifier&& other) noexcept;
    service_notifier& operator=(service_notifier&&) = delete;

    [[nodiscard]] bool active() const noexcept { return socket_ >= 0; }
    // Lines "KEY=value". False: it did not go out; the next one may.
    bool send(std::string_view lines) const noexcept;

private:
    int socket_ = -1;
    std::string address_;  // as the kernel wants it: abstract names begin with a NUL
};

// How often the manager wants to hear from us (WATCHDOG_USEC, when WATCHDOG_PID is ours or not
// given); it is to be told twice as often (sd_watchdog_enabled(3)).
[[nodiscard]] std::optional<duration> watchdog_interval(const environment_lookup& environment,
                                                        std::int64_t our_pid);

// "STATUS=text": one line, whatever is in it.
[[nodiscard]] std::string status_line(std::string_view text);
// "RELOADING=1" with the time it began, which Type=notify-reload wants.
[[nodiscard]] std::string reloading_lines();

}  // namespace shardgate
