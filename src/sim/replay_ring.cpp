// SPDX-License-Identifier: Apache-2.0
#include "sim/replay_ring.hpp"

#include <algorithm>
#include <utility>

namespace shardgate::sim {

namespace {

constexpr std::size_t first_slots = 64;
constexpr std::size_t slot_kept = 8192;  // a slot that once held more gives its memory back

}  // namespace

void replay_ring::grow() {
    const std::size_t wanted = std::min(std::max(first_slots, slots_.size() * 2), depth_);
    std::vector<ring_entry> larger(wanted);
    for (std::uint64_t seq = first_; seq < next_; ++seq)
        larger[seq % wanted] = std::move(slots_[seq % slots_.size()]);
    slots_ = std::move(larger);
}

ring_entry& replay_ring::push() {
    if (size() == slots_.size() && slots_.size() < depth_) grow();
    if (size() == slots_.size()) ++first_;
    ring_entry& slot = slots_[next_ % slots_.size()];
    if (slot.text.capacity() > slot_kept)
        slot.text = std::string();
    else
        slot.text.clear();
    slot.seq = next_++;
    slot.n = 0;
    slot.event = 0;
    slot.due = {};
    slot.repetition = 0;
    slot.lane = 0;
    slot.guild = 0;
    slot.what = ring_entry::shape::text;
    return slot;
}

const ring_entry* replay_ring::find(std::uint64_t seq) const noexcept {
    if (seq < first_ || seq >= next_) return nullptr;
    return &slots_[seq % slots_.size()];
}

std::uint64_t replay_ring::trim(std::uint64_t seq) noexcept {
    const std::uint64_t before = first_;
    first_ = std::max(first_, std::min(seq + 1, next_));
    return first_ - before;
}

}  // namespace shardgate::sim
