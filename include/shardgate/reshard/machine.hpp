// SPDX-License-Identifier: Apache-2.0
// The course of one resharding: which step is next, when it has taken too long, how it is called
// off. Pure; owner: app. Rules: docs/resharding.md.
#pragma once

#include <cstdint>
#include <string>

#include "shardgate/base/time.hpp"

namespace shardgate {

// Stored on disk by name, shown in the admin API.
enum class reshard_state : std::uint8_t {
    idle,
    starting,  // the new set identifies and loads its guilds; withheld
    overlap,   // both sets' events are paired; the lead passes to the new set
    retiring,  // the old set's connections are being closed
    done,
    aborted,  // called off by a person
    failed    // called off by itself
};
[[nodiscard]] std::string_view name_of(reshard_state s) noexcept;

struct reshard_timing {
    duration overlap = std::chrono::seconds(10);
    duration expected_start{};  // of the last IDENTIFY of the new set, from now
    duration voice_drain{};     // how long shards of the old set may stay for voice
};

// What the machine sees when it is asked.
struct reshard_view {
    std::uint32_t shards = 1;  // of the new set
    std::uint32_t loaded = 0;  // of them: have had READY and their guilds
    bool settled = false;      // the pairing: see pairing::settled()
    bool both_gone = false;    // the set that is closed has no connection left
};

enum class reshard_step : std::uint8_t {
    none,
    store_windows,  // make durable that both sets are needed; then on_stored()
    open_windows,   // begin to pair
    prefer_new,
    store_plan,  // make the new plan durable; then on_stored()
    close_old,   // with 1000, at a pace
    finish,      // the new set is the set
    prefer_old,
    close_new,  // with 1000
    give_up,    // the old set is the set, as before
};

class reshard_machine {
public:
    // `again`: an earlier process was within the windows. They open at once, the old set leading.
    reshard_machine(reshard_timing timing, bool again, time_point now);

    // The next step, once for each; ask again until `none`.
    [[nodiscard]] reshard_step next(const reshard_view& view, time_point now);
    void on_stored() noexcept { stored_ = true; }
    // Calls it off, if that is still possible. `by_hand`: aborted, else failed.
    bool call_off(std::string reason, bool by_hand, time_point now);

    [[nodiscard]] reshard_state state() const noexcept;
    [[nodiscard]] bool over() const noexcept { return at_ == phase::over; }
    [[nodiscard]] bool calling_off() const noexcept;
    [[nodiscard]] const std::string& reason() const noexcept { return reason_; }
    // 0 to 100, and how long it will still take, as far as can be told.
    [[nodiscard]] std::uint32_t percent(const reshard_view& view, time_point now) const noexcept;
    [[nodiscard]] duration remaining(time_point now) const noexcept;
    [[nodiscard]] time_point deadline(time_point now) const noexcept;

private:
    enum class phase : std::uint8_t {
        starting,
        announcing,  // that the windows open is on its way to the disk
        rejoining,   // the windows are open, and the new set comes back
        recording,   // both sets' events are paired, the old set leads
        passing,     // the new set is preferred
        storing,     // the plan is on its way to the disk
        retiring,
        backing_out,  // the old set is preferred again
        closing_new,
        over,
    };
    [[nodiscard]] reshard_step enter(phase p, reshard_step step, time_point now);
    [[nodiscard]] duration longest() const noexcept;  // the phase may take, before it is called off

    reshard_timing timing_;
    phase at_ = phase::starting;
    time_point since_;
    bool stored_ = false;
    bool failed_ = false, by_hand_ = false;
    reshard_step pending_ = reshard_step::none;
    std::string reason_;
};

}  // namespace shardgate
