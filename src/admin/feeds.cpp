// SPDX-License-Identifier: Apache-2.0
#include "admin/feeds.hpp"

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "admin/problem.hpp"
#include "admin/strict.hpp"

namespace shardgate::admin {

namespace {

constexpr std::size_t most_values = 64;
constexpr const char* allowed = "type, guild, shard and payload=1";

http_response event_stream(std::shared_ptr<body_stream> stream) {
    http_response answer;
    answer.content_type = "text/event-stream";
    answer.headers.emplace_back("X-Accel-Buffering", "no");  // nginx: pass it on at once
    answer.stream = std::move(stream);
    return answer;
}

http_response full(std::string_view of) {
    http_response answer = problem(
        503, "Too many clients watch " + std::string(of) + " already; close one or try again.");
    answer.headers.emplace_back("Retry-After", "10");
    return answer;
}

// Calls `each` for every value of the parameter: repeated, or one list with commas.
template <class Each>
bool for_each_value(const target& t, std::string_view name, Each each) {
    for (const auto& [key, text] : t.parameters) {
        if (key != name) continue;
        std::string_view rest = text;
        for (;;) {
            const std::size_t comma = rest.find(',');
            if (!each(rest.substr(0, comma))) return false;
            if (comma == std::string_view::npos) break;
            rest.remove_prefix(comma + 1);
        }
    }
    return true;
}

template <class Number>
bool add_number(std::vector<Number>& to, std::string_view text) {
    Number value = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || read.ec != std::errc{} || read.ptr != text.data() + text.size())
        return false;
    to.push_back(value);
    return to.size() <= most_values;
}

std::optional<http_response> read_filter(const target& t, tail_filter& into) {
    if (auto no = refuse_others(t, {"type", "guild", "shard", "payload"}, allowed)) return no;
    const std::string most = std::to_string(most_values);
    const bool types = for_each_value(t, "type", [&](std::string_view text) {
        if (text.empty() || text.size() > 100) return false;
        into.types.emplace_back(text);
        return into.types.size() <= most_values;
    });
    if (!types) return problem(400, "type is an event's name; at most " + most + " of them.");
    if (!for_each_value(t, "guild", [&](auto text) { return add_number(into.guilds, text); }))
        return problem(400, "guild is a guild's id; at most " + most + " of them.");
    if (!for_each_value(t, "shard", [&](auto text) { return add_number(into.shards, text); }))
        return problem(400, "shard is a shard's number; at most " + most + " of them.");
    if (const std::string* const payload = t.parameter("payload")) {
        if (*payload != "0" && *payload != "1") return problem(400, "payload is 0 or 1.");
        into.payload = *payload == "1";
    }
    return std::nullopt;
}

}  // namespace

http_response open_events(live_feeds* feeds, const target& t) {
    tail_filter filter;
    if (auto no = read_filter(t, filter)) return *no;
    auto stream = feeds == nullptr ? nullptr : feeds->tail.open(std::move(filter));
    if (!stream) return full("the events");
    return event_stream(std::move(stream));
}

http_response open_stats(live_feeds* feeds, const target& t) {
    if (auto no = refuse_others(t, {}, "none")) return *no;
    auto stream = feeds == nullptr ? nullptr : feeds->stats.open();
    if (!stream) return full("the figures");
    return event_stream(std::move(stream));
}

}  // namespace shardgate::admin
