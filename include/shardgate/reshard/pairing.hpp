// SPDX-License-Identifier: Apache-2.0
// Two shard sets see every event; the handler shall see it once. Each lane (guild, DM channel, or
// what has neither) has a leader, the set whose events go on; the other set's are held until their
// twins come. Once a lane is aligned, so that copies are told from events that merely look alike,
// its lead can pass from one set to the other at any moment: what the new leader is ahead goes on
// at once, what it is behind is dropped when it comes. Pure; owner: fleet. Rules:
// docs/resharding.md.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "shardgate/base/ids.hpp"
#include "shardgate/base/time.hpp"
#include "shardgate/delivery/event.hpp"
#include "shardgate/delivery/lane_key.hpp"
#include "shardgate/reshard/identity.hpp"

namespace shardgate {

enum class shard_set : std::uint8_t { old_set, new_set };
[[nodiscard]] constexpr shard_set other(shard_set s) noexcept {
    return s == shard_set::old_set ? shard_set::new_set : shard_set::old_set;
}

struct pairing_settings {
    shard_count old_total{1}, new_total{1};
    // How far the sets may be apart: a twin that has not come for so long, while both sessions were
    // live, will not come. Pre: > 0.
    duration overlap = std::chrono::seconds(10);
    // Records kept at most, and bytes of held events. At the bound the set that does not lead
    // starts over: its records of the fullest lanes are dropped.
    std::size_t records = 2'000'000;
    std::size_t held_bytes = 256U << 20;
    // Marks kept at most, a session; beyond it the oldest goes, as if its twin were safe. 0 without
    // a state directory: nobody would ask.
    std::size_t marks = 65536;
};

// What becomes of an event.
enum class pair_verdict : std::uint8_t {
    forward,  // goes on, now
    hold,     // kept: its twin may still come, or its set may take the lead
    drop,     // its twin has gone on
};

// Where the event came from and what it is.
struct paired_event {
    shard_set from{};
    shard_id shard{};
    seq_no seq{};
    lane_key lane;  // kind guild, channel, or shard with id 0 for what has neither
    event_identity id;
};

struct pairing_stats {
    std::uint64_t forwarded = 0;  // by the set that leads its lane, as they came
    std::uint64_t dropped = 0;    // copies
    std::uint64_t held = 0;       // ever
    std::uint64_t met = 0;        // held, and their twins have gone on
    std::uint64_t released = 0;   // held and sent on: their set took the lead
    std::uint64_t expired = 0;    // held, and the leader never showed them: not sent on
    std::uint64_t forgotten =
        0;  // held by a session that ended, or at a bound: the leader shows them
    std::uint64_t guessed = 0;                           // lanes aligned without proof
    std::uint64_t started_over = 0;                      // lanes, at a bound or after a new session
    std::size_t records = 0, held_bytes = 0, lanes = 0;  // now
    std::size_t led_by_old = 0, led_by_new = 0;          // lanes with records, now
    std::size_t unaligned = 0;                           // lanes, now
    std::size_t owed_to_old = 0;  // sent on by the new set, their old twins still to come
    std::size_t owed_to_new = 0;  // and the other way round
};

class pairing {
public:
    // Records from `now` on. Every session is an old one and not live until it is told to be.
    pairing(pairing_settings settings, time_point now);
    ~pairing();

    // An event. With `hold` the caller's `keep` is asked for the copy that is kept.
    using keeper = std::function<event_ptr()>;
    [[nodiscard]] pair_verdict on_event(const paired_event& event, const keeper& keep,
                                        time_point now);
    // Held events to send on now, in order within their lanes; behind the event of the call they
    // follow from, if that goes on. Ask after every other call.
    struct released_event {
        shard_set from{};
        event_ptr event;
        event_identity id;
    };
    [[nodiscard]] std::vector<released_event> take_released();

    // The session is connected and has had its replay; or not any more.
    void on_live(shard_set set, shard_id shard, bool live, time_point now);
    // A session began, or the old one is known to be gone: what it missed it will never show. Comes
    // before the session's first event. Not live until on_live().
    void on_new_session(shard_set set, shard_id shard, time_point now);

    // Which set is to lead; at first the old one. Lanes follow when they are aligned and the
    // session that is to lead is live.
    void prefer(shard_set set, time_point now);
    [[nodiscard]] shard_set preferred() const noexcept;
    // Every lane is led by the preferred set, and the other owes no twin of what the other sent.
    [[nodiscard]] bool settled() const noexcept;
    // Every two sessions that share guilds have been live together for an overlap on end: what
    // happened before one of them began, which the other alone shows, has been shown. Not needed
    // where the one of the set that is to go began an overlap after the one that stays.
    [[nodiscard]] bool acquainted(time_point now) const;

    // This set ends: nothing of it is waited for any more, and its events go nowhere.
    void forget(shard_set set, time_point now);

    void on_timer(time_point now);
    [[nodiscard]] time_point deadline() const noexcept;

    // ---- marks: an event that was held or dropped is safe only when its twin is -----------------
    // The lowest seq of this session that is not safe because of its twin; nothing: none.
    // `first_unsafe` answers, for a shard of the other set, the lowest seq that was sent on and is
    // neither settled nor durable.
    using unsafe_query = std::function<std::optional<seq_no>(shard_set, shard_id)>;
    [[nodiscard]] std::optional<seq_no> first_unsafe(shard_set set, shard_id shard,
                                                     const unsafe_query& first_unsafe);

    [[nodiscard]] pairing_stats stats() const noexcept;

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

// The shard of a set of `total` that a lane's events come to (Discord docs, Gateway, Sharding; what
// has no guild comes to shard 0).
[[nodiscard]] shard_id shard_of(const lane_key& lane, shard_count total) noexcept;

}  // namespace shardgate
