// SPDX-License-Identifier: Apache-2.0
#include "shardgate/reshard/trigger.hpp"

#include <algorithm>
#include <utility>

#include "reshard/fill.hpp"
#include "reshard/words.hpp"

namespace shardgate {

reshard_trigger::reshard_trigger(const config::resharding& rules, random_source& random,
                                 time_point now)
    : rules_(rules),
      random_(random),
      next_look_(later(now, rules.check_interval)),
      next_attempt_(now),
      wait_(2 * duration(rules.check_interval)) {}

void reshard_trigger::set_rules(const config::resharding& rules, time_point now) {
    rules_ = rules;
    next_look_ = std::min(next_look_, later(now, rules.check_interval));
}

bool reshard_trigger::look(const reshard_load& load, time_point now) {
    if (now < next_look_) return false;
    next_look_ = later(now, rules_.check_interval);
    const bool due = load.fullest >= guilds_at(rules_.percentage);
    if (!due && !busy_) {  // guilds have left: what failed matters no more
        wait_ = 2 * duration(rules_.check_interval);
        next_attempt_ = now;
        last_failure_.clear();
        said_refusal_.clear();
    }
    warn(load);
    if (!due || busy_ || !rules_.enabled || load.partial || now < next_attempt_) return false;
    busy_ = true;
    return true;
}

void reshard_trigger::started() {
    busy_ = true;
    warning_.clear();
}

void reshard_trigger::ended(outcome how, const std::string& why, time_point now) {
    busy_ = false;
    next_look_ = later(now, rules_.check_interval);
    if (how == outcome::done) {
        wait_ = 2 * duration(rules_.check_interval);
        next_attempt_ = now;
        last_failure_.clear();
        said_refusal_.clear();
        return;
    }
    back_off(now);
    last_failure_ = why;
    if (how != outcome::refused || why == said_refusal_) return;
    said_refusal_ = why;
    to_log_ = "the shards are full enough to reshard, and that cannot start: " + why +
              " The next try is in " + span_text(next_attempt_ - now) + '.';
}

// Doubling, a quarter to either side, so that many daemons do not ask at once.
void reshard_trigger::back_off(time_point now) {
    const duration wait = std::min(random_.between(wait_ / 4 * 3, wait_ / 4 * 5), longest_wait);
    next_attempt_ = later(now, wait);
    wait_ = std::min(wait_ * 2, longest_wait);
}

std::optional<std::string> reshard_trigger::take_log() {
    return std::exchange(to_log_, std::nullopt);
}

// Why nothing will happen by itself; empty when something will.
std::string reshard_trigger::obstacle(const reshard_load& load) const {
    if (busy_) return {};
    if (!rules_.enabled) return "resharding.enabled is false";
    if (load.partial) return "this daemon holds a part of the shards";
    return last_failure_;
}

void reshard_trigger::warn(const reshard_load& load) {
    const std::string why = obstacle(load);
    warning_.clear();
    if (load.fullest < guilds_at(nearly_full) || why.empty()) {
        said_warning_.clear();
        return;
    }
    const bool full = load.fullest > guilds_per_shard;
    warning_ = "the fullest shard holds " + std::to_string(load.fullest) + " guilds of the " +
               std::to_string(guilds_per_shard) + " Discord allows, and no resharding starts by " +
               "itself: " + why;
    if (full)
        warning_ += (why.ends_with('.') ? " It" : ". It") +
                    std::string(" cannot identify any more once it loses its session.");
    std::string said = why + (full ? " full" : "");
    if (said == said_warning_) return;
    said_warning_ = std::move(said);
    to_log_ = warning_;
}

}  // namespace shardgate
