// SPDX-License-Identifier: Apache-2.0
// The last known fingerprint of each recent message: a bounded map that forgets the least recently
// touched one. 24 bytes an entry and 8 for each of its 2 to 4 index slots: 40 to 56, 45 at 200,000
// entries. Allocates while it grows, then never.
// Nearly all that a put costs is waiting for memory, so it is kept one put late: put() only has
// the memory fetched that its keeping will touch, and the next call does the keeping, when that has
// arrived. No caller can tell the difference.
// Owner: filter_stage. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "shardgate/base/ids.hpp"

namespace shardgate {

class edit_cache {
public:
    // 0 keeps nothing.
    explicit edit_cache(std::size_t capacity);

    // The fingerprint put last, 0 when the message is not known. Counts as a touch.
    [[nodiscard]] std::uint64_t find(snowflake message);
    // Pre: message and fingerprint are not 0.
    void put(snowflake message, std::uint64_t fingerprint);
    void erase(snowflake message);
    // With what is put and not yet kept.
    [[nodiscard]] std::size_t size() const noexcept;

private:
    using place = std::uint32_t;
    static constexpr place nowhere = 0xffffffff;

    struct entry {
        std::uint64_t message = 0;
        std::uint64_t fingerprint = 0;
        place older = nowhere;
        place newer = nowhere;  // of a free entry: the next free one
    };

    // The tag is 32 bits of the message's hash, its home the lower ones of them: neither passing
    // over other messages nor moving them needs their entries.
    struct slot {
        place at = nowhere;
        std::uint32_t tag = 0;
    };

    struct put_late {
        std::uint64_t message = 0;  // 0: none
        std::uint64_t fingerprint = 0;
    };

    [[nodiscard]] std::size_t home(std::uint64_t message) const noexcept;
    [[nodiscard]] std::size_t slot_of(std::uint64_t message) const noexcept;
    void keep_pending() noexcept;
    void make_room();
    void grow_index();
    void remove(std::size_t its_slot) noexcept;
    void clear_slot(std::size_t hole) noexcept;
    void unlink(place p) noexcept;
    void link_newest(place p) noexcept;

    std::size_t capacity_;
    std::vector<entry> entries_;
    std::vector<slot> index_;  // a power of two, at most half of it used
    put_late pending_;  // while there is one: a free entry and slot too, or used_ == capacity_
    place oldest_ = nowhere;
    place newest_ = nowhere;
    place free_ = nowhere;
    std::size_t used_ = 0;
};

}  // namespace shardgate
