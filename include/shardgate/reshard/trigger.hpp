// SPDX-License-Identifier: Apache-2.0
// When the daemon reshards by itself: the fullest shard's guild count, looked at every
// check_interval. Says when to ask for a plan, and warns when one is due and cannot be had. Pure.
// Owner: fleet. Rules: docs/resharding.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "shardgate/base/random.hpp"
#include "shardgate/base/time.hpp"
#include "shardgate/config/config.hpp"

namespace shardgate {

// The active set as it is now.
struct reshard_load {
    bool partial = false;       // this daemon does not hold all of it
    std::uint64_t fullest = 0;  // guilds on the fullest shard, those in an outage included
};

class reshard_trigger {
public:
    // A failed attempt is repeated no later than that.
    static constexpr duration longest_wait = std::chrono::hours(24);

    enum class outcome : std::uint8_t {
        done,
        refused,  // the plan that look() asked for cannot be had, or would not help
        failed,   // a resharding failed or was aborted
    };

    // The first look is one check_interval away: until then nobody knows every guild.
    // `random` is borrowed.
    reshard_trigger(const config::resharding& rules, random_source& random, time_point now);

    // Other rules, from the next look on, which is not later than they say.
    void set_rules(const config::resharding& rules, time_point now);

    // Call at deadline(). True: ask for a plan, "auto" and not by hand; then comes started(), or
    // ended() with why not.
    [[nodiscard]] bool look(const reshard_load& load, time_point now);

    // A resharding begins, whoever wanted it: until ended() look() answers no.
    void started();
    // How it ended, or why look() asked in vain. `why`: a sentence, of refused and failed. A
    // request by hand that was refused is none of our business.
    void ended(outcome how, const std::string& why, time_point now);

    // What an operator has to know now, for /readyz and the status: the fullest shard nears the
    // limit and nothing will be done about it by itself. Empty: nothing.
    [[nodiscard]] const std::string& warning() const noexcept { return warning_; }
    // What is to be logged as a warning, each thing once. Ask after every other call.
    [[nodiscard]] std::optional<std::string> take_log();

    [[nodiscard]] time_point deadline() const noexcept { return next_look_; }

private:
    void warn(const reshard_load& load);
    void back_off(time_point now);
    [[nodiscard]] std::string obstacle(const reshard_load& load) const;

    config::resharding rules_;
    random_source& random_;
    time_point next_look_;
    time_point next_attempt_;   // not before
    duration wait_;             // after the next failure
    bool busy_ = false;         // look() said yes, or one runs
    std::string last_failure_;  // why the last attempt came to nothing; empty: it did not
    std::string warning_;
    std::string said_warning_, said_refusal_;  // what was logged, less its numbers
    std::optional<std::string> to_log_;
};

}  // namespace shardgate
