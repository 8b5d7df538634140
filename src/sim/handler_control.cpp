// SPDX-License-Identifier: Apache-2.0
// The event handler's switches over JSON. Read whole first, applied only when all of it is right.
#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/handler.hpp"

namespace shardgate::sim {
namespace {

struct handler_command {
    std::optional<bool> down, close_after_each;
    std::optional<std::vector<handler_rule>> rules;
    std::optional<handler_rule> add;
    std::optional<std::uint64_t> remove;
    std::optional<duration> idle_close;
    bool clear = false, arm = false;
};

std::optional<failure> read_flag(handler_command& out, std::string_view key,
                                 const boost::json::value& value) {
    if (!value.is_bool()) return failure(std::string(key) + ": true or false is wanted");
    if (key == "down") out.down = value.get_bool();
    if (key == "close_after_each") out.close_after_each = value.get_bool();
    if (key == "clear") out.clear = value.get_bool();
    if (key == "arm") out.arm = value.get_bool();
    return std::nullopt;
}

std::optional<failure> read_rules(handler_command& out, const boost::json::value& value) {
    const auto* list = value.if_array();
    if (list == nullptr) return failure("rules: an array is wanted");
    out.rules.emplace();
    for (const auto& one : *list) {
        auto rule = read_handler_rule(one);
        if (rule.has_error()) return rule.error();
        out.rules->push_back(std::move(*rule));
    }
    return std::nullopt;
}

std::optional<failure> read_member(handler_command& out, std::string_view key,
                                   const boost::json::value& value) {
    constexpr std::array<std::string_view, 4> flags{"down", "close_after_each", "clear", "arm"};
    if (std::find(flags.begin(), flags.end(), key) != flags.end())
        return read_flag(out, key, value);
    if (key == "rules") return read_rules(out, value);
    if (key == "add") {
        auto rule = read_handler_rule(value);
        if (rule.has_error()) return rule.error();
        out.add = std::move(*rule);
        return std::nullopt;
    }
    if (key != "remove" && key != "idle_close_ms")
        return failure(std::string(key) + ": unknown key");
    if (!value.is_int64() || value.get_int64() < 0 || value.get_int64() > 86400000)
        return failure(std::string(key) + ": a number from 0 to 86400000 is wanted");
    if (key == "remove") out.remove = static_cast<std::uint64_t>(value.get_int64());
    if (key == "idle_close_ms") out.idle_close = std::chrono::milliseconds(value.get_int64());
    return std::nullopt;
}

}  // namespace

result<boost::json::object> event_handler::control(const boost::json::value& command) {
    const auto* object = command.if_object();
    if (object == nullptr) return failure("an object is wanted");
    handler_command read;
    for (const auto& member : *object) {
        const std::string_view key(member.key().data(), member.key().size());
        if (auto problem = read_member(read, key, member.value())) return *problem;
    }
    boost::json::object out;
    if (read.clear || read.rules) clear_rules();
    for (handler_rule& rule : read.rules.value_or(std::vector<handler_rule>{}))
        add_rule(std::move(rule));
    if (read.add) out["added"] = add_rule(std::move(*read.add));
    if (read.remove) out["removed"] = remove_rule(*read.remove);
    if (read.idle_close) set_idle_close(*read.idle_close);
    if (read.close_after_each) set_close_after_each(*read.close_after_each);
    if (read.arm) arm_in_flight_record();
    if (read.down) set_down(*read.down);
    return out;
}

}  // namespace shardgate::sim
