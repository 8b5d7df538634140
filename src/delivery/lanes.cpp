// SPDX-License-Identifier: Apache-2.0
#include "delivery/lanes.hpp"

#include <algorithm>
#include <iterator>

#include "delivery/fences.hpp"
#include "delivery/handler_url.hpp"

namespace shardgate {

namespace {

constexpr std::size_t first_buckets = 256;  // a power of two, as all that follow

}  // namespace

lanes::lanes(std::size_t groups, batch_rules batches)
    : batches_(batches),
      buckets_(first_buckets),
      all_(lane_index::bucket_traits(buckets_.data(), buckets_.size())),
      ready_(groups) {}

lanes::~lanes() {
    for (ready_lists& r : ready_)
        r.urgent.clear(), r.normal.clear();
    for (auto& item : fenced_)
        item.second.clear();
    all_.clear_and_dispose([](lane* l) {
        l->queue.clear(), l->pending.clear();
        delete l;
    });
}

lane& lanes::get(const lane_key& key) {
    lane_index::insert_commit_data place;
    const auto [known, is_new] = all_.insert_check(key, place);
    if (!is_new) return *known;
    std::unique_ptr<lane> l;
    if (pool_.empty()) {
        l = std::make_unique<lane>();
    } else {
        l = std::move(pool_.back());
        pool_.pop_back();
        if (!pool_.empty()) fetch_lines(pool_.back().get());  // the next one's
    }
    l->key = key;
    l->serial = ++last_serial_;
    lane& added = *all_.insert_commit(*l.release(), place);
    if (all_.size() > buckets_.size()) grow_index();
    return added;
}

void lanes::grow_index() {
    std::vector<lane_index::bucket_type> more(buckets_.size() * 2);
    all_.rehash(lane_index::bucket_traits(more.data(), more.size()));
    buckets_.swap(more);
}

lane* lanes::find(const lane_key& key) noexcept {
    const auto it = all_.find(key);
    return it == all_.end() ? nullptr : &*it;
}

void lanes::place(lane& l, time_point now) {
    if (l.in_flight) return;
    take_off(l);
    if (!l.queue.empty())
        place_full(l, now);
    else if (!l.spilled() && !l.reading)
        retire(l);
}

void lanes::feed(lane& l) {
    const bool hungry = l.readable > 0 && !l.reading && l.queue.size() < low_water;
    const std::uint64_t at = hungry ? std::max<std::uint64_t>(l.spilled_from, 1) : 0;
    if (at == l.hungry_at) return;
    if (l.hungry_at != 0) hungry_.erase({l.hungry_at, &l});
    if (at != 0) hungry_.emplace(at, &l);
    l.hungry_at = at;
}

void lanes::place_full(lane& l, time_point now) {
    const entry& head = l.queue.front();
    if (!fences::open(head)) {
        l.at = lane::place::fenced;
        fenced_[head.order].push_back(l);
        return;
    }
    if (const time_point when = not_before(l); when > now) {
        l.at = lane::place::waiting;
        l.retry_at = when;
        waiting_.emplace(when, &l);
        return;
    }
    l.at = lane::place::ready;
    l.urgent = head.event->event == event_id::interaction_create;
    (l.urgent ? ready_[l.group].urgent : ready_[l.group].normal).push_back(l);
}

time_point lanes::not_before(const lane& l) const noexcept {
    if (l.failures > 0) return l.retry_at;
    if (batches_.events <= 1 || batches_.linger == duration{0} || l.fixed_batch > 0 ||
        l.singles > 0)
        return {};
    const entry& head = l.queue.front();
    if (head.event->event == event_id::interaction_create) return {};
    if (l.queue.size() >= batches_.events) return {};
    return later(head.queued, batches_.linger);
}

void lanes::take_off(lane& l) {
    switch (l.at) {
    case lane::place::nowhere: return;
    case lane::place::ready: {
        lane_list& list = l.urgent ? ready_[l.group].urgent : ready_[l.group].normal;
        list.erase(list.iterator_to(l));
        break;
    }
    case lane::place::waiting: waiting_.erase({l.retry_at, &l}); break;
    case lane::place::fenced: {
        const auto it = fenced_.find(l.queue.front().order);
        it->second.erase(it->second.iterator_to(l));
        if (it->second.empty()) fenced_.erase(it);
        break;
    }
    }
    l.at = lane::place::nowhere;
}

void lanes::retire(lane& l) {
    all_.erase(all_.iterator_to(l));
    std::unique_ptr<lane> owned(&l);
    l.failures = l.singles = l.fixed_batch = 0;
    l.retry_at = {};
    l.urgent = l.in_flight = l.told_when = false;
    l.readable = l.spilled_from = 0;
    l.reading = l.awaited = false;
    feed(l);
    if (pool_.size() >= pool_kept) return;
    pool_.push_back(std::move(owned));
}

void lanes::on_fence(const shard_order& order, time_point now) {
    const auto it = fenced_.find(&order);
    if (it == fenced_.end()) return;
    lane_list again;
    again.swap(it->second);
    fenced_.erase(it);
    while (!again.empty()) {
        lane& l = again.front();
        again.pop_front();
        l.at = lane::place::nowhere;
        place_full(l, now);
    }
}

void lanes::on_time(time_point now) {
    while (!waiting_.empty() && waiting_.begin()->first <= now) {
        lane& l = *waiting_.begin()->second;
        take_off(l);
        place_full(l, now);
    }
}

void lanes::forgive(std::size_t group, time_point now) {
    std::vector<lane*> held;
    for (const auto& item : waiting_)
        if (item.second->group == group && item.second->failures > 0 && !item.second->told_when)
            held.push_back(item.second);
    for (lane* l : held) {
        take_off(*l);
        l->retry_at = now;
        place_full(*l, now);
    }
}

lane* lanes::pick(std::size_t group, const handler_url& target, time_point now) noexcept {
    ready_lists& lists = ready_[group];
    for (lane_list* list : {&lists.urgent, &lists.normal}) {
        if (list->empty()) continue;
        auto it = list->begin();
        // A probe should not be spent on the lane that failed if there is another.
        if (target.open() && it->serial == target.last_failed_lane() &&
            std::next(it) != list->end())
            ++it;
        if (target.may_send(list == &lists.urgent, it->serial, now)) return &*it;
    }
    return nullptr;
}

lane* lanes::peek(std::size_t group, bool urgent) noexcept {
    lane_list& list = urgent ? ready_[group].urgent : ready_[group].normal;
    return list.empty() ? nullptr : &list.front();
}

bool lanes::any_ready(std::size_t group) const noexcept {
    return !ready_[group].urgent.empty() || !ready_[group].normal.empty();
}

}  // namespace shardgate
