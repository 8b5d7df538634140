// SPDX-License-Identifier: Apache-2.0
// Which events of two lists are copies of one another, and how that becomes certain. Both sets show
// a lane's events in the same order, so one pair that is certain aligns everything behind it.
#include <algorithm>
#include <unordered_map>

#include "reshard/pairing_impl.hpp"

namespace shardgate {

namespace {

// How far a session's delay may drift between two looks at it.
constexpr duration drift = std::chrono::milliseconds(400);

}  // namespace

void pairing::impl::note_delay(const lane& l, shard_set from, time_point theirs, time_point now) {
    const duration apart = now - theirs;
    delays[pair_of(l)] = {from == shard_set::new_set ? apart : -apart, now};
}

// `ours` of `set` is held (or was let go); its twin went on.
void pairing::impl::meet(record& ours, shard_set set, const record& theirs) {
    if (!ours.open) return;
    ours.open = false;
    ++counts.met;
    sessions[at(set)][ours.shard.value].marks.met(
        ours.seq, theirs.shard, theirs.seq, sessions[at(other(set))][theirs.shard.value].number);
}

void pairing::impl::align(lane& l, std::size_t in_old, std::size_t in_new) {
    const std::array<std::size_t, 2> before{in_old, in_new};
    for (const shard_set s : {shard_set::old_set, shard_set::new_set}) {
        // In order: the other set is past everything before the pair.
        for (std::size_t n = before[at(s)]; n > 0; --n) {
            record& r = l.of(s).front();
            if (r.open) {
                sessions[at(s)][r.shard.value].marks.done(r.seq);
                ++counts.met;
            }
            erase(l, s, 0);
        }
    }
    pair_all(l);
    l.aligned = true;
    --counts.unaligned;
}

void pairing::impl::align_empty(lane& l) {
    align(l, l.seen[0].size(), l.seen[1].size());
}

void pairing::impl::pair_all(lane& l) {
    const shard_set follower = other(l.leader);
    for (std::size_t i = 0; i < l.of(follower).size();) {
        records& theirs = l.of(l.leader);
        record& ours = l.of(follower)[i];
        const auto twin = std::find_if(theirs.begin(), theirs.end(),
                                       [&](const record& r) { return r.id == ours.id; });
        // A follower's record that went on was its leader's once: its twin is dropped by rights.
        if (twin == theirs.end()) {
            ++i;
            continue;
        }
        meet(ours, follower, *twin);
        erase(l, l.leader, static_cast<std::size_t>(twin - theirs.begin()));
        erase(l, follower, i);
    }
}

bool pairing::impl::try_align(lane& l, time_point now) {
    // The event that just came, if no other can be like it.
    for (const shard_set s : {shard_set::old_set, shard_set::new_set}) {
        records& ours = l.of(s);
        if (ours.empty() || ours.back().at != now || !ours.back().id.unique) continue;
        records& theirs = l.of(other(s));
        for (std::size_t i = theirs.size(); i-- > 0;) {
            if (!(theirs[i].id == ours.back().id)) continue;
            note_delay(l, s, theirs[i].at, now);
            const std::size_t last = ours.size() - 1;
            if (s == shard_set::old_set)
                align(l, last, i);
            else
                align(l, i, last);
            return true;
        }
    }
    return false;
}

bool pairing::impl::align_by_rare_event(lane& l, time_point now) {
    struct tally {
        std::array<std::uint32_t, 2> count{};
        std::array<std::size_t, 2> index{};
    };
    const time_point joint = joint_since(l);
    if (joint == never) return false;
    std::unordered_map<event_identity, tally, identity_hash> seen;
    for (std::size_t s = 0; s < 2; ++s)
        for (std::size_t i = 0; i < l.seen[s].size(); ++i) {
            tally& t = seen[l.seen[s][i].id];
            ++t.count[s];
            t.index[s] = i;
        }
    // The newest leaves the least to be paired.
    std::optional<tally> best;
    for (const auto& [id, t] : seen) {
        if (t.count[0] != 1 || t.count[1] != 1) continue;
        const time_point a = l.seen[0][t.index[0]].at, b = l.seen[1][t.index[1]].at;
        const auto [first, last] = std::minmax(a, b);
        // Every event that could be its twin is in the lists.
        const bool whole = later(complete_since(l), settings.overlap) <= first && joint <= first &&
                           last - first <= settings.overlap && later(last, settings.overlap) <= now;
        if (whole && (!best || t.index[0] > best->index[0])) best = t;
    }
    if (!best) return false;
    align(l, best->index[0], best->index[1]);
    return true;
}

void pairing::impl::guess(lane& l, time_point) {
    ++counts.guessed;
    // Sessions are slow to change how far they are apart: look for the pair that fits the delay.
    const auto known = delays.find(pair_of(l));
    std::optional<std::pair<std::size_t, std::size_t>> best;
    duration least = drift;
    if (known != delays.end()) {
        const records &olds = l.seen[0], &news = l.seen[1];
        for (std::size_t i = olds.size(); i-- > 0;)
            for (std::size_t k = news.size(); k-- > 0;) {
                if (!(olds[i].id == news[k].id)) continue;
                const duration off = (news[k].at - olds[i].at) - known->second.behind;
                const duration by = off < duration{0} ? -off : off;
                if (by >= least) continue;
                least = by;
                best = {i, k};
            }
    }
    if (best) return align(l, best->first, best->second);
    pair_all(l);
    l.aligned = true;
    --counts.unaligned;
}

}  // namespace shardgate
