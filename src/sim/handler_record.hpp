// SPDX-License-Identifier: Apache-2.0
// What the event handler has seen: counters, the last events, the daemon's own events, and how many
// requests were in flight as each began. Pure; bounded.
#pragma once

#include <array>
#include <boost/json/object.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "shardgate/base/time.hpp"
#include "sim/gap_book.hpp"
#include "sim/handler_body.hpp"

namespace shardgate::sim {

struct handler_counts {
    std::uint64_t requests = 0, events = 0, batches = 0, connections = 0, accepted = 0;
    std::uint64_t unauthorized = 0, bad_signature = 0, malformed = 0, broken = 0;
    std::uint64_t hung = 0, dropped = 0;  // by rule
};

class handler_record {
public:
    static constexpr std::size_t in_flight_kept = 4096;
    static constexpr std::size_t problems_kept = 20;

    handler_record(std::size_t log_capacity, std::size_t own_capacity)
        : log_(log_capacity), own_capacity_(own_capacity) {}

    handler_counts counts;

    void request_began(time_point now);
    void request_ended() noexcept { --in_flight_; }
    void arm(time_point now);
    void answered(unsigned status) { ++by_status_[status]; }
    // An event that was accepted.
    void accepted(const posted_event& event, time_point now);
    void problem(std::string what);

    [[nodiscard]] const gap_book& gaps() const noexcept { return gaps_; }
    [[nodiscard]] boost::json::object report(bool with_events, std::size_t connections_open) const;

private:
    struct line {
        std::uint64_t n = 0;
        std::uint32_t attempt = 0;
        std::string name, key, shard, guild, interaction;
        time_point when{};
    };
    struct own_event {
        std::string name, key, text;
        std::uint32_t attempt = 0;
    };
    struct beginning {
        std::uint32_t in_flight = 0;
        time_point when{};
    };

    void keep_own(const posted_event& event);
    [[nodiscard]] boost::json::array log_json() const;
    [[nodiscard]] boost::json::array own_json() const;
    [[nodiscard]] boost::json::array in_flight_json() const;

    std::uint64_t in_flight_ = 0, in_flight_max_ = 0, armed_max_ = 0;
    bool armed_ = true;
    time_point armed_at_{};
    std::vector<beginning> beginnings_;
    std::map<unsigned, std::uint64_t> by_status_;
    std::vector<line> log_;  // a ring
    std::uint64_t logged_ = 0;
    std::vector<own_event> own_;
    std::size_t own_capacity_;
    std::uint64_t own_dropped_ = 0;
    gap_book gaps_;
    std::vector<std::string> problems_;
};

}  // namespace shardgate::sim
