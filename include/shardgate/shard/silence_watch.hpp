// SPDX-License-Identifier: Apache-2.0
// Notices a shard whose heartbeats are fine but whose events have stopped, against its own habit
// and its siblings' (configuration: [watchdog] silence). Says "resume it", later "identify it
// again", for one shard at a time. Pure. Owner: fleet. Reasoning: docs/protocol.md, Silence.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "shardgate/base/ids.hpp"
#include "shardgate/base/time.hpp"
#include "shardgate/protocol/event_name.hpp"

namespace shardgate {

struct silence_settings {
    duration tick = std::chrono::seconds(1);     // how often poll() looks
    duration memory = std::chrono::minutes(10);  // time constant of the habit
    duration least_silence = std::chrono::seconds(30);
    // Silence is a finding when at least this many events were to be expected meanwhile. Were they
    // independent, the chance of none would be e^-50; they are not, hence so many.
    double enough_expected = 50;
    // The siblings must have had at least this share of what they are used to.
    double siblings_alive = 0.5;
    duration cooldown = std::chrono::minutes(30);     // after the second step, for that shard
    duration step_timeout = std::chrono::minutes(5);  // a step that shows no effect, either way
};

enum class silence_step : std::uint8_t { resume, identify };
struct silence_advice {
    shard_id shard;
    silence_step step;
    shed_class what;  // the class of events that stopped
    duration silent;  // for so long
    double expected;  // so many were to be expected
};

class silence_watch {
public:
    // Watches the shards first … first + count - 1.
    silence_watch(silence_settings settings, shard_id first, std::uint32_t count, time_point now);

    // A dispatch came. READY and RESUMED say nothing about the stream: leave them out.
    void on_event(shard_id shard, shed_class what) noexcept;
    // The shard's state became `ready` (its guilds are loaded: the flood before is no habit) or is
    // not any more. Only a live shard can be silent.
    void on_live(shard_id shard, bool live, time_point now) noexcept;

    // Looks; at most one piece of advice. The caller does it, and leaves out `identify` when the
    // budget forbids it.
    [[nodiscard]] std::optional<silence_advice> poll(time_point now);
    [[nodiscard]] time_point deadline() const noexcept { return next_tick_; }

private:
    struct stream {
        std::uint32_t fresh = 0;    // since the last tick
        double habit = 0;           // events a second
        duration watched{};         // how long the habit has been formed, live time only
        time_point accounted{};     // the habit is formed up to here
        time_point silent_since{};  // the last tick with events, or when it became live
    };
    struct shard_watch {
        std::array<stream, shed_class_count> streams;
        bool live = false;
        time_point left_alone_until = time_point::min();
    };
    // All events of one class over all shards, counted up to each of the last ticks.
    using ring = std::vector<std::uint64_t>;
    struct case_file {  // the shard being treated
        std::size_t shard;
        std::size_t what;
        silence_step step;
        time_point advised;
        time_point gives_up;
    };

    void learn(stream& s, duration span) const noexcept;
    void account(time_point now);
    void settle_case(time_point now);
    [[nodiscard]] double siblings_factor(std::size_t shard, std::size_t what, duration span) const;
    [[nodiscard]] std::optional<double> silent_expectation(std::size_t shard, std::size_t what,
                                                           time_point now) const;
    [[nodiscard]] std::optional<silence_advice> advise(std::size_t shard, std::size_t what,
                                                       time_point now);

    silence_settings settings_;
    std::uint32_t first_;
    std::vector<shard_watch> shards_;
    std::array<ring, shed_class_count> ticks_;
    std::array<double, shed_class_count> habits_{};  // sum over live shards
    std::size_t cursor_ = 0;
    time_point last_tick_;
    time_point next_tick_;
    std::optional<case_file> case_;
};

}  // namespace shardgate
