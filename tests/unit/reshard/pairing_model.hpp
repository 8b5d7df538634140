// SPDX-License-Identifier: Apache-2.0
// A world of guilds that two shard sets see, each session with its own lag and its own misfortunes,
// and a book of what happened, against which what the pairing lets through is held.
// pairing_model.cpp: what happens; pairing_model_sessions.cpp: connections;
// pairing_model_rules.cpp: what must hold.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <set>
#include <string>
#include <vector>

#include "shardgate/base/random.hpp"
#include "shardgate/reshard/pairing.hpp"

namespace shardgate::testing {

using namespace std::chrono_literals;

struct pairing_world {
    std::uint64_t seed = 1;
    // Of the lanes, those in which one content only ever happens, again and again within `overlap`.
    double hard_lanes = 0;
    bool new_sessions = true;  // op 9 on some resets
    // Op 9 on both sides of a lane at once and silence without a reset: nobody could know what
    // happened. Only the books are held then.
    bool hopeless = false;
    std::size_t records = 2'000'000, held_bytes = 256U << 20;
    // The lane whose story is told (story()), by its index.
    std::optional<std::size_t> told;
};

// To be added up over seeds.
struct pairing_tally {
    std::uint64_t happened = 0, copies = 0, released = 0, resets = 0, new_sessions = 0;
    std::uint64_t lanes = 0, hard = 0, doubtful = 0;  // doubtful: without proof when it was needed
    std::uint64_t wrong = 0;                          // hard and doubtful lanes that were not exact
    std::uint64_t lost = 0, doubled = 0;              // events in them
    std::uint64_t guessed = 0, started_over = 0;
    std::size_t most_records = 0, most_held_bytes = 0;

    void add(const pairing_tally& more);
};

class pairing_model {
public:
    explicit pairing_model(const pairing_world& world);
    void run();
    // What broke a rule first, with the seed; empty: nothing did.
    [[nodiscard]] const std::string& fault() const { return fault_; }
    [[nodiscard]] std::optional<std::size_t> wrong_lane() const { return wrong_lane_; }
    [[nodiscard]] const std::string& story() const { return story_; }
    [[nodiscard]] const pairing_tally& tally() const { return tally_; }

private:
    enum class fate : std::uint8_t { none, before, forwarded, held, released, dropped };
    struct copy {
        fate what = fate::none;
        std::uint32_t session = 0;  // the how-manieth of its shard
        std::uint64_t seq = 0;
    };
    struct happening {
        std::size_t lane = 0;
        event_identity id;
        bool lone = false;  // nothing equal happens in the whole run
        time_point when;
        std::array<copy, 2> copies;
        bool gone_on = false;
        shard_set by{};
    };
    struct lane {
        lane_key key;
        double unique = 0, lone = 0;  // shares; the rest are contents that happen again
        bool hard = false;
        std::array<std::size_t, 2> shards{};
        std::size_t pair = 0;
        std::vector<std::size_t> happened, gone_on;
        // Whether the pairing can know, by the rules of pairing.hpp, since the last break.
        bool proven = false, doubtful = false;
        duration quiet_from{}, unproven_from{};
        std::vector<duration> lone_in_both;
    };
    // Sessions that share lanes, and for how long both were live.
    struct pair_clock {
        std::array<std::size_t, 2> shards{};
        duration both_live{};
        std::array<duration, 2> since_break{};  // of the one, of the other
        duration on_end{};                      // without one of them away
        bool acquainted = false;                // were so for an overlap since the last break
    };
    struct session {
        enum class phase : std::uint8_t { unborn, up, down, gone } what = phase::unborn;
        shard_set set{};
        std::size_t shard = 0;
        std::uint32_t number = 0;
        std::uint64_t seq = 0;
        std::deque<std::size_t> queue;  // happened, not delivered
        time_point until = never;       // when the phase ends
        time_point live_at = never;     // when on_live() is due
        time_point silent_until{};      // holds what it has, though it counts as live
        bool doomed = false, live = false;
        duration lag{}, period{};
        double turn = 0;
        std::set<std::uint64_t> unsafe;   // sent on, neither settled nor durable
        std::deque<std::size_t> watched;  // held or dropped, perhaps not safe yet
    };
    struct repeat {
        time_point when;
        std::size_t lane = 0;
        event_identity id;
        bool operator<(const repeat& o) const { return when > o.when; }
    };
    struct settling {
        time_point when;
        session* of = nullptr;
        std::uint32_t number = 0;
        std::uint64_t seq = 0;
        bool operator<(const settling& o) const { return when > o.when; }
    };

    // pairing_model.cpp
    void make_lanes();
    void make_pairs();
    void plan_preferences();
    void step();
    void happen();
    void happens(std::size_t lane_index, const event_identity& id, bool lone);
    void something_in(std::size_t lane_index);
    void deliver(session& s);
    void deliver_one(session& s, std::size_t index);
    void prefer_as_planned();
    void wait_until_settled();
    void retire();
    void drain();
    [[nodiscard]] event_identity new_id(bool unique);

    // pairing_model_sessions.cpp
    void make_sessions();
    void move(session& s);
    void start_new_session(session& s, bool told);
    void reset(session& s);
    void come_back(session& s);
    void set_live(session& s, bool live);
    void tell_new_session(session& s);
    void broken(session& s);
    [[nodiscard]] bool may_die(const session& s) const;
    [[nodiscard]] bool may_be_born(const session& s) const;
    [[nodiscard]] duration lag_of(const session& s) const;
    [[nodiscard]] session& of(shard_set set, std::size_t shard);
    [[nodiscard]] const session& of(shard_set set, std::size_t shard) const;

    // pairing_model_rules.cpp
    void note_proof(lane& l, const happening& h, shard_set by);
    void check_proof(lane& l);
    void goes_on(std::size_t index, shard_set by);
    void collect_released();
    void settle();
    [[nodiscard]] std::optional<seq_no> ask_unsafe(session& s);
    void check_marks(session& s);
    void check_books(bool at_the_end);
    void check_lane(std::size_t index);
    void check_end();
    void fail(const std::string& what);
    void tell(std::size_t lane_index, const std::string& what);
    [[nodiscard]] std::string name_of(const session& s) const;

    [[nodiscard]] static std::size_t at(shard_set s) { return static_cast<std::size_t>(s); }
    [[nodiscard]] double seconds_from(double low, double high);
    [[nodiscard]] duration span(double low, double high);

    pairing_world world_;
    random_source chance_;
    pairing_settings settings_;
    time_point start_{100h}, now_ = start_;
    std::unique_ptr<pairing> pairing_;
    std::vector<lane> lanes_;
    std::vector<double> weights_;  // summed up
    std::vector<pair_clock> pairs_;
    std::array<std::vector<session>, 2> sessions_;
    std::vector<happening> all_;
    std::priority_queue<repeat> repeats_;
    std::priority_queue<settling> settling_;
    std::vector<std::pair<time_point, shard_set>> preferences_;
    shard_set preferred_ = shard_set::old_set;
    std::size_t burst_lane_ = 0;
    time_point burst_until_{};
    double rate_ = 0;
    bool faults_ = true, traffic_ = true, retired_ = false;
    std::uint64_t last_id_ = 0;
    std::uint64_t forwarded_ = 0, dropped_ = 0, held_ = 0;
    std::string fault_, story_;
    std::optional<std::size_t> wrong_lane_;
    pairing_tally tally_;
};

}  // namespace shardgate::testing
