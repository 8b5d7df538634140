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
    // How often this process tried it is known here alone.
    return e.disk == on_disk::stored && !e.in_flight && !e.tried && room_in_spool();
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

// Over all lanes what came last goes first. What came first must stay: all the rest may be waiting
// for it behind a fence, and what is read back would push it out again. It makes room for a quarter
// of the bound, or leaves nothing to be found until more has become durable.
void delivery::impl::evict(time_point now) {
    may_evict = false;
    if (!spooling || disk_fails || queue.overflow != config::overflow_policy::spill) return;
    std::vector<lane*> heap;
    waiting.each([&](lane& l) {
        if (evictable(l)) heap.push_back(&l);
    });
    std::make_heap(heap.begin(), heap.end(), last_came_earlier);
    while (!heap.empty()) {
        if (books.eighths() <= full_enough) {
            may_evict = true;
            return;
        }
        std::pop_heap(heap.begin(), heap.end(), last_came_earlier);
        lane& l = *heap.back();
        evict_last(l, now);
        if (evictable(l))
            std::push_heap(heap.begin(), heap.end(), last_came_earlier);
        else
            heap.pop_back();
    }
}

}  // namespace shardgate
