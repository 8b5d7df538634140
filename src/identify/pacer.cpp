// SPDX-License-Identifier: Apache-2.0
// The pacer's queue: who stands where. When they are told and granted is in pacer_turns.cpp.
#include "shardgate/identify/pacer.hpp"

#include <algorithm>
#include <vector>

namespace shardgate {
namespace {

std::uint32_t effective_concurrency(const pacer_settings& settings,
                                    const session_start_limit& limit) noexcept {
    const std::uint32_t granted = std::max(limit.max_concurrency, 1U);
    return std::max(1U, std::min(granted, settings.max_concurrency_cap.value_or(granted)));
}

}  // namespace

pacer::pacer(pacer_settings settings, session_start_limit limit, time_point now)
    : settings_(settings),
      max_concurrency_(effective_concurrency(settings, limit)),
      budget_(limit, settings.reserve, now),
      floor_(later(now, settings.interval)) {
    scope_ = allowed();
}

void pacer::last_identify(std::uint32_t key, duration ago, time_point now) {
    const duration wait = std::max(settings_.interval - ago, duration::zero());
    lane_of(key % max_concurrency_).free_at = later(now, wait);
    touch(key % max_concurrency_, now);
}

bool pacer::request(pacer_ticket who, bool keep_place, bool explicit_request, time_point now) {
    refresh_scope(now);
    const auto found = tickets_.find(id_of(who));
    if (found == tickets_.end()) {
        if (tickets_.size() >= max_tickets) {
            ++refused_;
            return false;
        }
        ticket& fresh = tickets_[id_of(who)];
        fresh.at = next_order_++;
        fresh.explicit_request = explicit_request;
        lane& l = lane_of(key_of(who.shard));
        ++l.tickets;
        put(who, fresh, place::untold, l, now);
        touch(key_of(who.shard), now);
        return true;
    }
    ticket& t = found->second;
    if (explicit_request && !t.explicit_request) {
        // Only the way into the reserve is new. Re-filed, so that the line knows.
        const place where = t.where == place::untold ? place::untold : place::again;
        take(t, lane_of(key_of(who.shard)));
        t.explicit_request = true;
        put(who, t, where, lane_of(key_of(who.shard)), now);
        touch(key_of(who.shard), now);
    } else if (keep_place && !t.place_kept) {
        t.place_kept = true;
        move(who, t, place::again, now);
    } else {
        to_the_end(who, t, now);
    }
    refresh_scope(now);
    return true;
}

void pacer::ready(pacer_ticket who, bool is_ready, time_point now) {
    const auto found = tickets_.find(id_of(who));
    if (found == tickets_.end()) return;
    ticket& t = found->second;
    if (is_ready) {
        if (t.where != place::ready && t.where != place::granted) move(who, t, place::ready, now);
    } else if (t.where != place::untold && t.where != place::again) {
        move(who, t, place::stalled, now);
    }
    refresh_scope(now);
}

void pacer::cancel(pacer_ticket who, time_point now) {
    if (const auto found = tickets_.find(id_of(who)); found != tickets_.end())
        erase(who, found->second, now);
    refresh_scope(now);
}

void pacer::sent(pacer_ticket who, time_point now) {
    if (const auto found = tickets_.find(id_of(who)); found != tickets_.end())
        erase(who, found->second, now);
    budget_.spend(now);
    lane& l = lane_of(key_of(who.shard));
    l.free_at = std::max(l.free_at, later(now, settings_.interval));
    touch(key_of(who.shard), now);
    refresh_scope(now);
}

void pacer::release(pacer_ticket who, time_point now) {
    const auto found = tickets_.find(id_of(who));
    if (found != tickets_.end() && found->second.where == place::granted)
        to_the_end(who, found->second, now);
    refresh_scope(now);
}

void pacer::update(const session_start_limit& limit, time_point now) {
    budget_.update(limit, now);
    const std::uint32_t concurrency = effective_concurrency(settings_, limit);
    if (concurrency != max_concurrency_) {
        max_concurrency_ = concurrency;
        rekey(now);
    }
    refresh_scope(now);
}

// A key means other shards than before, so what its last IDENTIFY was is no longer known: every key
// waits. Places and permits stay.
void pacer::rekey(time_point now) {
    std::vector<pacer_ticket> everyone;
    everyone.reserve(tickets_.size());
    for (const auto& [id, t] : tickets_)
        everyone.push_back(pacer_ticket{generation{static_cast<std::uint32_t>(id >> 32)},
                                        shard_id{static_cast<std::uint32_t>(id)}});
    lanes_.clear();
    due_.clear();
    floor_ = later(now, settings_.interval);
    for (const pacer_ticket who : everyone) {
        ticket& t = tickets_[id_of(who)];
        lane& l = lane_of(key_of(who.shard));
        ++l.tickets;
        // put() would start the permit's time anew and hold the budget twice.
        if (t.where == place::granted)
            l.granted.emplace(std::pair(t.until, t.at), who);
        else
            put(who, t, t.where, l, now);
    }
    touch_everything(now);
}

std::uint64_t pacer::id_of(pacer_ticket who) noexcept {
    return std::uint64_t{who.gen.value} << 32 | who.shard.value;
}

// Pre: it waits.
pacer::ticket& pacer::ticket_of(pacer_ticket who) noexcept {
    return tickets_.find(id_of(who))->second;
}

pacer::lane& pacer::lane_of(std::uint32_t key) {
    const auto [it, is_new] = lanes_.try_emplace(key);
    if (is_new) it->second.free_at = floor_;
    return it->second;
}

void pacer::put(pacer_ticket who, ticket& t, place where, lane& l, time_point now) {
    t.where = where;
    t.until = never;
    switch (where) {
    case place::untold: l.untold.insert(t, who); break;
    case place::again: l.again.insert(t, who); break;
    case place::ready: l.ready.insert(t, who); break;
    case place::stalled: break;
    case place::told:
        // A handshake takes its time, whatever the interval.
        t.until = later(now, std::max(settings_.interval, duration(std::chrono::seconds(2))));
        l.told.emplace(std::pair(t.until, t.at), who);
        break;
    case place::granted:
        t.until = later(now, permit_timeout);
        l.granted.emplace(std::pair(t.until, t.at), who);
        budget_.hold();
        break;
    }
}

void pacer::take(const ticket& t, lane& l) {
    switch (t.where) {
    case place::untold: l.untold.erase(t); break;
    case place::again: l.again.erase(t); break;
    case place::ready: l.ready.erase(t); break;
    case place::stalled: break;
    case place::told: l.told.erase(std::pair(t.until, t.at)); break;
    case place::granted:
        l.granted.erase(std::pair(t.until, t.at));
        budget_.unhold();
        break;
    }
}

void pacer::move(pacer_ticket who, ticket& t, place where, time_point now) {
    lane& l = lane_of(key_of(who.shard));
    take(t, l);
    put(who, t, where, l, now);
    touch(key_of(who.shard), now);
}

void pacer::to_the_end(pacer_ticket who, ticket& t, time_point now) {
    lane& l = lane_of(key_of(who.shard));
    take(t, l);
    t.at = next_order_++;
    t.place_kept = false;
    put(who, t, place::untold, l, now);
    touch(key_of(who.shard), now);
}

void pacer::erase(pacer_ticket who, const ticket& t, time_point now) {
    lane& l = lane_of(key_of(who.shard));
    take(t, l);
    --l.tickets;
    tickets_.erase(id_of(who));
    touch(key_of(who.shard), now);
}

void pacer::line::insert(const ticket& t, pacer_ticket who) {
    all.emplace(t.at, who);
    if (t.explicit_request) explicit_only.emplace(t.at, who);
}

void pacer::line::erase(const ticket& t) {
    all.erase(t.at);
    explicit_only.erase(t.at);
}

const pacer_ticket* pacer::line::first(scope s) const noexcept {
    if (s == scope::nobody) return nullptr;
    const auto& from = s == scope::everyone ? all : explicit_only;
    return from.empty() ? nullptr : &from.begin()->second;
}

}  // namespace shardgate
