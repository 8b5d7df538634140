// SPDX-License-Identifier: Apache-2.0
// An event's place in the queue, and the lane it waits in. Nodes are pooled and linked, so that the
// steady state allocates nothing but the events themselves. Owner: delivery.
#pragma once

#include <boost/intrusive/list.hpp>
#include <cstdint>
#include <deque>

#include "shardgate/base/ids.hpp"
#include "shardgate/base/time.hpp"
#include "shardgate/delivery/event.hpp"
#include "shardgate/delivery/lane_key.hpp"
#include "shardgate/protocol/event_name.hpp"

namespace shardgate {

namespace intrusive = boost::intrusive;
using plain_link = intrusive::link_mode<intrusive::safe_link>;

struct lane;

// What must be settled before what, within one shard. Events between two fences share an epoch; a
// fence has one of its own. Only the oldest epoch that still holds something may be sent.
struct shard_order {
    std::uint64_t first_epoch = 0;  // counts.front() is its number of unsettled events
    std::deque<std::uint64_t> counts{0};

    [[nodiscard]] std::uint64_t newest() const noexcept { return first_epoch + counts.size() - 1; }
};

struct entry {
    intrusive::list_member_hook<plain_link> in_lane, in_class, by_age;
    event_ptr event;
    lane* where = nullptr;
    shard_order* order = nullptr;
    std::uint64_t epoch = 0;
    time_point queued{};
    std::uint32_t attempts = 0;
    std::uint32_t status_failures = 0;      // while other lanes succeeded
    std::uint64_t successes_elsewhere = 0;  // as counted at its last failure
    shed_class rank = shed_class::other;
    bool own = false;  // the daemon's own: never shed
    bool in_flight = false;
    bool tells_gap = false;     // a SHARDGATE_GAP for a run of shed events
    bool drop_if_away = false;  // answered for the handler: of no use to a later attempt
};

using lane_queue =
    intrusive::list<entry,
                    intrusive::member_hook<entry, decltype(entry::in_lane), &entry::in_lane>>;
using class_queue =
    intrusive::list<entry,
                    intrusive::member_hook<entry, decltype(entry::in_class), &entry::in_class>>;
using age_queue =
    intrusive::list<entry, intrusive::member_hook<entry, decltype(entry::by_age), &entry::by_age>>;

// A FIFO with one request in flight. Exists only while it holds something.
struct lane {
    enum class place : std::uint8_t {
        nowhere,  // being moved, or in flight
        ready,    // in its group's ready list
        waiting,  // until `retry_at`: its own backoff, or a batch that may fill up
        fenced,   // its head belongs to a later epoch
    };

    intrusive::list_member_hook<plain_link> in_place;
    lane_key key;
    std::uint64_t serial = 0;  // never used twice
    lane_queue queue;
    place at = place::nowhere;
    std::size_t group = 0;
    bool urgent = false;  // in the ready list for interactions
    bool in_flight = false;
    std::uint32_t failures = 0;  // consecutive
    bool told_when = false;      // the last one came with a Retry-After
    std::uint32_t singles = 0;   // so many of the next events go one by one
    std::uint32_t fixed_batch =
        0;  // the next request takes exactly these: a batch is retried as it was
    time_point retry_at{};
};

using lane_list =
    intrusive::list<lane, intrusive::member_hook<lane, decltype(lane::in_place), &lane::in_place>>;

}  // namespace shardgate
