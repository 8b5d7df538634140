// SPDX-License-Identifier: Apache-2.0
// What the truth book keeps of every event: 16 bytes. Private to truth's files.
#pragma once

#include "sim/truth.hpp"

namespace shardgate::sim {

inline constexpr std::uint8_t flag_given = 1, flag_lost = 2, flag_unfurl = 4, flag_interaction = 8,
                              flag_copies = 16, flag_loading = 32;

struct truth::row {
    std::uint32_t lane = 0;
    std::uint32_t sent = 0;      // ticks since start_
    std::uint32_t key_hash = 0;  // of the first receipt's key; missed and not received: why
    std::uint16_t name = 0;
    std::uint8_t flags = 0;     // and the expectation in the two high bits
    std::uint8_t receipts = 0;  // stays at 255

    [[nodiscard]] bool has(std::uint8_t flag) const noexcept { return (flags & flag) != 0; }
    [[nodiscard]] expectation expected() const noexcept {
        return static_cast<expectation>(flags >> 6U);
    }
    // Nobody is sorry for what need not come.
    [[nodiscard]] bool missed() const noexcept {
        return has(flag_lost) && expected() == expectation::arrives;
    }
    [[nodiscard]] bool settled() const noexcept {
        return !has(flag_given) || has(flag_lost) || receipts > 0 ||
               expected() != expectation::arrives;
    }
};

}  // namespace shardgate::sim
