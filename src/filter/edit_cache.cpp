// SPDX-License-Identifier: Apache-2.0
// Entries in one vector, linked by age; an open-addressed index of places and tags beside it.
#include "filter/edit_cache.hpp"

#include <algorithm>
#include <functional>
#include <utility>

namespace shardgate {
namespace {

std::uint32_t tag_of(std::uint64_t message) noexcept {
    return static_cast<std::uint32_t>(std::hash<snowflake>()(snowflake(message)));
}

}  // namespace

// A quarter: twice as many slots and the next power of two have to be within a tag's 32 bits.
edit_cache::edit_cache(std::size_t capacity)
    : capacity_(std::min<std::size_t>(capacity, nowhere / 4)) {}

std::size_t edit_cache::home(std::uint64_t message) const noexcept {
    return tag_of(message) & (index_.size() - 1);
}

std::size_t edit_cache::slot_of(std::uint64_t message) const noexcept {
    const std::size_t mask = index_.size() - 1;
    const std::uint32_t tag = tag_of(message);
    for (std::size_t i = tag & mask;; i = (i + 1) & mask) {
        const slot& s = index_[i];
        if (s.at == nowhere || (s.tag == tag && entries_[s.at].message == message)) return i;
    }
}

std::uint64_t edit_cache::find(snowflake message) {
    keep_pending();
    if (index_.empty()) return 0;
    const place p = index_[slot_of(message.value)].at;
    if (p == nowhere) return 0;
    unlink(p);
    link_newest(p);
    return entries_[p].fingerprint;
}

void edit_cache::put(snowflake message, std::uint64_t fingerprint) {
    if (capacity_ == 0) return;
    keep_pending();
    if (used_ < capacity_) make_room();
    pending_ = {message.value, fingerprint};

    // Here, beside a store: GCC takes a function that only prefetches for one without effect, and
    // drops its call.
    __builtin_prefetch(&index_[home(message.value)], 1);
    if (used_ < capacity_) return __builtin_prefetch(&entries_[free_], 1);
    // The oldest entry is at hand: becoming the oldest wrote to it. Its slot and the next oldest
    // may be anywhere.
    const entry& oldest = entries_[oldest_];
    __builtin_prefetch(&index_[home(oldest.message)], 1);
    if (oldest.newer != nowhere) __builtin_prefetch(&entries_[oldest.newer], 1);
}

void edit_cache::erase(snowflake message) {
    keep_pending();
    if (index_.empty()) return;
    const std::size_t its_slot = slot_of(message.value);
    if (index_[its_slot].at != nowhere) remove(its_slot);
}

std::size_t edit_cache::size() const noexcept {
    // What is pending adds nothing if it takes the place of the oldest or is known already.
    if (pending_.message == 0 || used_ == capacity_) return used_;
    return index_[slot_of(pending_.message)].at == nowhere ? used_ + 1 : used_;
}

void edit_cache::keep_pending() noexcept {
    if (pending_.message == 0) return;
    const put_late now = std::exchange(pending_, {});
    std::size_t its_slot = slot_of(now.message);
    if (const place known = index_[its_slot].at; known != nowhere) {
        entries_[known].fingerprint = now.fingerprint;
        unlink(known);
        link_newest(known);
        return;
    }
    if (used_ == capacity_) {
        remove(slot_of(entries_[oldest_].message));
        its_slot = slot_of(now.message);  // others may have moved
    }
    const place p = free_;
    free_ = entries_[p].newer;
    entries_[p].message = now.message;
    entries_[p].fingerprint = now.fingerprint;
    link_newest(p);
    index_[its_slot] = {p, tag_of(now.message)};
    ++used_;
}

// All that allocates is done before a message is pending, so that keeping it cannot fail.
void edit_cache::make_room() {
    if ((used_ + 1) * 2 > index_.size()) grow_index();
    if (free_ != nowhere) return;
    entries_.emplace_back();
    free_ = static_cast<place>(entries_.size() - 1);
}

void edit_cache::grow_index() {
    std::vector<slot> larger(index_.empty() ? 16 : index_.size() * 2);
    const std::size_t mask = larger.size() - 1;
    for (const slot& s : index_) {
        if (s.at == nowhere) continue;
        std::size_t i = s.tag & mask;
        while (larger[i].at != nowhere)
            i = (i + 1) & mask;
        larger[i] = s;
    }
    index_ = std::move(larger);
}

void edit_cache::remove(std::size_t its_slot) noexcept {
    const place p = index_[its_slot].at;
    clear_slot(its_slot);
    unlink(p);
    entries_[p].newer = free_;
    free_ = p;
    --used_;
}

void edit_cache::clear_slot(std::size_t hole) noexcept {
    const std::size_t mask = index_.size() - 1;
    for (std::size_t next = (hole + 1) & mask; index_[next].at != nowhere;
         next = (next + 1) & mask) {
        // What follows moves to the hole unless that would put it before its home.
        const std::size_t from_home = (next - index_[next].tag) & mask;
        if (from_home < ((next - hole) & mask)) continue;
        index_[hole] = index_[next];
        hole = next;
    }
    index_[hole] = slot{};
}

void edit_cache::unlink(place p) noexcept {
    entry& e = entries_[p];
    (e.older == nowhere ? oldest_ : entries_[e.older].newer) = e.newer;
    (e.newer == nowhere ? newest_ : entries_[e.newer].older) = e.older;
}

void edit_cache::link_newest(place p) noexcept {
    entries_[p].older = newest_;
    entries_[p].newer = nowhere;
    (newest_ == nowhere ? oldest_ : entries_[newest_].newer) = p;
    newest_ = p;
}

}  // namespace shardgate
