// SPDX-License-Identifier: Apache-2.0
#include "app/plan_facts.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "shardgate/reshard/plan.hpp"

namespace shardgate::facts {

namespace {

// The next number of a line of numbers.
template <class T>
bool take(std::string_view& text, T& out) {
    while (!text.empty() && text.front() == ' ')
        text.remove_prefix(1);
    const auto read = std::from_chars(text.data(), text.data() + text.size(), out);
    if (read.ec != std::errc{}) return false;
    text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
    return true;
}

std::optional<shard_range> take_range(std::string_view& text) {
    shard_range r;
    if (!take(text, r.gen.value) || !take(text, r.total.value) || !take(text, r.first.value) ||
        !take(text, r.last.value) || !take(text, r.base.value))
        return std::nullopt;
    const bool sound =
        r.gen.value > 0 && r.total.value > 0 && r.first <= r.last && r.last.value < r.total.value;
    return sound ? std::optional(r) : std::nullopt;
}

}  // namespace

std::string keys_of(generation gen) {
    return "keys/" + std::to_string(gen.value);
}

// The token begins with the bot's id; the rest of it is secret and may change.
std::string identity_of(const config::discord& d) {
    const std::string_view token = d.token.reveal();
    return std::string(token.substr(0, std::min(token.find('.'), std::size_t{64}))) + "/" +
           std::to_string(d.intents) + "/" + std::to_string(d.capabilities);
}

std::string disagreement(const shard_range& in_force, const config::sharding& wanted) {
    if (!wanted.total || *wanted.total == in_force.total.value) return {};
    return "sharding.total is " + std::to_string(*wanted.total) +
           " in the file, but the plan in force has " + std::to_string(in_force.total.value) +
           " shards: use `shardgate reshard` to change it";
}

std::string text_of(const shard_range& r) {
    return std::to_string(r.gen.value) + " " + std::to_string(r.total.value) + " " +
           std::to_string(r.first.value) + " " + std::to_string(r.last.value) + " " +
           std::to_string(r.base.value);
}

std::string text_of(const stored_reshard& r) {
    if (r.phase.empty()) return {};
    return r.phase + " " + std::to_string(r.from.value) + " " + text_of(r.to) + " " +
           std::to_string(r.started.time_since_epoch().count());
}

std::optional<shard_range> read_range(std::string_view text) {
    return take_range(text);
}

std::optional<stored_reshard> read_reshard(std::string_view text) {
    const std::size_t end = text.find(' ');
    if (end == std::string_view::npos) return std::nullopt;
    stored_reshard r;
    r.phase = text.substr(0, end);
    text.remove_prefix(end);
    if (!take(text, r.from.value)) return std::nullopt;
    const auto range = take_range(text);
    std::int64_t started = 0;
    if (!range || !take(text, started)) return std::nullopt;
    r.to = *range;
    r.started = wall_ms(std::chrono::milliseconds(started));
    return r;
}

}  // namespace shardgate::facts
