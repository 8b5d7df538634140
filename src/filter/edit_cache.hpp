// SPDX-License-Identifier: Apache-2.0
// The last known fingerprint of each recent message: a bounded map that forgets the least recently
// touched one. About 40 bytes an entry with its index; allocates while it grows, then never.
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
    [[nodiscard]] std::size_t size() const noexcept { return used_; }

private:
    using place = std::uint32_t;
    static constexpr place nowhere = 0xffffffff;

    struct entry {
        std::uint64_t message = 0;
        std::uint64_t fingerprint = 0;
        place older = nowhere;
        place newer = nowhere;  // of a free entry: the next free one
    };

    [[nodiscard]] std::size_t home(std::uint64_t message) const noexcept;
    [[nodiscard]] std::size_t slot_of(std::uint64_t message) const noexcept;
    [[nodiscard]] place take_free();
    void grow_index();
    void clear_slot(std::size_t hole) noexcept;
    void unlink(place p) noexcept;
    void link_newest(place p) noexcept;

    std::size_t capacity_;
    std::vector<entry> entries_;
    std::vector<place> index_;  // a power of two, at most half of it used
    place oldest_ = nowhere;
    place newest_ = nowhere;
    place free_ = nowhere;
    std::size_t used_ = 0;
};

}  // namespace shardgate
