// SPDX-License-Identifier: Apache-2.0
// The pacer's timetable: when a key's next ticket is told that its turn is near, when it is granted
// the permit, and when something that was given out has to be taken back.
#include <algorithm>
#include <vector>

#include "shardgate/identify/pacer.hpp"

namespace shardgate {
namespace {

// A ticket is told when its turn is at most this many intervals away: early enough for a
// handshake, late enough that nobody sits connected for long.
constexpr int near = 2;

}  // namespace

pacer::scope pacer::allowed() const noexcept {
    if (budget_.allows(false)) return scope::everyone;
    return budget_.allows(true) ? scope::explicit_only : scope::nobody;
}

// When the first ticket that is not told yet is to be told. Its turn comes after those ahead of it
// that can be counted on; a head that does not get ready is not waited for.
time_point pacer::tell_time(const lane& l, scope s) const noexcept {
    if (l.again.first(s)) return time_point::min();
    if (!l.untold.first(s)) return never;
    const std::size_t ahead = l.ready.all.size() + l.told.size() + l.granted.size();
    if (ahead > static_cast<std::size_t>(near)) return never;  // until one of those has moved
    return l.free_at - (near - static_cast<int>(ahead)) * settings_.interval;
}

time_point pacer::grant_time(const lane& l, scope s) const noexcept {
    if (!l.granted.empty() || !l.ready.first(s)) return never;
    return l.free_at;
}

// Puts the lane's next due time into the timetable, or forgets a lane that has nothing to say.
void pacer::touch(std::uint32_t key, time_point now) {
    const auto found = lanes_.find(key);
    if (found == lanes_.end()) return;
    lane& l = found->second;
    time_point due = std::min(tell_time(l, scope_), grant_time(l, scope_));
    if (!l.granted.empty()) due = std::min(due, l.granted.begin()->first.first);
    if (!l.told.empty()) due = std::min(due, l.told.begin()->first.first);
    if (due != l.due) {
        if (l.due != never) due_.erase({l.due, key});
        if (due != never) due_.insert({due, key});
        l.due = due;
    }
    if (l.tickets == 0 && now >= l.free_at && now >= floor_) lanes_.erase(found);
}

void pacer::touch_everything(time_point now) {
    std::vector<std::uint32_t> keys;
    keys.reserve(lanes_.size());
    for (const auto& [key, l] : lanes_)
        keys.push_back(key);
    for (const std::uint32_t key : keys)
        touch(key, now);
}

void pacer::refresh_scope(time_point now) {
    budget_.roll(now);
    const scope s = allowed();
    if (s == scope_) return;
    scope_ = s;
    touch_everything(now);
}

void pacer::expire(std::uint32_t key, time_point now) {
    lane& l = lane_of(key);
    while (!l.granted.empty() && l.granted.begin()->first.first <= now) {
        const pacer_ticket who = l.granted.begin()->second;
        // Whether it identified without telling us is not known: the key waits as if it had.
        l.free_at = std::max(l.free_at, later(now, settings_.interval));
        ++taken_back_;
        to_the_end(who, ticket_of(who), now);
    }
    while (!l.told.empty() && l.told.begin()->first.first <= now) {
        const pacer_ticket who = l.told.begin()->second;
        move(who, ticket_of(who), place::stalled, now);
    }
}

void pacer::grant(std::uint32_t key, time_point now, std::vector<pacer_signal>& out) {
    lane& l = lane_of(key);
    const scope s = allowed();
    if (grant_time(l, s) > now) return;
    const pacer_ticket who = *l.ready.first(s);
    move(who, ticket_of(who), place::granted, now);
    out.push_back({pacer_signal::kind::permit, who});
}

void pacer::tell(std::uint32_t key, time_point now, std::vector<pacer_signal>& out) {
    lane& l = lane_of(key);
    const scope s = allowed();
    while (tell_time(l, s) <= now) {
        const pacer_ticket* again = l.again.first(s);
        const pacer_ticket who = again ? *again : *l.untold.first(s);
        // One that failed before is told, but not counted on until it is ready.
        move(who, ticket_of(who), again ? place::stalled : place::told, now);
        out.push_back({pacer_signal::kind::turn_near, who});
    }
}

// Steps through every lane that is due.
void pacer::round(time_point now, std::vector<pacer_signal>& permits,
                  std::vector<pacer_signal>& near_ones) {
    std::vector<std::uint32_t> keys;
    while (!due_.empty() && due_.begin()->first <= now) {
        keys.push_back(due_.begin()->second);
        lanes_.find(keys.back())->second.due = never;
        due_.erase(due_.begin());
    }
    for (const std::uint32_t key : keys) {
        expire(key, now);
        grant(key, now, permits);
        tell(key, now, near_ones);
        touch(key, now);
    }
    refresh_scope(now);
}

void pacer::poll(time_point now, std::vector<pacer_signal>& out) {
    refresh_scope(now);
    std::vector<pacer_signal> permits, near_ones;
    // A permit that is taken back can open the budget for lanes that were passed by before.
    for (int i = 0; i < 3 && !due_.empty() && due_.begin()->first <= now; ++i)
        round(now, permits, near_ones);
    const auto by_place = [this](const pacer_signal& a, const pacer_signal& b) {
        return ticket_of(a.who).at < ticket_of(b.who).at;
    };
    std::sort(permits.begin(), permits.end(), by_place);
    std::sort(near_ones.begin(), near_ones.end(), by_place);
    out.insert(out.end(), permits.begin(), permits.end());
    out.insert(out.end(), near_ones.begin(), near_ones.end());
}

time_point pacer::deadline() const noexcept {
    time_point when = due_.empty() ? never : due_.begin()->first;
    if (scope_ != scope::everyone && !tickets_.empty()) when = std::min(when, budget_.resets_at());
    return when;
}

std::uint32_t pacer::remaining(time_point now) const noexcept {
    return budget_.remaining(now);
}

std::optional<time_point> pacer::blocked_until(time_point now) const noexcept {
    if (scope_ == scope::everyone || tickets_.empty() || now >= budget_.resets_at())
        return std::nullopt;
    return budget_.resets_at();
}

duration pacer::estimate(time_point now) const noexcept {
    duration longest{0};
    std::size_t ordinary = 0;
    for (const auto& [key, l] : lanes_) {
        if (l.tickets == 0) continue;
        const auto rest = static_cast<duration::rep>(l.tickets - 1);
        const duration until_free = std::max(l.free_at - now, duration::zero());
        longest = std::max(longest, until_free + rest * settings_.interval);
        ordinary += l.tickets - l.granted.size();
    }
    if (ordinary > budget_.spendable() && budget_.resets_at() != never)
        longest = std::max(longest, budget_.resets_at() - now);
    return longest;
}

}  // namespace shardgate
