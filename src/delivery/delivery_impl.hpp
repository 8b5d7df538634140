// SPDX-License-Identifier: Apache-2.0
// The parts of delivery and what they share. Three .cpp files work on it: delivery.cpp (in and
// out), delivery_outcome.cpp (what became of requests), delivery_interactions.cpp (answers to
// Discord).
#pragma once

#include <boost/container/small_vector.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "delivery/answer.hpp"
#include "delivery/backlog.hpp"
#include "delivery/dead_letter_box.hpp"
#include "delivery/fences.hpp"
#include "delivery/gap_tracker.hpp"
#include "delivery/handler_url.hpp"
#include "delivery/interaction_desk.hpp"
#include "delivery/lanes.hpp"
#include "shardgate/delivery/delivery.hpp"
#include "shardgate/delivery/own_events.hpp"

namespace shardgate {

struct delivery::impl {
    // One request under way. With ordering "none" its entries come from several lanes.
    struct flight {
        std::uint64_t id = 0;  // 0 = free
        std::shared_ptr<handler_url> target;
        handler_url::ticket ticket;
        time_point started{};
        boost::container::small_vector<entry*, 1> entries;
        bool marked = false;  // carried an interaction's mark
    };

    impl(const config::handler& h, const config::queue& q, const config::interactions& i,
         std::string_view run_id, random_source& r, delivery_listener* l);

    // in and out (delivery.cpp)
    entry& enqueue(event_ptr event, bool own, bool fence, time_point now);
    [[nodiscard]] lane_key key_of(const queued_event& event);
    [[nodiscard]] std::size_t group_of(const lane& l) const;
    void keep_bounds(time_point now);
    void shed(entry& e, time_point now);
    void tell_gaps(time_point now, wall_ms wall);
    // Out of its lane and the books, with a word to the listener.
    void settle(entry& e, settled_as how, time_point now);
    [[nodiscard]] std::optional<delivery_request> next(std::size_t group, std::size_t url,
                                                       time_point now);
    [[nodiscard]] delivery_request start(lane& l, std::size_t url, time_point now);
    void gather(lane& l, flight& f, std::size_t& bytes);
    [[nodiscard]] flight& new_flight();
    [[nodiscard]] flight* find_flight(std::uint64_t id) noexcept;
    void make_endpoints(const std::vector<std::string>& urls);

    // outcomes (delivery_outcome.cpp)
    void on_accepted(flight& f, time_point now, wall_ms wall);
    void on_refused(flight& f, const delivery_outcome& o, time_point now, wall_ms wall);
    void on_away(flight& f, const delivery_outcome& o, time_point now, wall_ms wall);
    // When the lane itself may try again.
    void hold_back(lane& l, const flight& f, const delivery_outcome& o, time_point now);
    void bury(entry& e, unsigned status, std::string reason, time_point now, wall_ms wall);
    [[nodiscard]] bool poisoned(entry& e, const delivery_outcome& o);
    void note_breaker(const handler_url& target, bool opened, time_point now);
    void land(flight& f);  // entries are no longer in flight; lanes are not placed yet

    // interactions (delivery_interactions.cpp)
    void track_interaction(entry& e, time_point now);
    void interaction_accepted(const entry& e, bool marked, time_point now, wall_ms wall);
    void expire_interactions(time_point now);
    void drop_answered(entry& e, settled_as how, time_point now);
    void announce(const queued_event& event, interaction_answer how, time_point now, wall_ms wall);

    config::handler handler;
    config::queue queue;
    config::interactions interactions;
    random_source& random;
    delivery_listener* listener;
    own_event_factory own_events;

    backlog books;
    fences order;
    lanes waiting;
    gap_tracker gaps;
    dead_letter_box dead;
    interaction_desk desk;
    std::vector<std::shared_ptr<handler_url>> endpoints;  // by URL
    std::vector<flight> flights;                          // slot = id & slot_mask
    std::vector<std::size_t> free_flights;
    std::uint64_t last_flight = 0;
    std::size_t turn = 0;  // which group is asked first
    std::size_t in_flight = 0;
    std::uint64_t single_lanes = 0;  // ordering "none": each event is its own lane
    std::uint64_t successes = 0;
    bool paused = false;

    std::unordered_map<snowflake, entry*> queued_interactions;

    delivery_snapshot counts;  // its counters; gauges are filled in by snapshot()
    histogram lag, request_seconds;

    static constexpr std::uint64_t slot_bits = 20, slot_mask = (1U << slot_bits) - 1;
    static constexpr std::size_t batch_bytes = 1U << 20;
    static constexpr std::uint32_t poison_after = 8;
};

}  // namespace shardgate
