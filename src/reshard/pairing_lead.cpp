// SPDX-License-Identifier: Apache-2.0
// Who leads a lane, what expires, and when a lane starts over.
#include <algorithm>

#include "reshard/pairing_impl.hpp"

namespace shardgate {

namespace {

constexpr int looks_at_once = 4000;  // then the loop has its turn
constexpr int guess_after = 8;       // overlaps without proof
constexpr int remembered = 3;        // overlaps, in a lane that is not aligned

}  // namespace

void pairing::impl::pass(lane& l, shard_set to) {
    --led[at(l.leader)];
    l.leader = to;
    ++led[at(to)];
    for (record& r : l.of(to)) {
        if (r.sent) continue;
        if (r.open) sessions[at(to)][r.shard.value].marks.done(r.seq);
        if (!r.held) {  // let go
            counts.expired += r.open ? 1U : 0U;
            continue;
        }
        r.open = false;
        ++counts.released;
        released.push_back({to, r.held, r.id});
        let_go(r);
        r.sent = true;
        ++sent_records[at(to)];
    }
    std::erase_if(l.of(to), [&](const record& r) {
        if (r.sent) return false;
        --counts.records;
        return true;
    });
}

// A lane that is aligned stays so while a session reconnects; only the one that is to lead must be
// there.
void pairing::impl::try_pass(lane& l) {
    if (l.leader == wanted || !l.aligned) return;
    if (session_for(l, wanted).live) pass(l, wanted);
}

bool pairing::impl::any_sent(lane& l, shard_set s) {
    return std::any_of(l.of(s).begin(), l.of(s).end(), [](const record& r) { return r.sent; });
}

// The set's session is over, or the set: what the other one holds must go on before the records are
// forgotten.
void pairing::impl::leave(lane& l, shard_set set, time_point now) {
    if (!l.aligned && (l.leader == set || any_sent(l, set))) guess(l, now);
    if (l.leader == set && !ended[at(other(set))]) pass(l, other(set));
    start_over(l, set, now);
}

// `without` shows nothing of before now any more, or it is not remembered. Pre: it does not lead,
// and is aligned if it ever did.
void pairing::impl::start_over(lane& l, shard_set without, time_point now) {
    ++counts.started_over;
    for (record& r : l.of(without)) {
        if (r.sent) {  // the other set has yet to show it
            ++counts.records;
            ++sent_records[at(without)];
            l.ghosts[at(without)].push_back(r);
        }
        if (!r.open) continue;
        sessions[at(without)][r.shard.value].marks.done(r.seq);
        ++counts.forgotten;
    }
    for (const shard_set s : {shard_set::old_set, shard_set::new_set})
        while (!l.of(s).empty())
            erase(l, s, l.of(s).size() - 1);
    records& hopeless = l.ghosts[at(other(without))];
    while (!hopeless.empty())
        erase(hopeless, other(without), hopeless.size() - 1);
    if (l.aligned) ++counts.unaligned;
    l.aligned = false;
    l.since = now;
}

void pairing::impl::expire_ghosts(lane& l, time_point now) {
    for (const shard_set s : {shard_set::old_set, shard_set::new_set}) {
        const session& them = session_for(l, other(s));
        records& all = l.ghosts[at(s)];
        while (!all.empty() && them.live &&
               later(std::max(all.front().at, them.live_since), settings.overlap) <= now)
            erase(all, s, 0);
    }
}

void pairing::impl::expire(lane& l, time_point now) {
    const time_point joint = joint_since(l);
    if (joint == never) return;
    // A twin comes within an overlap of the time from which both are live.
    const duration keep = l.aligned ? settings.overlap : settings.overlap * remembered;
    for (const shard_set s : {shard_set::old_set, shard_set::new_set}) {
        records& all = l.of(s);
        for (std::size_t i = 0; i < all.size();) {
            record& r = all[i];
            const time_point from = std::max(r.at, joint);
            if (!r.sent && later(from, settings.overlap) <= now) {
                if (!l.aligned) meet_unknown(l, r, s);
                if (r.open) {
                    sessions[at(s)][r.shard.value].marks.done(r.seq);
                    ++counts.expired;
                }
                r.open = false;
                let_go(r);
            }
            if (later(from, keep) <= now)
                erase(l, s, i);
            else
                ++i;
        }
    }
}

bool pairing::impl::look_at(lane& l, time_point now) {
    expire_ghosts(l, now);
    expire(l, now);
    if (!l.aligned) {
        const time_point joint = joint_since(l);
        if (!align_by_silence(l, now) && !align_by_rare_event(l, now) && joint != never &&
            later(std::max(complete_since(l), joint), settings.overlap * guess_after) <= now)
            guess(l, now);
    }
    try_pass(l);
    // Without records it is as if nothing were known, and a lane that nothing is known of is led
    // by the wanted set.
    return !l.empty() || !l.aligned || l.leader != wanted ||
           !(ended[at(other(wanted))] || acquainted(l, now));
}

void pairing::on_timer(time_point now) {
    impl& p = *impl_;
    for (int n = 0; n < looks_at_once && !p.checks.empty() && p.checks.front().due <= now; ++n) {
        const lane_key key = p.checks.front().key;
        p.checks.pop_front();
        const auto it = p.lanes.find(key);
        if (it == p.lanes.end()) continue;
        if (p.look_at(it->second, now)) {
            p.checks.push_back({later(now, p.settings.overlap / 4), key});
            continue;
        }
        --p.led[impl::at(it->second.leader)];
        p.lanes.erase(it);
    }
}

time_point pairing::deadline() const noexcept {
    return impl_->checks.empty() ? never : impl_->checks.front().due;
}

}  // namespace shardgate
