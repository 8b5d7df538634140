// SPDX-License-Identifier: Apache-2.0
// An event's place in the queue, and the lane it waits in. Nodes are pooled and linked, so that the
// steady state allocates nothing but the events themselves. Owner: delivery.
#pragma once

#include <boost/intrusive/list.hpp>
#include <boost/intrusive/unordered_set.hpp>
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

struct lane;
struct entry;
struct shard_order;

// Unlinks itself when it is destroyed or told to; for lists whose length nobody asks.
using loose_link = intrusive::link_mode<intrusive::auto_unlink>;

// Where the only copy of an event is, and where it is to go.
enum class on_disk : std::uint8_t {
    no,       // in memory alone, and young
    wanted,   // goes into the next batch
    writing,  // in the batch that is under way
    stored,   // durable
};

// An event that a crash would lose: Discord must be able to replay it. Linked in its shard's list,
// in order of seq, until the event is settled or durable.
struct unsafe_mark {
    intrusive::list_member_hook<loose_link> in_shard;
    seq_no seq{};
    entry* of = nullptr;   // null: a dead letter on its way to the disk
    bool writing = false;  // durable when the batch under way is
};

// Three lines of the CPU's cache, and never four.
struct alignas(64) entry {
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
    bool stays = false;         // in memory: tried by this process, or others wait for it

    // The spool (delivery_spool.cpp).
    std::uint64_t position = 0;  // arrival order over all lanes
    intrusive::list_member_hook<loose_link> due;
    unsafe_mark mark;
    on_disk disk = on_disk::no;
    bool spilled = false;  // not in its lane's queue: on its way to the spool alone
};

using due_list =
    intrusive::list<entry, intrusive::member_hook<entry, decltype(entry::due), &entry::due>,
                    intrusive::constant_time_size<false>>;
using mark_list = intrusive::list<
    unsafe_mark,
    intrusive::member_hook<unsafe_mark, decltype(unsafe_mark::in_shard), &unsafe_mark::in_shard>,
    intrusive::constant_time_size<false>>;

// What must be settled before what, within one shard. Events between two fences share an epoch; a
// fence has one of its own, with an odd number. Only the oldest epoch that still holds something
// may be sent. Events in the spool count too.
struct shard_order {
    std::uint64_t first_epoch = 0;  // counts.front() is its number of unsettled events
    std::deque<std::uint64_t> counts{0};

    session_handle session;  // whose events `unsafe` holds
    mark_list unsafe;
    std::uint64_t spilled = 0;  // events of the shard that are in the spool alone
    wall_ms spilled_since{};    // when the first of them came
    bool waived = false;        // rows are missing: nobody knows which fence they stood before
    generation gen{};
    shard_id shard{};
    shard_count shards{};

    [[nodiscard]] std::uint64_t newest() const noexcept { return first_epoch + counts.size() - 1; }
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
struct alignas(64) lane {
    enum class place : std::uint8_t {
        nowhere,  // being moved, or in flight
        ready,    // in its group's ready list
        waiting,  // until `retry_at`: its own backoff, or a batch that may fill up
        fenced,   // its head belongs to a later epoch
    };

    intrusive::unordered_set_member_hook<plain_link> in_index;
    lane_key key;
    intrusive::list_member_hook<plain_link> in_place;
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

    // Behind `queue` come events that are in the spool alone, then those on their way there.
    std::uint64_t readable = 0;      // how many are in the spool alone
    std::uint64_t spilled_from = 0;  // the first one's position, or less
    lane_queue pending;
    bool reading = false;         // some are being read back
    bool awaited = false;         // ... because what is in memory may be waiting for them
    std::uint64_t hungry_at = 0;  // its place among those to be read back; 0 = none

    [[nodiscard]] bool spilled() const noexcept { return readable > 0 || !pending.empty(); }
};

struct key_of_lane {
    using type = lane_key;
    const lane_key& operator()(const lane& l) const noexcept { return l.key; }
};
using lane_index = intrusive::unordered_set<
    lane, intrusive::member_hook<lane, decltype(lane::in_index), &lane::in_index>,
    intrusive::key_of_value<key_of_lane>, intrusive::hash<lane_key_hash>,
    intrusive::equal<std::equal_to<lane_key>>, intrusive::power_2_buckets<true>>;

using lane_list =
    intrusive::list<lane, intrusive::member_hook<lane, decltype(lane::in_place), &lane::in_place>>;

}  // namespace shardgate
