// SPDX-License-Identifier: Apache-2.0
// Who may IDENTIFY when: one key per shard_id % max_concurrency, one IDENTIFY per key and interval,
// a daily budget with a reserve (Discord docs, Gateway, Rate Limiting / Session Start Limit). Pure.
// Owner: fleet. A key's interval runs from the moment its last IDENTIFY was sent.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "shardgate/base/ids.hpp"
#include "shardgate/base/time.hpp"

namespace shardgate {

// Discord's answer of GET /gateway/bot.
struct session_start_limit {
    std::uint32_t total = 1000;
    std::uint32_t remaining = 1000;
    duration reset_after{0};  // 0 = no window is running
    std::uint32_t max_concurrency = 1;
};

struct pacer_settings {
    duration interval = std::chrono::milliseconds(5250);
    std::optional<std::uint32_t> max_concurrency_cap;
    std::uint32_t reserve = 20;
};

// A shard of one generation: resharding has two sets in the same queue.
struct pacer_ticket {
    generation gen{};
    shard_id shard{};
    friend constexpr auto operator<=>(const pacer_ticket&, const pacer_ticket&) noexcept = default;
};

// What poll() asks for; the caller tells the shard.
struct pacer_signal {
    enum class kind : std::uint8_t {
        turn_near,  // at most two intervals away: connect
        permit,     // send IDENTIFY now, then call sent(); or release() if it cannot be sent
    } what;
    pacer_ticket who;
};

class pacer {
public:
    pacer(pacer_settings settings, session_start_limit limit, time_point now);

    // Joins the end of its key's queue. With `keep_place` a ticket that is still queued stays where
    // it is, once; the second time it goes to the end. `explicit_request` may spend the reserve.
    void request(pacer_ticket who, bool keep_place, bool explicit_request, time_point now);
    void ready(pacer_ticket who, bool is_ready,
               time_point now);  // HELLO is in / the connection is gone
    void cancel(pacer_ticket who, time_point now);
    void sent(pacer_ticket who, time_point now);  // a permit was used
    void release(pacer_ticket who,
                 time_point now);  // a permit was not used; back to the queue's end

    // Fresh numbers from Discord. A changed max_concurrency keeps every queue and makes each new
    // key wait one interval.
    void update(const session_start_limit& limit, time_point now);

    // What is due at `now`. Appends.
    void poll(time_point now, std::vector<pacer_signal>& out);
    [[nodiscard]] time_point deadline() const noexcept;

    [[nodiscard]] std::size_t waiting() const noexcept;
    [[nodiscard]] std::uint32_t remaining(time_point now) const noexcept;
    // The budget (less the reserve) is used up while someone waits: nothing happens before this
    // time.
    [[nodiscard]] std::optional<time_point> blocked_until(time_point now) const noexcept;
    // Until everything that waits has identified, if all goes well.
    [[nodiscard]] duration estimate(time_point now) const noexcept;

private:
    // To be filled in by the implementation.
};

}  // namespace shardgate
