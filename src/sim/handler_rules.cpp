// SPDX-License-Identifier: Apache-2.0
// Rules: matching, and reading them from the control API's JSON.
#include "sim/handler_rules.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "sim/truth.hpp"

namespace shardgate::sim {
namespace {

using act = handler_rule::act;
constexpr std::array<std::pair<std::string_view, act>, 6> acts{{{"status", act::answer},
                                                                {"hang", act::hang},
                                                                {"drop", act::drop},
                                                                {"half_header", act::half_header},
                                                                {"huge_body", act::huge_body},
                                                                {"nonsense", act::nonsense}}};

bool fits(const handler_rule& rule, std::string_view target,
          const std::vector<posted_event>& events, const truth& book) {
    if (!rule.path.empty() && !target.starts_with(rule.path)) return false;
    if (rule.lane == 0 && rule.n == 0 && rule.event.empty()) return true;
    return std::any_of(events.begin(), events.end(), [&](const posted_event& e) {
        return (rule.n == 0 || rule.n == e.n) && (rule.event.empty() || rule.event == e.name) &&
               (rule.lane == 0 || rule.lane == book.lane_of(e.n));
    });
}

std::optional<std::uint64_t> number_in(const boost::json::value& json) {
    if (json.is_uint64()) return json.get_uint64();
    if (json.is_int64() && json.get_int64() >= 0)
        return static_cast<std::uint64_t>(json.get_int64());
    const auto* text = json.if_string();
    if (text == nullptr || text->empty()) return std::nullopt;
    std::uint64_t value = 0;
    const auto end = text->data() + text->size();
    const auto [at, ec] = std::from_chars(text->data(), end, value);
    if (ec != std::errc{} || at != end) return std::nullopt;
    return value;
}

failure wrong(std::string_view key, std::string_view what) {
    return failure("rule: " + std::string(key) + ": " + std::string(what));
}

std::optional<failure> read_text(handler_rule& rule, std::string_view key,
                                 const boost::json::value& value) {
    const auto* text = value.if_string();
    if (text == nullptr) return wrong(key, "a string is wanted");
    const std::string taken(text->data(), text->size());
    if (taken.find_first_of("\r\n") != std::string::npos) return wrong(key, "a line break");
    if (key == "event") rule.event = taken;
    if (key == "path") rule.path = taken;
    if (key == "retry_after") rule.retry_after = taken;
    if (key != "do") return std::nullopt;
    const auto found = std::find_if(acts.begin(), acts.end(),
                                    [&taken](const auto& a) { return a.first == taken; });
    if (found == acts.end())
        return wrong(key, "one of status, hang, drop, half_header, huge_body, nonsense");
    rule.what = found->second;
    return std::nullopt;
}

std::optional<failure> read_number(handler_rule& rule, std::string_view key,
                                   const boost::json::value& value) {
    const auto number = number_in(value);
    if (!number) return wrong(key, "a number is wanted");
    if (key == "lane") rule.lane = *number;
    if (key == "n") rule.n = *number;
    if (key == "times") rule.times = *number;
    if (key == "delay_ms") {
        if (*number > 3600000) return wrong(key, "at most an hour");
        rule.delay = std::chrono::milliseconds(static_cast<std::int64_t>(*number));
    }
    if (key == "status") {
        if (*number < 200 || *number > 599) return wrong(key, "200 to 599");
        rule.status = static_cast<unsigned>(*number);
    }
    return std::nullopt;
}

std::optional<failure> read_key(handler_rule& rule, std::string_view key,
                                const boost::json::value& value) {
    constexpr std::array texts{"event", "path", "do"};
    constexpr std::array numbers{"lane", "n", "times", "delay_ms", "status"};
    if (key == "close") {
        if (!value.is_bool()) return wrong(key, "true or false is wanted");
        rule.close = value.get_bool();
        return std::nullopt;
    }
    if (key == "retry_after" && value.is_int64()) {
        rule.retry_after = std::to_string(value.get_int64());
        return std::nullopt;
    }
    if (key == "retry_after" || std::find(texts.begin(), texts.end(), key) != texts.end())
        return read_text(rule, key, value);
    if (std::find(numbers.begin(), numbers.end(), key) != numbers.end())
        return read_number(rule, key, value);
    return wrong(key, "unknown key");
}

}  // namespace

std::string_view name_of(handler_rule::act what) noexcept {
    for (const auto& [name, value] : acts)
        if (value == what) return name;
    return "status";
}

std::uint64_t handler_rules::add(handler_rule rule) {
    rules_.push_back({++last_, std::move(rule)});
    return last_;
}

bool handler_rules::remove(std::uint64_t number) {
    return std::erase_if(rules_, [number](const entry& e) { return e.number == number; }) > 0;
}

handler_rule handler_rules::choose(std::string_view target, const std::vector<posted_event>& events,
                                   const truth& book) {
    for (auto it = rules_.begin(); it != rules_.end(); ++it) {
        if (!fits(it->rule, target, events, book)) continue;
        handler_rule out = it->rule;
        if (it->rule.times > 0 && --it->rule.times == 0) rules_.erase(it);
        return out;
    }
    return {};
}

result<handler_rule> read_handler_rule(const boost::json::value& json) {
    const auto* object = json.if_object();
    if (object == nullptr) return failure("rule: an object is wanted");
    handler_rule rule;
    for (const auto& member : *object) {
        const std::string_view key(member.key().data(), member.key().size());
        if (auto problem = read_key(rule, key, member.value())) return *problem;
    }
    if (rule.what == act::huge_body && object->if_contains("status") == nullptr) rule.status = 200;
    return rule;
}

}  // namespace shardgate::sim
