// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "shardgate/shard/command_queue.hpp"

#include <algorithm>
#include <utility>

#include "shardgate/protocol/opcode.hpp"

namespace shardgate {
namespace {

bool is_presence(const gateway_command& c) noexcept {
    return c.op == static_cast<std::int32_t>(opcode::presence_update);
}

}  // namespace

command_queue::command_queue(std::size_t capacity) noexcept : capacity_(capacity) {}

bool command_queue::add(gateway_command command, time_point now) {
    expire(now);
    if (is_presence(command)) {
        for (entry& e : waiting_) {
            if (!is_presence(e.command)) continue;
            e.command = std::move(command);
            ++coalesced_;
            return true;
        }
    }
    if (waiting_.size() >= capacity_) return false;
    waiting_.push_back(entry{std::move(command), now});
    return true;
}

std::optional<gateway_command> command_queue::take(command_limiter& limiter, time_point now) {
    expire(now);
    for (auto it = waiting_.begin(); it != waiting_.end(); ++it) {
        if (limiter.earliest(it->command, now) > now) continue;
        gateway_command command = std::move(it->command);
        waiting_.erase(it);
        limiter.count(command, now);
        return command;
    }
    return std::nullopt;
}

time_point command_queue::next(command_limiter& limiter, time_point now) const noexcept {
    time_point when = never;
    for (const entry& e : waiting_)
        when = std::min(when, limiter.earliest(e.command, now));
    return when;
}

void command_queue::drop_presence() noexcept {
    std::erase_if(waiting_, [](const entry& e) { return is_presence(e.command); });
}

void command_queue::expire(time_point now) {
    if (waiting_.empty()) return;  // asked at every event
    expired_ += std::erase_if(waiting_, [now](const entry& e) {
        return !is_presence(e.command) && now - e.since > max_age;
    });
}

}  // namespace shardgate
