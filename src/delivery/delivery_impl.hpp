// SPDX-License-Identifier: Apache-2.0
// The parts of delivery and what they share. Six .cpp files work on it: delivery.cpp (in and
// out), delivery_outcome.cpp (what became of requests), delivery_interactions.cpp (answers to
// Discord), delivery_spool.cpp (to the disk), delivery_evict.cpp (out of memory),
// delivery_unspool.cpp (and back).
#pragma once

#include <array>
#include <boost/container/small_vector.hpp>
#include <boost/smart_ptr/local_shared_ptr.hpp>
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
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
        boost::local_shared_ptr<handler_url> target;
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
    // False: nothing may be sent now. `out` is empty before.
    [[nodiscard]] bool next(std::size_t group, std::size_t url, time_point now,
                            std::optional<delivery_request>& out);
    void start(lane& l, std::size_t url, time_point now, delivery_request& request);
    void gather(lane& l, flight& f, std::size_t& bytes);
    void fill(const lane& first, flight& f, std::size_t& bytes);
    [[nodiscard]] bool may_share(const lane& l) const noexcept;
    [[nodiscard]] flight& new_flight();
    [[nodiscard]] flight* find_flight(std::uint64_t id) noexcept;
    // Fetch into the cache: the entry, and what it points to.
    static void fetch(const entry& e) noexcept;
    static void fetch_around(const entry& e) noexcept;
    static void foresee_entries(const flight& f, std::size_t first) noexcept;
    [[nodiscard]] handler_url_settings url_settings() const noexcept;
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
    void drop_for_good(snowflake interaction, time_point now);
    void drop_all_for_good(std::vector<snowflake>& these, time_point now);
    void announce(const queued_event& event, interaction_answer how, time_point now, wall_ms wall);

    // the spool, on the way in (delivery_spool.cpp)
    [[nodiscard]] bool known(const dispatch& event);
    void on_arrival(entry& e);
    [[nodiscard]] bool crowded() const noexcept { return books.eighths() >= 7; }
    [[nodiscard]] bool must_spill(const lane& l) const noexcept;
    void spill(lane& l, entry& e);
    void want(entry& e);  // into the next batch, with what it depends on
    void want_alone(entry& e);
    void want_shard(shard_order& of);
    void take_rows(due_list& from, spool_changes& out, std::size_t& bytes);
    void on_row_stored(entry& e);
    // In the spool alone from here on.
    void count_spilled(lane& l, const entry& e);
    void free_row(const entry& e);
    void keep_dead(dead_letter letter, entry& of);
    [[nodiscard]] bool room_in_spool() const noexcept {
        return spooled_bytes < queue.spill_max_bytes;
    }

    // Time to give up what matters least.
    [[nodiscard]] bool spool_crowded() const noexcept {
        return spooled_bytes > queue.spill_max_bytes - queue.spill_max_bytes / 10;
    }

    // out of memory, for the spool has it (delivery_evict.cpp)
    void evict(time_point now);
    [[nodiscard]] std::uint64_t room_before(std::uint64_t position, std::uint64_t events,
                                            time_point now);
    [[nodiscard]] std::vector<lane*> evictable_lanes();
    void evict_newest(std::vector<lane*>& heap, time_point now);
    [[nodiscard]] bool evictable(const lane& l) const noexcept;
    void evict_last(lane& l, time_point now);

    // the spool, on the way back (delivery_unspool.cpp)
    void call_back_pending(lane& l, time_point now);
    void refill(lane& l, time_point now);
    void read_back(lane& l, const spool_row& row, time_point now);
    void welcome_interaction(entry& e, time_point now);
    void drop_when_read(snowflake interaction);
    void give_up(lane& l, const spool_row_info& row, time_point now);
    [[nodiscard]] bool shed_below(std::size_t rank, time_point now);
    void shed_aged(wall_ms before, time_point now);
    void forget_spooled(time_point now, wall_ms wall);
    void relink_marks();

    [[nodiscard]] interaction_answer mark_of(const queued_event& event, time_point now) const;
    void note_answer(snowflake id, interaction_answer how, wall_ms wall);

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
    std::vector<boost::local_shared_ptr<handler_url>> endpoints;  // by URL
    std::vector<flight> flights;                                  // slot = id & slot_mask
    std::vector<std::size_t> free_flights;
    std::uint64_t last_flight = 0;
    std::size_t turn = 0;  // which group is asked first
    std::size_t in_flight = 0;
    std::uint64_t single_lanes = 0;  // ordering "none": each event is its own lane
    std::uint64_t successes = 0;
    bool paused = false;

    std::pmr::unsynchronized_pool_resource interaction_nodes;  // bounded as the queue is
    std::pmr::unordered_map<snowflake, entry*> queued_interactions{&interaction_nodes};

    struct dying {  // a dead letter on its way to the disk
        dead_row row;
        unsafe_mark mark;
    };
    struct known_seqs {
        std::string session;
        std::vector<std::uint64_t> seqs;  // ascending
    };
    bool spooling = false;
    bool batch_out = false;
    bool may_evict = false;  // memory may hold what is on disk too
    std::uint64_t last_position = 0;
    std::uint64_t restored_upto = 0;  // positions of earlier processes
    std::uint64_t last_dead = 0;
    due_list young, wanted, spilling, writing;
    mark_list orphans;                          // of sessions that ended: nothing replays them
    std::vector<std::uint64_t> done, done_out;  // rows to free; of the batch under way
    std::vector<std::unique_ptr<dying>> dying_new, dying_out;
    std::vector<std::uint64_t> dead_done;
    std::vector<interaction_row> answers;
    std::vector<snowflake> drops, drops_out;  // answered for good, once that is on disk
    std::unordered_map<snowflake, interaction_answer> restored_answers;
    std::unordered_set<snowflake> answered_for_good;  // while their events are in the spool
    std::unordered_set<snowflake> dropped_before;     // answered for good by an earlier process
    std::unordered_set<std::uint64_t> given_up;       // rows whose deletion is not on disk yet
    std::unordered_map<std::uint64_t, known_seqs> known_replays;  // by generation and shard
    std::uint64_t spooled = 0, spooled_bytes = 0;                 // in the spool alone, durable
    std::array<std::uint64_t, shed_class_count> spooled_by_class{};
    std::uint64_t stored_too = 0;  // in memory and durable
    std::size_t reads_out = 0;
    bool listing = false;
    bool listing_aged = false;
    bool disk_fails = false;
    std::uint64_t list_after = 0;
    time_point next_age_check{};

    delivery_snapshot counts;  // its counters; gauges are filled in by snapshot()
    histogram lag, request_seconds;
    duration answer_time{0};

    static constexpr std::uint64_t slot_bits = 20, slot_mask = (1U << slot_bits) - 1;
    static constexpr std::size_t batch_bytes = 1U << 20;
    static constexpr std::uint32_t poison_after = 8;
    static constexpr int answers_in_mean = 64;
};

}  // namespace shardgate
