// SPDX-License-Identifier: Apache-2.0
// Events in, verdicts out; sessions that come and go.
#include "shardgate/reshard/pairing.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "reshard/pairing_impl.hpp"

namespace shardgate {

shard_id shard_of(const lane_key& lane, shard_count total) noexcept {
    if (lane.what != lane_key::kind::guild) return shard_id{0};
    return shard_of(snowflake{lane.id}, total);
}

pairing::impl::impl(pairing_settings s, time_point now) : settings(s), started(now) {
    const auto fill = [now, &s](std::vector<session>& all, shard_count total) {
        all.reserve(total.value);
        for (std::uint32_t i = 0; i < total.value; ++i)
            all.emplace_back(s.marks, now);
    };
    fill(sessions[0], settings.old_total);
    fill(sessions[1], settings.new_total);
}

time_point pairing::impl::joint_since(const lane& l) {
    const session& a = session_for(l, shard_set::old_set);
    const session& b = session_for(l, shard_set::new_set);
    return a.live && b.live ? std::max(a.live_since, b.live_since) : never;
}

time_point pairing::impl::complete_since(const lane& l) {
    return std::max({l.since, session_for(l, shard_set::old_set).started,
                     session_for(l, shard_set::new_set).started});
}

std::uint64_t pairing::impl::pair_of(const lane& l) const noexcept {
    return pair_of(shard_set::old_set, shard_for(l, shard_set::old_set),
                   shard_for(l, shard_set::new_set));
}

std::uint64_t pairing::impl::pair_of(shard_set set, shard_id one, shard_id other) {
    if (set == shard_set::new_set) std::swap(one, other);
    return static_cast<std::uint64_t>(one.value) << 32U | other.value;
}

bool pairing::impl::acquainted(const lane& l, time_point now) {
    return later(joint_since(l), settings.overlap) <= now || acquaintances.count(pair_of(l)) != 0;
}

// The session is about to be live no more.
void pairing::impl::note_acquainted(shard_set set, shard_id shard, time_point now) {
    const session& s = sessions[at(set)][shard.value];
    const auto& others = sessions[at(other(set))];
    for (std::uint32_t i = 0; i < others.size(); ++i)
        if (others[i].live &&
            later(std::max(s.live_since, others[i].live_since), settings.overlap) <= now)
            acquaintances.insert(pair_of(set, shard, shard_id{i}));
}

void pairing::impl::forget_acquainted(shard_set set, shard_id shard) {
    for (std::uint32_t i = 0; i < sessions[at(other(set))].size(); ++i)
        acquaintances.erase(pair_of(set, shard, shard_id{i}));
}

// ---- lanes and their records -------------------------------------------------------------------

pairing::impl::lane& pairing::impl::lane_for(const lane_key& key, time_point now) {
    const auto [it, is_new] = lanes.try_emplace(key);
    lane& l = it->second;
    if (!is_new) return l;
    l.key = key;
    // Nothing is remembered of it, so nothing came of late: both lists are complete.
    l.since = started;
    l.aligned = ended[at(other(wanted))] || acquainted(l, now);
    // Else by the session that began first: what happened before the other began, and may come
    // only now, it alone will show.
    l.leader =
        l.aligned ? wanted
        : session_for(l, shard_set::old_set).began_at <= session_for(l, shard_set::new_set).began_at
            ? shard_set::old_set
            : shard_set::new_set;
    ++led[at(l.leader)];
    counts.unaligned += l.aligned ? 0U : 1U;
    checks.push_back({later(now, settings.overlap / 4), key});
    return l;
}

pairing::impl::record& pairing::impl::remember(lane& l, const paired_event& e, bool sent,
                                               time_point now) {
    record r;
    r.id = e.id;
    r.at = now;
    r.shard = e.shard;
    r.seq = e.seq;
    r.sent = sent;
    ++counts.records;
    sent_records[at(e.from)] += sent ? 1U : 0U;
    return l.of(e.from).emplace_back(std::move(r));
}

void pairing::impl::let_go(record& r) {
    if (!r.held) return;
    counts.held_bytes -= std::min(counts.held_bytes, r.held->weight());
    r.held.reset();
}

void pairing::impl::erase(lane& l, shard_set of, std::size_t index) {
    erase(l.of(of), of, index);
}

void pairing::impl::erase(records& all, shard_set of, std::size_t index) {
    record& r = all[index];
    let_go(r);
    sent_records[at(of)] -= r.sent ? 1U : 0U;
    --counts.records;
    all.erase(all.begin() + static_cast<std::ptrdiff_t>(index));
}

void pairing::impl::keep_bounds(lane& l, time_point now) {
    if (counts.records <= settings.records && counts.held_bytes <= settings.held_bytes) return;
    const shard_set follower = other(l.leader);
    if (!l.aligned && any_sent(l, follower)) guess(l, now);
    start_over(l, follower, now);
}

// ---- events ------------------------------------------------------------------------------------

bool pairing::impl::is_ghost_twin(lane& l, const paired_event& e) {
    records& theirs = l.ghosts[at(other(e.from))];
    const auto twin =
        std::find_if(theirs.begin(), theirs.end(), [&](const record& r) { return r.id == e.id; });
    if (twin == theirs.end()) return false;
    erase(theirs, other(e.from), static_cast<std::size_t>(twin - theirs.begin()));
    return true;
}

pair_verdict pairing::impl::on_event(lane& l, const paired_event& e, const keeper& keep,
                                     time_point now) {
    const shard_set them = other(e.from);
    sessions[at(e.from)][e.shard.value].last = e.seq;
    if (ended[at(e.from)] || is_ghost_twin(l, e)) {
        ++counts.dropped;
        return pair_verdict::drop;
    }
    if (!l.aligned && align_by_silence(l, now)) try_pass(l);
    const bool leads = l.leader == e.from;
    session& from = sessions[at(e.from)][e.shard.value];
    if (l.aligned) {
        records& theirs = l.of(them);
        const auto twin = std::find_if(theirs.begin(), theirs.end(),
                                       [&](const record& r) { return r.id == e.id; });
        if (twin != theirs.end()) {
            const auto index = static_cast<std::size_t>(twin - theirs.begin());
            if (e.id.unique) note_delay(l, e.from, twin->at, now);
            if (twin->sent) {
                from.marks.has_twin(e.seq, twin->shard, twin->seq,
                                    sessions[at(them)][twin->shard.value].number);
                erase(l, them, index);
                ++counts.dropped;
                return pair_verdict::drop;
            }
            if (twin->open) {
                session_for(l, them).marks.met(twin->seq, e.shard, e.seq, from.number);
                ++counts.met;
            }
            erase(l, them, index);
            ++counts.forwarded;
            return pair_verdict::forward;
        }
    }
    if (leads) {
        ++counts.forwarded;
        if (!ended[at(them)]) {
            remember(l, e, true, now);
            if (!l.aligned && try_align(l, now)) try_pass(l);
            keep_bounds(l, now);
        }
        return pair_verdict::forward;
    }
    record& r = remember(l, e, false, now);
    r.held = keep();
    r.open = true;
    counts.held_bytes += r.held ? r.held->weight() : 0U;
    ++counts.held;
    from.marks.hold(e.seq);
    if (!l.aligned && try_align(l, now)) try_pass(l);
    keep_bounds(l, now);
    return pair_verdict::hold;
}

// ---- the facade --------------------------------------------------------------------------------

pairing::pairing(pairing_settings settings, time_point now)
    : impl_(std::make_unique<impl>(settings, now)) {}
pairing::~pairing() = default;

pair_verdict pairing::on_event(const paired_event& event, const keeper& keep, time_point now) {
    impl& p = *impl_;
    return p.on_event(p.lane_for(event.lane, now), event, keep, now);
}

std::vector<pairing::released_event> pairing::take_released() {
    return std::exchange(impl_->released, {});
}

void pairing::on_live(shard_set set, shard_id shard, bool live, time_point now) {
    impl::session& s = impl_->sessions[impl::at(set)][shard.value];
    s.known = true;
    if (s.live == live) return;
    if (!live) impl_->note_acquainted(set, shard, now);
    s.live = live;
    if (!live) return;
    s.live_since = now;
    if (std::exchange(s.began, true)) return;
    s.started = now;
}

void pairing::on_new_session(shard_set set, shard_id shard, time_point now) {
    impl& p = *impl_;
    impl::session& s = p.sessions[impl::at(set)][shard.value];
    // What its lanes' other set holds must go on before the records of this one are forgotten.
    for (auto& [key, l] : p.lanes) {
        if (p.shard_for(l, set) != shard) continue;
        p.leave(l, set, now);
    }
    s.live = s.began = false;
    s.started = never;
    s.began_at = now;
    p.forget_acquainted(set, shard);
    ++s.number;
    s.marks.clear();
    s.last = {};
}

void pairing::prefer(shard_set set, time_point) {
    impl& p = *impl_;
    p.wanted = set;
    for (auto& [key, l] : p.lanes)
        p.try_pass(l);
}

shard_set pairing::preferred() const noexcept {
    return impl_->wanted;
}

bool pairing::settled() const noexcept {
    const std::size_t them = impl::at(other(impl_->wanted));
    return impl_->led[them] == 0 && impl_->sent_records[them] == 0;
}

bool pairing::acquainted(time_point now) const {
    const impl& p = *impl_;
    const auto& olds = p.sessions[impl::at(shard_set::old_set)];
    const auto& news = p.sessions[impl::at(shard_set::new_set)];
    // The guilds of an old shard are on the new ones that leave the same rest (id modulo total).
    const std::size_t step = std::gcd(olds.size(), news.size());
    const auto have = [&](std::uint32_t o, std::uint32_t n) {
        const impl::session &a = olds[o], &b = news[n];
        // Another daemon's, of which nothing comes here.
        if (!a.known || !b.known) return true;
        // A session of the set that goes which began this late shows nothing that the one that
        // stays does not.
        const impl::session &stays = p.wanted == shard_set::old_set ? a : b,
                            &goes = p.wanted == shard_set::old_set ? b : a;
        if (later(stays.started, p.settings.overlap) < goes.began_at) return true;
        const bool now_for_long =
            a.live && b.live &&
            later(std::max(a.live_since, b.live_since), p.settings.overlap) <= now;
        return now_for_long || p.acquaintances.count(impl::pair_of(shard_set::old_set, shard_id{o},
                                                                   shard_id{n})) != 0;
    };
    for (std::uint32_t o = 0; o < olds.size(); ++o)
        for (std::size_t n = o % step; n < news.size(); n += step)
            if (!have(o, static_cast<std::uint32_t>(n))) return false;
    return true;
}

void pairing::forget(shard_set set, time_point now) {
    impl& p = *impl_;
    p.ended[impl::at(set)] = true;
    p.wanted = other(set);
    for (auto& [key, l] : p.lanes)
        p.leave(l, set, now);
}

std::optional<seq_no> pairing::first_unsafe(shard_set set, shard_id shard,
                                            const unsafe_query& first_unsafe) {
    impl& p = *impl_;
    const shard_set them = other(set);
    return p.sessions[impl::at(set)][shard.value].marks.first_unsafe(
        [&](shard_id twin, std::uint32_t session) -> std::optional<seq_no> {
            if (p.sessions[impl::at(them)][twin.value].number != session) return std::nullopt;
            return first_unsafe(them, twin);
        });
}

pairing_stats pairing::stats() const noexcept {
    const impl& p = *impl_;
    pairing_stats s = p.counts;
    s.lanes = p.lanes.size();
    s.led_by_old = p.led[0];
    s.led_by_new = p.led[1];
    s.owed_to_new = p.sent_records[0];
    s.owed_to_old = p.sent_records[1];
    return s;
}

}  // namespace shardgate
