// SPDX-License-Identifier: Apache-2.0
// TOML tables to the JSON that Discord wants. Only what bots may set is accepted.
#include "config/presence.hpp"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "config/rules.hpp"
#include "config/text.hpp"

namespace shardgate::config {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 4> statuses{"online", "dnd", "idle", "invisible"};
constexpr std::array<std::string_view, 4> activity_keys{"name", "type", "url", "state"};
constexpr std::array<std::string_view, 3> property_keys{"os", "browser", "device"};
// Activity types (Discord docs, Activity Object).
constexpr std::int64_t streaming = 1;
constexpr std::int64_t custom = 4;
constexpr std::int64_t last_activity_type = 5;
constexpr std::size_t max_activity_text = 128;
constexpr std::size_t max_property = 128;

template <std::size_t N>
complaint unknown_part(const toml::table& t, const std::array<std::string_view, N>& known) {
    for (const auto& [key, value] : t)
        if (std::find(known.begin(), known.end(), key.str()) == known.end())
            return "has the unknown part " + in_quotes(key.str());
    return {};
}

// Puts an optional text into `out`; what is wrong with it otherwise.
complaint copy_text(const toml::table& from, std::string_view key, json::object& out) {
    const toml::node* value = from.get(key);
    if (value == nullptr) return {};
    const auto* text = value->as_string();
    const std::string name(key);
    if (text == nullptr) return "has a " + name + " that " + wrong_type(*value);
    const std::size_t length = characters(text->get());
    if (length == 0 || length > max_activity_text)
        return "has a " + name + " of " + std::to_string(length) + " characters";
    out[name] = std::string_view(text->get());
    return {};
}

complaint check_kind(std::int64_t type, json::object& out) {
    if (type == custom) {
        if (!out.contains("state")) return "is a custom status (type 4) without state";
        // Discord wants a name and does not show it.
        if (!out.contains("name")) out["name"] = "Custom Status";
    }
    if (!out.contains("name")) return "has no name";
    if (!out.contains("url")) return {};
    if (type != streaming) return "has a url but is not streaming (type 1)";
    const json::string& given = out.at("url").as_string();
    std::string url(given.data(), given.size());
    complaint wrong = support_url_rule(url);
    return wrong.empty() ? wrong : "has a url that " + wrong;
}

complaint read_activity(const toml::node& node, json::object& out) {
    const auto* table = node.as_table();
    if (table == nullptr) return wrong_type(node);
    if (complaint wrong = unknown_part(*table, activity_keys); !wrong.empty()) return wrong;
    if (complaint wrong = copy_text(*table, "name", out); !wrong.empty()) return wrong;
    std::int64_t type = 0;
    if (const toml::node* given = table->get("type")) {
        const auto* number = given->as_integer();
        if (number == nullptr) return "has a type that " + wrong_type(*given);
        type = number->get();
    }
    if (type < 0 || type > last_activity_type) return "has the type " + std::to_string(type);
    out["type"] = type;
    for (const std::string_view key : {std::string_view("url"), std::string_view("state")})
        if (complaint wrong = copy_text(*table, key, out); !wrong.empty()) return wrong;
    return check_kind(type, out);
}

complaint read_activities(const toml::node& node, json::array& out) {
    const auto* list = node.as_array();
    if (list == nullptr) return "has activities that " + wrong_type(node);
    for (const toml::node& element : *list) {
        json::object activity;
        const std::string which = "activity " + std::to_string(out.size() + 1) + ' ';
        if (complaint wrong = read_activity(element, activity); !wrong.empty())
            return which + wrong;
        out.emplace_back(std::move(activity));
    }
    return {};
}

complaint read_presence(draft& d, const toml::node& node) {
    const auto* table = node.as_table();
    if (table == nullptr) return wrong_type(node);
    if (table->empty()) {
        d.values.discord.presence.clear();
        return {};
    }
    constexpr std::array<std::string_view, 2> parts{"status", "activities"};
    if (complaint wrong = unknown_part(*table, parts); !wrong.empty()) return wrong;

    std::string status = "online";
    if (const toml::node* given = table->get("status")) {
        const auto* text = given->as_string();
        if (text == nullptr) return "has a status that " + wrong_type(*given);
        status = text->get();
    }
    if (std::find(statuses.begin(), statuses.end(), status) == statuses.end())
        return "has the status " + in_quotes(status);

    json::array activities;
    if (const toml::node* given = table->get("activities"))
        if (complaint wrong = read_activities(*given, activities); !wrong.empty()) return wrong;

    json::object presence;
    presence["since"] = nullptr;
    presence["activities"] = std::move(activities);
    presence["status"] = std::string_view(status);
    presence["afk"] = false;
    std::string text = json::serialize(json::value(std::move(presence)));
    if (text.size() > max_presence_json)
        return "takes " + std::to_string(text.size()) + " bytes as JSON";
    d.values.discord.presence = std::move(text);
    return {};
}

complaint read_properties(draft& d, const toml::node& node) {
    const auto* table = node.as_table();
    if (table == nullptr) return wrong_type(node);
    if (complaint wrong = unknown_part(*table, property_keys); !wrong.empty()) return wrong;
    json::object properties{{"os", "linux"}, {"browser", "shardgate"}, {"device", "shardgate"}};
    for (const std::string_view key : property_keys) {
        const toml::node* value = table->get(key);
        if (value == nullptr) continue;
        const auto* text = value->as_string();
        if (text == nullptr || text->get().empty() || text->get().size() > max_property)
            return "has a wrong " + std::string(key);
        properties[key] = std::string_view(text->get());
    }
    d.values.discord.properties = json::serialize(json::value(std::move(properties)));
    return {};
}

}  // namespace

entry presence_entry() {
    entry e;
    e.key = "discord.presence";
    e.default_text = "{}";
    e.allowed =
        R"({ status = "online", "dnd", "idle" or "invisible", activities = [{ name, type (0 to 5), )"
        R"(url (type 1), state (type 4) }] } of at most 4080 bytes as JSON, or {} for none)";
    e.meaning = "what IDENTIFY says the bot is doing";
    e.take = read_presence;
    e.same = compare(slot<std::string>(at<&settings::discord, &discord::presence>));
    e.copy = copier(slot<std::string>(at<&settings::discord, &discord::presence>));
    return e;
}

entry properties_entry() {
    entry e;
    e.key = "discord.properties";
    e.default_text = R"({ os = "linux", browser = "shardgate", device = "shardgate" })";
    e.allowed = "{ os, browser, device }, texts of 1 to 128 bytes";
    e.meaning = "how the connection names itself to Discord";
    e.take = read_properties;
    e.same = compare(slot<std::string>(at<&settings::discord, &discord::properties>));
    e.copy = copier(slot<std::string>(at<&settings::discord, &discord::properties>));
    return e;
}

}  // namespace shardgate::config
