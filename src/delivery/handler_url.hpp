// SPDX-License-Identifier: Apache-2.0
// One handler URL: is it there (breaker), and how many requests may be in flight (window)? Pure.
// Owner: delivery. Rules: docs/delivery.md, "When the handler is away".
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "shardgate/base/random.hpp"
#include "shardgate/base/time.hpp"

namespace shardgate {

struct handler_url_settings {
    std::size_t cap = 64;      // requests in flight: connections x pipelining
    std::size_t reserved = 8;  // of these, kept for interactions; less than cap
    duration retry_initial = std::chrono::seconds(1);
    duration retry_max = std::chrono::seconds(30);
};

struct handler_url_failure {
    std::uint64_t lane = 0;  // serial
    bool only_lane = false;  // nothing else waits or is under way
    bool refused = false;    // nobody listens
    bool timed_out = false;
    std::optional<duration> retry_after;
    std::string_view detail;
};

class handler_url {
public:
    // `random` is borrowed.
    handler_url(std::string url, const handler_url_settings& settings, random_source& random);

    // Other limits; its state and what is under way stay.
    void set_limits(const handler_url_settings& settings) noexcept {
        settings_ = settings;
        window_ = std::min(window_, settings.cap);
    }

    // May another request start? An open breaker lets one probe through at a time, when it is due;
    // if one lane alone opened it, another lane may try at once.
    [[nodiscard]] bool may_send(bool interaction, std::uint64_t lane,
                                time_point now) const noexcept;

    // What a request carries from its start to its end.
    struct ticket {
        enum class role : std::uint8_t {
            ordinary,
            interaction,
            probe,           // of an open breaker
            second_opinion,  // another lane's, while one lane alone had failed
        } as = role::ordinary;
        std::uint32_t era = 0;      // grows each time the breaker opens or closes
        std::uint64_t answers = 0;  // of the URL when it started
    };
    [[nodiscard]] ticket on_started(bool interaction, std::uint64_t lane) noexcept;
    // What a request that was started came to: an answer that shows the handler is there (2xx or a
    // refusal), or none. True: the breaker closed or opened by it.
    bool on_answered(ticket t);
    bool on_failure(ticket t, const handler_url_failure& f, time_point now);

    [[nodiscard]] bool open() const noexcept { return open_; }
    // When the next probe is due; `never` while closed, while a probe is under way, or while as
    // many requests as there may be are.
    [[nodiscard]] time_point next_probe() const noexcept;
    // A lane that a probe should avoid if there is another.
    [[nodiscard]] std::uint64_t last_failed_lane() const noexcept { return last_failed_; }
    [[nodiscard]] std::size_t in_flight() const noexcept { return in_flight_; }
    [[nodiscard]] std::size_t window() const noexcept { return open_ ? 1 : window_; }
    [[nodiscard]] const std::string& url() const noexcept { return url_; }
    [[nodiscard]] const std::string& last_error() const noexcept { return last_error_; }
    [[nodiscard]] time_point opened_at() const noexcept { return opened_at_; }

private:
    void finish(ticket t) noexcept;
    void begin_era() noexcept;
    void schedule_probe(const handler_url_failure& f, time_point now);

    std::uint64_t answers_ = 0;
    std::string url_;
    handler_url_settings settings_;
    random_source& random_;
    bool open_ = false;
    bool one_lane_only_ = true;   // all failures since the last success came from one lane
    std::uint32_t failures_ = 0;  // consecutive
    std::uint64_t last_failed_ = 0;
    std::uint32_t probes_ = 0;  // failed ones since it opened
    std::size_t in_flight_ = 0;
    // Of this era: requests that hang since before an outage do not hold up the slow start after
    // it.
    std::size_t current_ = 0;
    std::size_t current_ordinary_ = 0;  // of these, not for interactions
    std::uint32_t era_ = 0;
    bool probing_ = false;
    bool second_opinion_ = false;
    std::size_t window_;
    time_point next_probe_ = never;
    time_point opened_at_{};
    std::string last_error_;
};

// The URL as shown: without user name, password and query.
[[nodiscard]] std::string shown_url(std::string_view url);

}  // namespace shardgate
