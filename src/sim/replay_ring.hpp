// SPDX-License-Identifier: Apache-2.0
// The dispatches a session can still replay, by their s. Bounded by a depth; the slots keep their
// memory, so that a busy session does not allocate. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "shardgate/base/time.hpp"

namespace shardgate::sim {

// One dispatch. Loading guilds are kept as what they are about and written when they are sent: a
// thousand GUILD_CREATEs of 40 KB would be most of the simulator's memory.
struct ring_entry {
    enum class shape : std::uint8_t {
        text,          // `text` is the frame
        guild_create,  // of world guild `guild`
        gap,           // uses up its s and is never sent
    };
    std::uint64_t seq = 0;
    std::uint64_t n = 0;      // the event's number, 0 = none
    std::uint64_t event = 0;  // the how-manieth of the world; equal events have one number
    time_point due{};         // not before, when sessions lag
    std::uint64_t lane = 0;   // guild or channel id
    std::uint32_t guild = 0;
    std::uint32_t repetition = 0;  // of equal events which; 0 = the first
    shape what = shape::text;
    std::string text;
};

class replay_ring {
public:
    explicit replay_ring(std::size_t depth) : depth_(depth) {}

    // The slot of the next dispatch, its text empty. Sequence numbers start at 1 and have no gaps.
    // When the ring is full the oldest entry leaves.
    ring_entry& push();
    // Null when `seq` is not kept.
    [[nodiscard]] const ring_entry* find(std::uint64_t seq) const noexcept;
    // Forgets what is at or below `seq`; answers how many that were.
    std::uint64_t trim(std::uint64_t seq) noexcept;

    [[nodiscard]] std::uint64_t first() const noexcept { return first_; }  // oldest kept
    [[nodiscard]] std::uint64_t last() const noexcept { return next_ - 1; }
    [[nodiscard]] std::size_t size() const noexcept {
        return static_cast<std::size_t>(next_ - first_);
    }
    [[nodiscard]] std::size_t depth() const noexcept { return depth_; }

private:
    void grow();

    std::size_t depth_;
    std::vector<ring_entry> slots_;  // entry `seq` lives at seq % slots_.size()
    std::uint64_t first_ = 1;
    std::uint64_t next_ = 1;
};

}  // namespace shardgate::sim
