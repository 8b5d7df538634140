// SPDX-License-Identifier: Apache-2.0
// The model's sessions: lags, resets with RESUME and replay, op 9 and what it loses.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "unit/reshard/pairing_model.hpp"

namespace shardgate::testing {

void pairing_model::make_sessions() {
    // The new set has been there for long, or its sessions begin one by one.
    const bool together = chance_.below(2) == 0;
    const std::array<std::uint32_t, 2> counts{settings_.old_total.value, settings_.new_total.value};
    for (const shard_set set : {shard_set::old_set, shard_set::new_set})
        for (std::uint32_t i = 0; i < counts[at(set)]; ++i) {
            session s;
            s.set = set;
            s.shard = i;
            s.lag = chance_.below(5) == 0 ? span(0, 0.01) : span(0, 3);
            s.period = span(5, 30);
            s.turn = chance_.unit();
            if (set == shard_set::old_set || together) {
                s.what = session::phase::up;
                s.number = 1;
                s.seq = chance_.below(100'000);
            }
            sessions_[at(set)].push_back(std::move(s));
        }
}

pairing_model::session& pairing_model::of(shard_set set, std::size_t shard) {
    return sessions_[at(set)].at(shard);
}

const pairing_model::session& pairing_model::of(shard_set set, std::size_t shard) const {
    return sessions_[at(set)].at(shard);
}

duration pairing_model::lag_of(const session& s) const {
    const double turns =
        std::chrono::duration<double>(now_ - start_) / std::chrono::duration<double>(s.period);
    const double share = 0.5 + 0.5 * std::sin(2 * std::numbers::pi * (turns + s.turn));
    return std::chrono::duration_cast<duration>(s.lag * share);
}

// What is due at this moment.
void pairing_model::move(session& s) {
    using phase = session::phase;
    if (s.what != phase::up && now_ >= s.until) come_back(s);
    if (s.what == phase::up && now_ >= s.live_at) {
        s.live_at = never;
        set_live(s, true);
    }
    if (!faults_ || s.what != phase::up || !pairing_) return;
    if (chance_.below(2000) == 0) reset(s);
    if (world_.hopeless && chance_.below(3000) == 0) s.silent_until = now_ + span(2, 40);
}

void pairing_model::set_live(session& s, bool live) {
    for (lane& l : lanes_) {
        if (l.shards[at(s.set)] != s.shard) continue;
        check_proof(l);
        l.quiet_from = pairs_[l.pair].both_live;
        std::fill(l.lone_in_both.begin(), l.lone_in_both.end(), l.quiet_from);
    }
    s.live = live;
    pairing_->on_live(s.set, shard_id{static_cast<std::uint32_t>(s.shard)}, live, now_);
    collect_released();
    if (world_.told && lanes_[*world_.told].shards[at(s.set)] == s.shard)
        tell(*world_.told, name_of(s) + (live ? " is live" : " is not live"));
}

void pairing_model::reset(session& s) {
    ++tally_.resets;
    s.live_at = never;
    s.silent_until = {};
    set_live(s, false);
    s.what = session::phase::down;
    s.until = now_ + (chance_.below(10) < 7 ? span(0.1, 3) : span(3, 20));
    s.doomed = world_.new_sessions && chance_.below(5) < 2 && may_die(s);
    if (!s.doomed) return;
    for (lane& l : lanes_) {
        if (l.shards[at(s.set)] != s.shard) continue;
        if (of(other(s.set), l.shards[at(other(s.set))]).number == 0) continue;
        check_proof(l);
        l.doubtful = l.doubtful || !l.proven;
    }
}

void pairing_model::come_back(session& s) {
    using phase = session::phase;
    if (s.what == phase::unborn) {
        if (may_be_born(s)) start_new_session(s, true);
    } else if (s.what == phase::gone) {
        // Told once, at the op 9 or now, or both times.
        start_new_session(s, chance_.below(3) != 0 || s.live_at == never);
    } else if (s.doomed) {
        s.what = phase::gone;
        s.until = now_ + span(0.1, 5);
        ++tally_.new_sessions;
        const bool told = chance_.below(3) != 0;
        s.live_at = told ? now_ : never;  // only to remember it
        if (told) tell_new_session(s);
        broken(s);
    } else {
        s.what = phase::up;
        if (chance_.below(2) == 0) {
            while (!s.queue.empty()) {
                const std::size_t index = s.queue.front();
                s.queue.pop_front();
                deliver_one(s, index);
            }
        } else {
            deliver(s);
        }
        s.live_at = chance_.below(2) == 0 ? now_ : now_ + span(0, 0.5);
    }
}

void pairing_model::start_new_session(session& s, bool told) {
    s.what = session::phase::up;
    s.doomed = false;
    ++s.number;
    s.seq = 0;
    s.queue.clear();
    s.unsafe.clear();
    s.watched.clear();
    s.live_at = chance_.below(3) == 0 ? now_ : now_ + span(0, 2);
    if (told) tell_new_session(s);
    broken(s);
}

void pairing_model::tell_new_session(session& s) {
    if (world_.told && lanes_[*world_.told].shards[at(s.set)] == s.shard)
        tell(*world_.told, name_of(s) + ": a new session, it is said");
    pairing_->on_new_session(s.set, shard_id{static_cast<std::uint32_t>(s.shard)}, now_);
    collect_released();
}

void pairing_model::broken(session& s) {
    for (pair_clock& p : pairs_)
        if (p.shards[at(s.set)] == s.shard) {
            p.since_break[at(s.set)] = p.on_end = {};
            p.acquainted = false;
        }
    for (lane& l : lanes_) {
        if (l.shards[at(s.set)] != s.shard) continue;
        l.proven = false;
        l.lone_in_both.clear();
        l.quiet_from = l.unproven_from = pairs_[l.pair].both_live;
    }
}

// Never both sides of a lane within three overlaps: then nobody could know.
bool pairing_model::may_die(const session& s) const {
    if (world_.hopeless || retired_) return true;
    const shard_set o = other(s.set);
    return std::all_of(pairs_.begin(), pairs_.end(), [&](const pair_clock& p) {
        if (p.shards[at(s.set)] != s.shard) return true;
        const session& partner = of(o, p.shards[at(o)]);
        return partner.number != 0 && !partner.doomed && p.acquainted &&
               p.since_break[at(o)] >= 3 * settings_.overlap;
    });
}

bool pairing_model::may_be_born(const session& s) const {
    const shard_set o = other(s.set);
    return world_.hopeless || std::none_of(pairs_.begin(), pairs_.end(), [&](const pair_clock& p) {
               return p.shards[at(s.set)] == s.shard && of(o, p.shards[at(o)]).doomed;
           });
}

std::string pairing_model::name_of(const session& s) const {
    return std::string(s.set == shard_set::old_set ? "old " : "new ") + std::to_string(s.shard) +
           "/" + std::to_string(s.number);
}

}  // namespace shardgate::testing
