// SPDX-License-Identifier: Apache-2.0
// Everything that is queued: its weight, its age, and what is given up first when it is too much.
// Pure. Owner: delivery.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "delivery/entry.hpp"
#include "shardgate/config/config.hpp"

namespace shardgate {

class backlog {
public:
    explicit backlog(const config::queue& limits);
    // New bounds. `softly`: what is queued beyond them is not given up, they close in as it goes.
    void set_limits(const config::queue& limits, bool softly) noexcept;
    ~backlog();
    backlog(const backlog&) = delete;
    backlog& operator=(const backlog&) = delete;

    [[nodiscard]] entry& add(event_ptr event, bool own, time_point now);
    // Out of all lists and back into the pool. Pre: not in a lane.
    void remove(entry& e);

    // In flight means out of reach for shedding.
    void set_in_flight(entry& e, bool in_flight);

    [[nodiscard]] bool over() const noexcept {
        return events_ > max_events_ || bytes_ > max_bytes_;
    }
    // How many events more may come.
    [[nodiscard]] std::uint64_t room() const noexcept {
        return events_ < max_events_ && bytes_ < max_bytes_ ? max_events_ - events_ : 0;
    }
    // Room again: a tenth below both bounds, and for one more event at least.
    [[nodiscard]] bool relaxed() const noexcept {
        return events_ + std::max<std::uint64_t>(1, max_events_ / 10) <= max_events_ &&
               bytes_ <= max_bytes_ - max_bytes_ / 10;
    }
    // How full memory is, in eighths: 8 is at the bound; below half nobody asks how much, 0.
    [[nodiscard]] unsigned eighths() const noexcept {
        if (events_ < wanted_events_ / 2 && bytes_ < wanted_bytes_ / 2) return 0;  // the usual case
        const auto of = [](std::uint64_t used, std::uint64_t most) {
            return most == 0 ? 8U
                             : static_cast<unsigned>(std::min<std::uint64_t>(used * 8 / most, 8));
        };
        return std::max(of(events_, wanted_events_), of(bytes_, wanted_bytes_));
    }
    // What to give up next: the lowest class first, its oldest or newest by policy. Null: nothing
    // may go.
    [[nodiscard]] entry* victim() noexcept { return victim_below(shed_class_count); }
    // The same, of the classes below that one alone.
    [[nodiscard]] entry* victim_below(std::size_t rank) noexcept;

    // Out of reach for shedding, or back in reach: it is on its way to the disk and nowhere else.
    void set_pinned(entry& e, bool pinned);
    // Everything that is queued, oldest first.
    [[nodiscard]] age_queue& by_age() noexcept { return ages_; }

    [[nodiscard]] std::uint64_t events() const noexcept { return events_; }
    [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
    [[nodiscard]] std::optional<time_point> oldest() const noexcept;

private:
    static constexpr std::size_t pool_kept = 4096;

    void close_in() noexcept {
        max_events_ = std::min(max_events_, std::max(wanted_events_, events_));
        max_bytes_ = std::min(max_bytes_, std::max(wanted_bytes_, bytes_));
    }

    std::uint64_t max_events_, max_bytes_;  // in force; above what is wanted for a while
    std::uint64_t wanted_events_, wanted_bytes_;
    bool newest_first_;
    std::uint64_t events_ = 0, bytes_ = 0;
    std::array<class_queue, shed_class_count> classes_;
    age_queue ages_;
    std::vector<std::unique_ptr<entry>> pool_;
};

}  // namespace shardgate
