// SPDX-License-Identifier: Apache-2.0
// Entries in one vector, linked by age; an open-addressed index of places beside it.
#include "filter/edit_cache.hpp"

#include <algorithm>
#include <functional>

namespace shardgate {

edit_cache::edit_cache(std::size_t capacity)
    : capacity_(std::min<std::size_t>(capacity, nowhere / 4)) {}

std::size_t edit_cache::home(std::uint64_t message) const noexcept {
    return std::hash<snowflake>()(snowflake(message)) & (index_.size() - 1);
}

std::size_t edit_cache::slot_of(std::uint64_t message) const noexcept {
    std::size_t slot = home(message);
    while (index_[slot] != nowhere && entries_[index_[slot]].message != message)
        slot = (slot + 1) & (index_.size() - 1);
    return slot;
}

std::uint64_t edit_cache::find(snowflake message) {
    if (index_.empty()) return 0;
    const place p = index_[slot_of(message.value)];
    if (p == nowhere) return 0;
    unlink(p);
    link_newest(p);
    return entries_[p].fingerprint;
}

void edit_cache::put(snowflake message, std::uint64_t fingerprint) {
    if (capacity_ == 0) return;
    if (index_.empty()) grow_index();
    if (const place known = index_[slot_of(message.value)]; known != nowhere) {
        entries_[known].fingerprint = fingerprint;
        unlink(known);
        link_newest(known);
        return;
    }
    if (used_ == capacity_) erase(snowflake(entries_[oldest_].message));
    if ((used_ + 1) * 2 > index_.size()) grow_index();
    const place p = take_free();
    entries_[p].message = message.value;
    entries_[p].fingerprint = fingerprint;
    link_newest(p);
    index_[slot_of(message.value)] = p;
    ++used_;
}

void edit_cache::erase(snowflake message) {
    if (index_.empty()) return;
    const std::size_t slot = slot_of(message.value);
    const place p = index_[slot];
    if (p == nowhere) return;
    clear_slot(slot);
    unlink(p);
    entries_[p].newer = free_;
    free_ = p;
    --used_;
}

edit_cache::place edit_cache::take_free() {
    if (free_ != nowhere) {
        const place p = free_;
        free_ = entries_[p].newer;
        return p;
    }
    entries_.emplace_back();
    return static_cast<place>(entries_.size() - 1);
}

void edit_cache::grow_index() {
    index_.assign(index_.empty() ? 16 : index_.size() * 2, nowhere);
    for (place p = oldest_; p != nowhere; p = entries_[p].newer)
        index_[slot_of(entries_[p].message)] = p;
}

void edit_cache::clear_slot(std::size_t hole) noexcept {
    const std::size_t mask = index_.size() - 1;
    for (std::size_t next = (hole + 1) & mask; index_[next] != nowhere; next = (next + 1) & mask) {
        // What follows moves to the hole unless that would put it before its home.
        const std::size_t from_home = (next - home(entries_[index_[next]].message)) & mask;
        if (from_home < ((next - hole) & mask)) continue;
        index_[hole] = index_[next];
        hole = next;
    }
    index_[hole] = nowhere;
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
