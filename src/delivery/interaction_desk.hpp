// SPDX-License-Identifier: Apache-2.0
// Sees to it that every interaction is answered at Discord within its three seconds, by the handler
// or in its stead, and remembers how (Discord docs, Receiving and Responding to Interactions).
// Pure: the REST client posts the callbacks. Owner: delivery. Every call is O(log n).
// Not before the deadline, never two callbacks for one id unless the first was certainly not sent,
// never after the three seconds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "delivery/clock_offset.hpp"
#include "delivery/interaction_reply.hpp"
#include "shardgate/base/ids.hpp"
#include "shardgate/base/time.hpp"
#include "shardgate/config/config.hpp"
#include "shardgate/delivery/delivery.hpp"
#include "shardgate/delivery/event.hpp"

namespace shardgate {

struct interaction_limits {
    std::size_t tracked = 100'000;          // beyond it nobody answers in the handler's stead
    std::size_t remembered = 10'000;        // of these, done with: only to know a duplicate
    std::size_t under_way = 128;            // callbacks at once
    std::size_t token_bytes = 16ULL << 20;  // of interactions that have left the queue unanswered
};

// Each tracked interaction ends in exactly one of the outcomes.
struct interaction_counters {
    std::uint64_t tracked = 0;
    std::uint64_t duplicates = 0;  // the same id again
    std::uint64_t untracked = 0;   // no room, or no id
    // outcomes
    std::uint64_t taken = 0;         // by the handler, in time
    std::uint64_t deferred = 0;      // types 5 and 6
    std::uint64_t messaged = 0;      // type 4
    std::uint64_t no_choices = 0;    // type 8
    std::uint64_t already = 0;       // somebody else had answered
    std::uint64_t too_late = 0;      // so Discord said
    std::uint64_t failed = 0;        // refused, not sent in time, or its fate is not known
    std::uint64_t expired = 0;       // three seconds passed and nobody tried
    std::uint64_t unknown_type = 0;  // not taken in time, and no answer to it is known
    std::uint64_t no_token = 0;      // not taken in time, and its token is none
};

class interaction_desk {
public:
    explicit interaction_desk(const config::interactions& settings, interaction_limits limits = {});

    // Other answers from now on; the deadlines of those that are here stay.
    void set_rules(const config::interactions& settings) {
        settings_ = settings;
        replies_ = interaction_replies(settings);
    }

    // Discord's time, learnt from any event whose id was made just before it was sent:
    // MESSAGE_CREATE. Interactions are observed by track().
    void observe(snowflake id, time_point received, wall_ms received_wall);

    // An INTERACTION_CREATE was queued. False: its id is known already, so it has its deadline and
    // its answer. The copies of an id count as one interaction; each must be told of by
    // on_accepted() or forget() once.
    bool track(const queued_event& event, time_point now);

    struct told {
        bool now = false;  // queue SHARDGATE_INTERACTION with `how`
        interaction_answer how = interaction_answer::none;
    };
    // The handler accepted it. `carried_mark`: the request said how it was answered. While a
    // callback is under way that question is left to on_callback().
    told on_accepted(snowflake id, bool carried_mark, time_point now);

    // Its event left the queue otherwise (shed, dead letter, dropped). If nobody has answered, it
    // is still answered when its deadline comes.
    void forget(snowflake id);

    // A callback to post. Ask until there is none; on_callback() must follow for each.
    [[nodiscard]] std::optional<interaction_callback> next(time_point now);

    struct verdict {
        bool known = false;                                  // false: nothing is to be done
        interaction_answer mark = interaction_answer::none;  // for later attempts
        bool drop_event = false;  // it was answered for good: take it out of the queue
        bool announce = false;    // accepted meanwhile: queue SHARDGATE_INTERACTION with `mark`
        event_ptr event;  // when announce is set: which interaction, in whose lane; no frame
    };
    verdict on_callback(snowflake id, callback_result how, time_point now);

    // X-Shardgate-Interaction for an attempt that starts at `now`.
    [[nodiscard]] interaction_answer mark_of(const queued_event& event, time_point now) const;

    // Passes time. An answered interaction whose fifteen minutes are over: nobody can act on it any
    // more, take it out of the queue if it is (still) there. Ask until there is none.
    [[nodiscard]] std::optional<snowflake> next_expired(time_point now);

    // When next() or next_expired() has something to do; `never` if not.
    [[nodiscard]] time_point deadline() const noexcept;

    [[nodiscard]] const interaction_counters& counters() const noexcept { return counts_; }
    [[nodiscard]] std::size_t size() const noexcept { return records_.size(); }
    [[nodiscard]] std::size_t under_way() const noexcept { return under_way_; }
    // Sets its interactions_… members.
    void fill(delivery_snapshot& snapshot) const noexcept;

private:
    enum class phase : std::uint8_t {
        due,      // a callback will be posted at `due`
        calling,  // one is under way
        closed    // none will be posted (any more)
    };
    struct record {
        snowflake id{};
        event_ptr event;           // while its token or lane may be needed and it is in the queue,
        std::string orphan_token;  // or this, when it has left the queue
        time_point due{}, expires{}, ends{};
        time_point in_calls = never, in_ends = never, in_spares = never;  // where it stands there
        std::uint32_t type = 0;
        std::uint32_t copies = 1;  // in the queue
        std::uint32_t tries = 0;
        phase at = phase::due;
        interaction_answer answer = interaction_answer::none;
        bool accepted = false;
        bool told = false;     // SHARDGATE_INTERACTION
        bool unsure = false;   // the answer may not have reached Discord
        bool counted = false;  // its outcome
        bool over = false;     // the three seconds have been dealt with
    };
    using timetable = std::pmr::set<std::pair<time_point, snowflake>>;
    using outcome = std::uint64_t interaction_counters::*;

    [[nodiscard]] record* find(snowflake id);
    [[nodiscard]] const record* find(snowflake id) const;
    [[nodiscard]] bool make_room();
    void count(record& r, outcome what);
    void release(record& r);
    void end(record& r);
    void place(record& r);
    void erase(record& r);
    void orphan(record& r);
    [[nodiscard]] std::optional<interaction_callback> start(record& r, time_point now);
    void retry_or_give_up(record& r, time_point now);
    void three_seconds_passed(record& r);
    void on_answered(record& r);
    [[nodiscard]] verdict judge(record& r, bool ours);

    config::interactions settings_;
    interaction_limits limits_;
    interaction_replies replies_;
    clock_offset clock_;
    // What the tables' nodes are made of: as much as there ever was at a time, which is bounded.
    std::pmr::unsynchronized_pool_resource nodes_;
    std::pmr::unordered_map<snowflake, record> records_{&nodes_};
    timetable calls_{&nodes_};   // by due
    timetable ends_{&nodes_};    // by the end of the three seconds, later of the fifteen minutes
    timetable spares_{&nodes_};  // may be given up for room, the oldest first
    std::size_t under_way_ = 0;
    std::size_t orphan_bytes_ = 0;
    interaction_counters counts_;
};

}  // namespace shardgate
