// SPDX-License-Identifier: Apache-2.0
// Memory is full, and most of what fills it is on disk as well: that leaves memory, not the queue.
// Rules: docs/spool.md.
#include <algorithm>
#include <vector>

#include "delivery/delivery_impl.hpp"

namespace shardgate {

namespace {

// Below what keeps new events out of deep lanes, above what is read back: nothing goes in circles.
constexpr unsigned full_enough = 6;  // eighths

bool last_came_earlier(const lane* a, const lane* b) noexcept {
    return a->queue.back().position < b->queue.back().position;
}

}  // namespace

// Only the last one of a lane's queue may go: behind it come the spool's.
bool delivery::impl::evictable(const lane& l) const noexcept {
    if (l.key.what == lane_key::kind::single || l.queue.empty() || l.reading) return false;
    if (l.failures > 0 || l.fixed_batch > 0 || l.singles > 0) return false;
    const entry& e = l.queue.back();
    // A spool that is giving up events is no place for more: what is cheapest here goes instead.
    return e.disk == on_disk::stored && !e.in_flight && !e.stays && !spool_crowded();
}

void delivery::impl::evict_last(lane& l, time_point now) {
    entry& e = l.queue.back();
    if (!l.in_flight) waiting.take_off(l);
    l.queue.erase(l.queue.iterator_to(e));
    l.spilled_from = e.position;
    --stored_too;
    ++counts.evicted;
    count_spilled(l, e);
    books.remove(e);
    waiting.feed(l);
    waiting.place(l, now);
}

std::vector<lane*> delivery::impl::evictable_lanes() {
    std::vector<lane*> heap;
    if (!spooling || disk_fails || queue.overflow != config::overflow_policy::spill) return heap;
    waiting.each([&](lane& l) {
        if (evictable(l)) heap.push_back(&l);
    });
    std::make_heap(heap.begin(), heap.end(), last_came_earlier);
    return heap;
}

void delivery::impl::evict_newest(std::vector<lane*>& heap, time_point now) {
    std::pop_heap(heap.begin(), heap.end(), last_came_earlier);
    lane& l = *heap.back();
    evict_last(l, now);
    if (evictable(l))
        std::push_heap(heap.begin(), heap.end(), last_came_earlier);
    else
        heap.pop_back();
}

// Over all lanes what came last goes first: what came first is needed first, and all the rest may
// be waiting for it behind a fence. It makes room for a quarter of the bound, or leaves nothing to
// be found until more has become durable.
void delivery::impl::evict(time_point now) {
    std::vector<lane*> heap = evictable_lanes();
    while (!heap.empty() && books.eighths() > full_enough)
        evict_newest(heap, now);
    may_evict = books.eighths() <= full_enough;
}

// For events that are to be read back because what is in memory may be waiting for them: room, at
// the cost of what came after `position` alone. So each such read reaches further than the one
// before, and they end.
std::uint64_t delivery::impl::room_before(std::uint64_t position, std::uint64_t events,
                                          time_point now) {
    std::vector<lane*> heap;
    if (books.room() < events) heap = evictable_lanes();
    while (books.room() < events && !heap.empty() && heap.front()->queue.back().position > position)
        evict_newest(heap, now);
    return std::min(books.room(), events);
}

}  // namespace shardgate
