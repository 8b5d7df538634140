// SPDX-License-Identifier: Apache-2.0
// The parts of pairing and what they share. Three .cpp files work on it: pairing.cpp (events and
// sessions), pairing_align.cpp (which events are copies), pairing_lead.cpp (who leads, what
// expires).
#pragma once

#include <array>
#include <deque>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "reshard/twin_marks.hpp"
#include "shardgate/reshard/pairing.hpp"

namespace shardgate {

struct pairing::impl {
    // An event whose twin has not come; in a lane that is not aligned, any event of late.
    struct record {
        event_identity id;
        time_point at{};
        shard_id shard{};
        seq_no seq{};
        event_ptr held;     // its copy, unless it was sent on or nobody will want it
        bool sent = false;  // went on
        bool open = false;  // held, and its mark waits for what becomes of it
    };
    using records = std::vector<record>;  // in order of coming

    struct lane {
        lane_key key;
        std::array<records, 2> seen;
        // What a session that ended had sent on, and the other set has yet to show.
        std::array<records, 2> ghosts;
        shard_set leader{};
        bool aligned = false;
        time_point since{};  // from here on both lists are complete; see complete_since()

        [[nodiscard]] records& of(shard_set s) noexcept { return seen[at(s)]; }
        [[nodiscard]] bool empty() const noexcept {
            return seen[0].empty() && seen[1].empty() && ghosts[0].empty() && ghosts[1].empty();
        }
    };

    struct session {
        bool known = false;  // it has been told of
        bool live = false;
        bool began = true;  // has been live since it is new
        std::uint32_t number = 0;
        seq_no last{};  // the highest it has shown
        time_point live_since = never;
        time_point started;   // live for the first time; `never` before
        time_point began_at;  // that one has begun, or that the last is gone, was known
        twin_marks marks;
        session(std::size_t limit, time_point now) : started(now), began_at(now), marks(limit) {}
    };

    struct identity_hash {  // half of a good hash is one
        std::size_t operator()(const event_identity& id) const noexcept {
            return static_cast<std::size_t>(id.low ^ id.high);
        }
    };

    struct delay {  // how far the new set's session is behind the old one's; may be negative
        duration behind{0};
        time_point seen{};
    };

    struct check {
        time_point due;
        lane_key key;
    };

    impl(pairing_settings s, time_point now);

    [[nodiscard]] static constexpr std::size_t at(shard_set s) noexcept {
        return static_cast<std::size_t>(s);
    }
    [[nodiscard]] shard_id shard_for(const lane& l, shard_set s) const noexcept {
        return shard_of(l.key, s == shard_set::old_set ? settings.old_total : settings.new_total);
    }
    [[nodiscard]] session& session_for(const lane& l, shard_set s) {
        return sessions[at(s)][shard_for(l, s).value];
    }
    // Both sessions have been live since; `never` when one is not.
    [[nodiscard]] time_point joint_since(const lane& l);
    [[nodiscard]] time_point complete_since(const lane& l);
    [[nodiscard]] std::uint64_t pair_of(const lane& l) const noexcept;
    // Both sessions were live for an overlap on end: what either showed before the other began has
    // been shown by both, so that lanes without records are aligned.
    [[nodiscard]] bool acquainted(const lane& l, time_point now);
    void note_acquainted(shard_set set, shard_id shard, time_point now);
    void forget_acquainted(shard_set set, shard_id shard);
    [[nodiscard]] static std::uint64_t pair_of(shard_set set, shard_id one, shard_id other);

    // events and sessions (pairing.cpp)
    [[nodiscard]] lane& lane_for(const lane_key& key, time_point now);
    pair_verdict on_event(lane& l, const paired_event& e, const keeper& keep, time_point now);
    record& remember(lane& l, const paired_event& e, bool sent, time_point now);
    void erase(lane& l, shard_set of, std::size_t index);
    void erase(records& all, shard_set of, std::size_t index);
    [[nodiscard]] bool is_ghost_twin(lane& l, const paired_event& e);
    void let_go(record& r);
    void keep_bounds(lane& l, time_point now);
    [[nodiscard]] static bool any_sent(lane& l, shard_set s);

    // what are copies (pairing_align.cpp)
    void note_delay(const lane& l, shard_set from, time_point theirs, time_point now);
    // Two records are twins for certain, or are taken for such: everything before them is settled,
    // everything behind them pairs in order.
    void align(lane& l, std::size_t in_old, std::size_t in_new);
    void align_empty(lane& l);
    void pair_all(lane& l);
    // Nothing came for an overlap while both were live.
    bool align_by_silence(lane& l, time_point now);
    bool try_align(lane& l, time_point now);
    [[nodiscard]] bool align_by_rare_event(lane& l, time_point now);
    [[nodiscard]] std::optional<double> misfit(const lane& l, std::ptrdiff_t shift,
                                               const delay* known) const;
    void guess(lane& l, time_point now);
    void meet(record& ours, shard_set set, const record& theirs);
    void meet_unknown(const lane& l, record& ours, shard_set set);

    // who leads (pairing_lead.cpp)
    void pass(lane& l, shard_set to);
    void try_pass(lane& l);
    void expire(lane& l, time_point now);
    void leave(lane& l, shard_set set, time_point now);
    void start_over(lane& l, shard_set without, time_point now);
    void expire_ghosts(lane& l, time_point now);
    [[nodiscard]] bool look_at(lane& l, time_point now);  // false: nothing is left of it

    pairing_settings settings;
    time_point started;
    shard_set wanted = shard_set::old_set;
    std::array<bool, 2> ended{};
    std::array<std::vector<session>, 2> sessions;
    std::unordered_map<lane_key, lane, lane_key_hash> lanes;
    std::deque<check> checks;  // in order of `due`; one a lane
    std::unordered_map<std::uint64_t, delay> delays;
    std::unordered_set<std::uint64_t> acquaintances;
    std::vector<released_event> released;
    pairing_stats counts;
    std::array<std::size_t, 2> sent_records{};
    std::array<std::size_t, 2> led{};
};

}  // namespace shardgate
