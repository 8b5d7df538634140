// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "shardgate/shard/command_limiter.hpp"

#include <algorithm>

#include "shardgate/protocol/opcode.hpp"

namespace shardgate {
namespace {

// However fast the peer wants its beats, IDENTIFY and a few commands must get through.
constexpr unsigned least_answers = 20;

void forget_before(std::deque<time_point>& times, time_point limit) noexcept {
    while (!times.empty() && times.front() <= limit)
        times.pop_front();
}

}  // namespace

void command_limiter::begin(duration heartbeat_interval, bool slowed) noexcept {
    sent_.clear();
    const duration interval = std::max(heartbeat_interval, duration(std::chrono::milliseconds(1)));
    // Beats lie at least an interval apart, so a window holds no more than this.
    const auto beats = static_cast<unsigned>(window / interval) + 1;
    answers_ = std::max(least_answers, window_payloads - std::min(window_payloads, beats));
    // ceil(60 s / interval) + 1, as libraries that live well do it, and always one less than what
    // an asked-for beat may use.
    const duration minute = std::chrono::seconds(60);
    const auto reserve = static_cast<unsigned>((minute + interval - duration(1)) / interval) + 1;
    commands_ = std::min(answers_ - 1, window_payloads - std::min(window_payloads, reserve));
    if (slowed) commands_ /= 2;
}

std::size_t command_limiter::sent_lately(time_point now) noexcept {
    forget_before(sent_, now - window);
    return sent_.size();
}

bool command_limiter::may_answer(bool keep_one, time_point now) noexcept {
    return sent_lately(now) + (keep_one ? 1U : 0U) < answers_;
}

void command_limiter::count(time_point now) {
    forget_before(sent_, now - window);
    sent_.push_back(now);
}

time_point command_limiter::earliest(const gateway_command& command, time_point now) noexcept {
    if (commands_ == 0) return never;
    time_point when = now;
    const std::size_t used = sent_lately(now);
    if (used >= commands_) when = std::max(when, later(sent_[used - commands_], window));
    if (command.op == static_cast<std::int32_t>(opcode::presence_update)) {
        forget_before(presences_sent_, now - presence_window);
        if (presences_sent_.size() >= presences)
            when = std::max(when, later(presences_sent_.front(), presence_window));
    }
    if (command.full_member_list)
        if (const auto held = guild_free_at_.find(command.guild); held != guild_free_at_.end())
            when = std::max(when, held->second);
    return when;
}

void command_limiter::count(const gateway_command& command, time_point now) {
    count(now);
    if (command.op == static_cast<std::int32_t>(opcode::presence_update))
        presences_sent_.push_back(now);
    if (command.full_member_list) hold_guild(command.guild, later(now, member_list_window), now);
}

void command_limiter::rate_limited(snowflake guild, duration retry_after, time_point now) {
    hold_guild(guild, later(now, std::max(retry_after, duration::zero())), now);
}

void command_limiter::hold_guild(snowflake guild, time_point until, time_point now) {
    if (guild_free_at_.size() >= max_guilds && !guild_free_at_.contains(guild)) {
        std::erase_if(guild_free_at_, [now](const auto& held) { return held.second <= now; });
        if (guild_free_at_.size() >= max_guilds)
            guild_free_at_.erase(
                std::min_element(guild_free_at_.begin(), guild_free_at_.end(),
                                 [](const auto& a, const auto& b) { return a.second < b.second; }));
    }
    time_point& free_at = guild_free_at_[guild];
    free_at = std::max(free_at, until);
}

}  // namespace shardgate
