// SPDX-License-Identifier: Apache-2.0
// Which events of two lists are copies of one another, and how that becomes certain. Both sets show
// a lane's events in the same order, so one pair that is certain aligns everything behind it.
#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <unordered_map>

#include "reshard/pairing_impl.hpp"

namespace shardgate {

namespace {

constexpr std::ptrdiff_t guess_shift = 500;  // records that one set may be ahead of the other

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

// Its twin went on, but it is not known which that was: none after what was shown last.
void pairing::impl::meet_unknown(const lane& l, record& ours, shard_set set) {
    if (!ours.open) return;
    ours.open = false;
    ++counts.met;
    const session& them = session_for(l, other(set));
    sessions[at(set)][ours.shard.value].marks.met(ours.seq, shard_for(l, other(set)), them.last,
                                                  them.number);
}

void pairing::impl::align(lane& l, std::size_t in_old, std::size_t in_new) {
    const std::array<std::size_t, 2> before{in_old, in_new};
    for (const shard_set s : {shard_set::old_set, shard_set::new_set}) {
        // In order: the other set is past everything before the pair.
        for (std::size_t n = before[at(s)]; n > 0; --n) {
            record& r = l.of(s).front();
            meet_unknown(l, r, s);
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

bool pairing::impl::align_by_silence(lane& l, time_point now) {
    const auto silent = [&](const records& r) {
        return r.empty() || later(r.back().at, settings.overlap) <= now;
    };
    const time_point whole = std::max(joint_since(l), complete_since(l));
    if (later(whole, settings.overlap) > now || !silent(l.seen[0]) || !silent(l.seen[1]))
        return false;
    align_empty(l);
    return true;
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
        // Were they not twins, one of them at least had another, which would have come by now.
        const bool whole = later(std::max({a, b, joint}), settings.overlap) <= now;
        if (whole && (!best || t.index[0] > best->index[0])) best = t;
    }
    if (!best) return false;
    align(l, best->index[0], best->index[1]);
    return true;
}

// How badly the lists fit when each old record is taken for the new one `shift` places on: by how
// much the delay between the sets jumps from pair to pair. Nothing: they are not the same events.
std::optional<double> pairing::impl::misfit(const lane& l, std::ptrdiff_t shift,
                                            const delay* known) const {
    using seconds = std::chrono::duration<double>;
    const records &olds = l.seen[0], &news = l.seen[1];
    const auto first = std::max<std::ptrdiff_t>(0, -shift);
    const auto end = std::min(std::ssize(olds), std::ssize(news) - shift);
    double jumps = 0;
    seconds before{0};
    for (auto i = first; i < end; ++i) {
        const record& a = olds[static_cast<std::size_t>(i)];
        const record& b = news[static_cast<std::size_t>(i + shift)];
        if (!(a.id == b.id)) return std::nullopt;
        const seconds apart = b.at - a.at;
        if (i > first) jumps += std::abs((apart - before).count());
        before = apart;
    }
    if (first >= end) return std::nullopt;
    if (known != nullptr) jumps += std::abs((before - known->behind).count());
    // A few pairs fit by chance.
    return (jumps + 1) / static_cast<double>(end - first);
}

void pairing::impl::guess(lane& l, time_point) {
    ++counts.guessed;
    const auto known = delays.find(pair_of(l));
    const delay* const of_others = known == delays.end() ? nullptr : &known->second;
    std::optional<std::ptrdiff_t> best;
    double least = std::numeric_limits<double>::infinity();
    const auto most = std::min<std::ptrdiff_t>(guess_shift, std::ssize(l.seen[1]) - 1);
    for (auto shift = -std::min<std::ptrdiff_t>(guess_shift, std::ssize(l.seen[0]) - 1);
         shift <= most; ++shift) {
        const auto off = misfit(l, shift, of_others);
        if (!off || *off >= least) continue;
        least = *off;
        best = shift;
    }
    if (best) {
        const auto in_old = std::min(std::ssize(l.seen[0]), std::ssize(l.seen[1]) - *best) - 1;
        return align(l, static_cast<std::size_t>(in_old), static_cast<std::size_t>(in_old + *best));
    }
    pair_all(l);
    l.aligned = true;
    --counts.unaligned;
}

}  // namespace shardgate
