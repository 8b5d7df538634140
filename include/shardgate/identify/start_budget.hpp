// SPDX-License-Identifier: Apache-2.0
// How many sessions may still be started before Discord's window ends (Discord docs, Gateway,
// Session Start Limit Object). Beyond it Discord ends every session and resets the token, so every
// IDENTIFY sent is counted as spent, refused ones too. Pure. Owner: pacer.
#pragma once

#include <cstdint>

#include "shardgate/base/time.hpp"

namespace shardgate {

// Discord's answer of GET /gateway/bot.
struct session_start_limit {
    std::uint32_t total = 1000;
    std::uint32_t remaining = 1000;
    duration reset_after{0};  // 0 = no window is running
    std::uint32_t max_concurrency = 1;
};

class start_budget {
public:
    static constexpr duration full_window = std::chrono::hours(24);

    start_budget(const session_start_limit& limit, std::uint32_t reserve, time_point now) noexcept;

    // Fresh numbers replace ours. Without a running window (reset_after 0) one is taken to begin
    // with our next IDENTIFY; if starts are missing all the same, it began now: never sooner.
    void update(const session_start_limit& limit, time_point now) noexcept;
    // Ends a window whose time is over. True if that changed anything.
    bool roll(time_point now) noexcept;

    // A permit is out (counts as spent), and came back; an IDENTIFY was sent.
    void hold() noexcept { ++held_; }
    void unhold() noexcept { held_ -= held_ > 0 ? 1 : 0; }
    void spend(time_point now) noexcept;

    // May one more permit be given? Only an operator's explicit request goes into the reserve.
    [[nodiscard]] bool allows(bool explicit_request) const noexcept;
    // What is left, the reserve included, permits that are out not subtracted.
    [[nodiscard]] std::uint32_t remaining(time_point now) const noexcept;
    // What is left for ordinary requests.
    [[nodiscard]] std::uint32_t spendable() const noexcept;
    // When the window ends; `never` while none runs.
    [[nodiscard]] time_point resets_at() const noexcept { return resets_at_; }

private:
    std::uint32_t total_ = 0;
    std::uint32_t remaining_ = 0;
    std::uint32_t reserve_;
    std::uint32_t held_ = 0;
    time_point resets_at_ = never;
};

}  // namespace shardgate
