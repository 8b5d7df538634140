// SPDX-License-Identifier: Apache-2.0
// When the daemon reshards by itself: the fullest shard's guild count, looked at every
// check_interval. Says when to ask for a plan, and warns when one is due and cannot be had. Pure.
// Owner: fleet. Rules: docs/resharding.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "shardgate/base/random.hpp"
#include "shardgate/base/time.hpp"
#include "shardgate/config/config.hpp"

namespace shardgate {

// The active set as it is now.
struct reshard_load {
    std::uint32_t total = 0;
    bool partial = false;       // this daemon does not hold all of it
    std::uint64_t fullest = 0;  // guilds on the fullest shard
};

class reshard_trigger {
public:
    // A failed attempt is repeated no later than that.
    static constexpr duration longest_wait = std::chrono::hours(24);

    enum class outcome : std::uint8_t {
        done,
        refused,  // the plan could not be made, or would not help
        failed,   // it ran and failed, or was aborted
    };

    // The first look is one check_interval away: until then nobody knows every guild.
    reshard_trigger(const config::resharding& rules, random_source& random, time_point now);

    // Call at deadline(). True: make a plan "auto", not by hand, and start it or say ended().
    [[nodiscard]] bool look(const reshard_load& load, time_point now);

    // A resharding begins, whoever wanted it: until ended() look() answers no.
    void started(time_point now);
    // How that ended, or that the plan look() asked for could not be had. `why`: a sentence, for
    // refused and failed.
    void ended(outcome how, std::string why, time_point now);

    // What an operator has to know now: the fullest shard nears the limit and nothing will help by
    // itself. For /readyz and the status.
    [[nodiscard]] const std::string& warning() const noexcept { return warning_; }
    // A warning that is new or was said long ago, to be logged; then nothing until it changes.
    [[nodiscard]] std::optional<std::string> take_log();

    [[nodiscard]] time_point deadline() const noexcept { return next_look_; }

private:
    void warn(const reshard_load& load);
    void say(std::string sentence);

    const config::resharding rules_;
    random_source& random_;
    time_point next_look_;
    time_point next_attempt_;  // not before
    duration wait_;            // after the next failure
    bool running_ = false;
    bool asked_ = false;    // look() said yes, and no answer came
    std::string obstacle_;  // why the last attempt came to nothing; empty = none
    std::string warning_, said_;
    std::optional<std::string> to_log_;
};

}  // namespace shardgate
