// SPDX-License-Identifier: Apache-2.0
#include "delivery/backlog.hpp"

#include <utility>

#include "delivery/fetch.hpp"

namespace shardgate {

backlog::backlog(const config::queue& limits)
    : max_events_(limits.max_events),
      max_bytes_(limits.max_bytes),
      wanted_events_(limits.max_events),
      wanted_bytes_(limits.max_bytes),
      // With "spill" this is the last resort, when the disk cannot take more: the oldest go.
      newest_first_(limits.overflow == config::overflow_policy::drop_newest) {}

backlog::~backlog() {
    for (class_queue& c : classes_)
        c.clear();
    ages_.clear_and_dispose([](entry* e) { delete e; });
}

void backlog::set_limits(const config::queue& limits, bool softly) noexcept {
    wanted_events_ = limits.max_events;
    wanted_bytes_ = limits.max_bytes;
    max_events_ = softly ? std::max(wanted_events_, events_) : wanted_events_;
    max_bytes_ = softly ? std::max(wanted_bytes_, bytes_) : wanted_bytes_;
}

entry& backlog::add(event_ptr event, bool own, time_point now) {
    std::unique_ptr<entry> e;
    if (pool_.empty()) {
        e = std::make_unique<entry>();
    } else {
        e = std::move(pool_.back());
        pool_.pop_back();
        if (!pool_.empty()) fetch_lines(pool_.back().get());  // the next one's
    }
    ++events_;
    bytes_ += event->weight();
    e->rank = shed_class_of(event->event);
    e->event = std::move(event);
    e->own = own;
    e->queued = now;
    ages_.push_back(*e);
    if (!own) classes_[static_cast<std::size_t>(e->rank)].push_back(*e);
    return *e.release();  // owned by ages_ from here on
}

void backlog::remove(entry& e) {
    --events_;
    bytes_ -= e.event->weight();
    if (max_events_ > wanted_events_ || max_bytes_ > wanted_bytes_) close_in();
    if (e.in_class.is_linked()) {
        class_queue& c = classes_[static_cast<std::size_t>(e.rank)];
        c.erase(c.iterator_to(e));
    }
    ages_.erase(ages_.iterator_to(e));
    std::unique_ptr<entry> owned(&e);
    if (pool_.size() >= pool_kept) return;
    e.event.reset();
    e.where = nullptr;
    e.order = nullptr;
    e.attempts = e.status_failures = 0;
    e.successes_elsewhere = 0;
    e.own = e.in_flight = e.tells_gap = e.drop_if_away = e.stays = false;
    e.due.unlink();
    e.mark.in_shard.unlink();
    e.mark.writing = e.spilled = false;
    e.disk = on_disk::no;
    e.position = 0;
    pool_.push_back(std::move(owned));
}

void backlog::set_in_flight(entry& e, bool in_flight) {
    e.in_flight = in_flight;
    if (e.own) return;
    class_queue& c = classes_[static_cast<std::size_t>(e.rank)];
    if (in_flight)
        c.erase(c.iterator_to(e));
    else
        c.push_front(e);  // it was at the head of its lane: among the oldest
}

void backlog::set_pinned(entry& e, bool pinned) {
    if (e.own) return;
    class_queue& c = classes_[static_cast<std::size_t>(e.rank)];
    if (pinned && e.in_class.is_linked())
        c.erase(c.iterator_to(e));
    else if (!pinned && !e.in_class.is_linked())
        c.push_front(e);
}

entry* backlog::victim_below(std::size_t rank) noexcept {
    for (std::size_t i = 0; i < rank; ++i) {
        class_queue& c = classes_[i];
        if (!c.empty()) return newest_first_ ? &c.back() : &c.front();
    }
    return nullptr;
}

std::optional<time_point> backlog::oldest() const noexcept {
    if (ages_.empty()) return std::nullopt;
    return ages_.front().queued;
}

}  // namespace shardgate
