// SPDX-License-Identifier: Apache-2.0
// See the header. Each check answers what is wrong, or nothing.
#include "shardgate/shard/compose.hpp"

#include <boost/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "shard/json_snowflake.hpp"
#include "shardgate/protocol/opcode.hpp"
#include "shardgate/protocol/outbound.hpp"

namespace shardgate {
namespace {

namespace json = boost::json;
using wrong = std::optional<std::string>;

bool is_whole(const json::value& v) noexcept {
    return v.is_int64() || v.is_uint64();
}

// `name` is there and fits, or is not there.
template <class Fits>
wrong member(const json::object& o, std::string_view name, std::string_view allowed, Fits fits) {
    const json::value* v = o.if_contains({name.data(), name.size()});
    if (v == nullptr || fits(*v)) return std::nullopt;
    return "d." + std::string(name) + " is not " + std::string(allowed);
}

template <class Fits>
wrong required(const json::object& o, std::string_view name, std::string_view allowed, Fits fits) {
    if (!o.contains({name.data(), name.size()}))
        return "d." + std::string(name) + " is missing: " + std::string(allowed);
    return member(o, name, allowed, fits);
}

wrong first_of(std::initializer_list<wrong> all) {
    for (const wrong& w : all)
        if (w) return w;
    return std::nullopt;
}

const auto a_bool = [](const json::value& v) { return v.is_bool(); };
const auto a_string = [](const json::value& v) { return v.is_string(); };
const auto a_snowflake = [](const json::value& v) { return read_snowflake(v).has_value(); };

bool is_status(const json::value& v) {
    if (!v.is_string()) return false;
    const json::string& s = v.get_string();
    return s == "online" || s == "dnd" || s == "idle" || s == "invisible" || s == "offline";
}

bool are_activities(const json::value& v) {
    if (!v.is_array()) return false;
    for (const json::value& a : v.get_array()) {
        if (!a.is_object()) return false;
        const json::value* name = a.get_object().if_contains("name");
        const json::value* type = a.get_object().if_contains("type");
        if (name == nullptr || !name->is_string() || type == nullptr || !is_whole(*type))
            return false;
    }
    return true;
}

wrong check_presence(const json::object& d) {
    return first_of(
        {member(d, "since", "unix milliseconds or null",
                [](const json::value& v) { return v.is_null() || is_whole(v); }),
         member(d, "status", "\"online\", \"dnd\", \"idle\", \"invisible\" or \"offline\"",
                is_status),
         member(d, "activities", "an array of objects with a name and a type, a whole number",
                are_activities),
         member(d, "afk", "true or false", a_bool)});
}

wrong check_voice(const json::object& d) {
    return first_of({required(d, "guild_id", "a guild's id", a_snowflake),
                     required(d, "channel_id", "a channel's id, or null to leave",
                              [](const json::value& v) { return v.is_null() || a_snowflake(v); }),
                     member(d, "self_mute", "true or false", a_bool),
                     member(d, "self_deaf", "true or false", a_bool)});
}

bool are_user_ids(const json::value& v) {
    if (!v.is_array()) return a_snowflake(v);
    const json::array& all = v.get_array();
    if (all.empty() || all.size() > most_user_ids) return false;
    for (const json::value& id : all)
        if (!a_snowflake(id)) return false;
    return true;
}

wrong check_members(const json::object& d) {
    const bool by_id = d.contains("user_ids");
    if (by_id && d.contains("query") && !d.at("query").is_null() &&
        !(d.at("query").is_string() && d.at("query").get_string().empty()))
        return "d has a query and user_ids: one of them";
    if (!by_id && !d.contains("query")) return "d has neither a query nor user_ids: one of them";
    return first_of(
        {required(d, "guild_id", "a guild's id", a_snowflake),
         member(d, "query", "a string", a_string),
         by_id ? std::nullopt
               : required(d, "limit", "a whole number from 0, 0 being all",
                          [](const json::value& v) {
                              return v.is_uint64() || (v.is_int64() && v.get_int64() >= 0);
                          }),
         member(d, "user_ids", "a user's id or an array of 1 to 100 of them", are_user_ids),
         member(d, "presences", "true or false", a_bool),
         member(d, "nonce", "a string", a_string)});
}

wrong check_nonce(const json::object& d) {
    const json::value* nonce = d.if_contains("nonce");
    if (nonce == nullptr) return std::nullopt;
    const json::string& text = nonce->get_string();
    if (text.size() > longest_nonce)
        return "d.nonce has " + std::to_string(text.size()) +
               " bytes: Discord leaves nonces of more than " + std::to_string(longest_nonce) +
               " out of its answer";
    if (text.starts_with({own_nonce.data(), own_nonce.size()}))
        return "d.nonce begins with \"" + std::string(own_nonce) +
               "\", which marks the daemon's own requests";
    return std::nullopt;
}

wrong check_sounds(const json::object& d, shard_count shards) {
    const auto an_id_array = [](const json::value& v) {
        if (!v.is_array() || v.get_array().empty()) return false;
        for (const json::value& id : v.get_array())
            if (!a_snowflake(id)) return false;
        return true;
    };
    if (wrong w = required(d, "guild_ids", "an array of guilds' ids", an_id_array)) return w;
    const json::array& all = d.at("guild_ids").get_array();
    const shard_id first = shard_of(*read_snowflake(all.front()), shards);
    for (const json::value& id : all)
        if (shard_of(*read_snowflake(id), shards) != first)
            return "d.guild_ids are guilds of several shards: one request for each shard";
    return std::nullopt;
}

wrong check_channel_info(const json::object& d) {
    const auto strings = [](const json::value& v) {
        if (!v.is_array()) return false;
        for (const json::value& name : v.get_array())
            if (!name.is_string()) return false;
        return true;
    };
    return first_of({required(d, "guild_id", "a guild's id", a_snowflake),
                     required(d, "fields", "an array of strings", strings)});
}

wrong check(std::int32_t op, const json::object& d, shard_count shards) {
    switch (static_cast<opcode>(op)) {
    case opcode::presence_update: return check_presence(d);
    case opcode::voice_state_update: return check_voice(d);
    case opcode::request_guild_members:
        if (wrong w = check_members(d)) return w;
        return check_nonce(d);
    case opcode::request_soundboard_sounds: return check_sounds(d, shards);
    case opcode::request_channel_info: return check_channel_info(d);
    default: return std::nullopt;  // read_command() refuses it
    }
}

// What a bot that sets only its status leaves out. All four are required (Discord docs, Gateway
// Events, Update Presence).
void complete_presence(json::object& d) {
    const auto fill = [&d](const char* name, json::value value) {
        if (!d.contains(name)) d[name] = std::move(value);
    };
    fill("since", nullptr);
    fill("activities", json::array());
    fill("status", "online");
    fill("afk", false);
}

result<json::value> parse_object(std::string_view text) {
    error_code ec;
    json::value v = json::parse({text.data(), text.size()}, ec);
    if (ec) return failure("d is not JSON: " + ec.message());
    if (!v.is_object()) return failure("d is not an object");
    return v;
}

result<gateway_command> command_of(std::int32_t op, const json::object& d) {
    result<gateway_command> command =
        read_command("{\"op\":" + std::to_string(op) + ",\"d\":" + json::serialize(d) + "}", op);
    if (!command || op != static_cast<std::int32_t>(opcode::request_soundboard_sounds))
        return command;
    command->guild = *read_snowflake(d.at("guild_ids").get_array().front());
    return command;
}

}  // namespace

result<gateway_command> compose_command(std::int32_t op, std::string_view text,
                                        shard_count shards) {
    result<json::value> read = parse_object(text);
    if (!read) return read.error();
    json::object& d = read->get_object();
    if (wrong w = check(op, d, shards)) return failure(std::move(*w));
    if (op != static_cast<std::int32_t>(opcode::presence_update)) return command_of(op, d);
    // A guild only says which shard: Discord's presence has none.
    snowflake guild;
    if (const json::value* id = d.if_contains("guild_id")) {
        const auto read_id = read_snowflake(*id);
        if (!read_id) return failure("d.guild_id is not a guild's id");
        guild = *read_id;
        d.erase("guild_id");
    }
    complete_presence(d);
    result<gateway_command> command = command_of(op, d);
    if (command) command->guild = guild;
    return command;
}

result<gateway_command> presence_for(const gateway_command& presence, shard_id shard,
                                     shard_count shards) {
    return read_command("{\"op\":3,\"d\":" + fill_presence(presence.presence, shard, shards) + "}",
                        static_cast<std::int32_t>(opcode::presence_update));
}

result<gateway_command> compose_member_request(snowflake guild, std::string_view text,
                                               std::string_view nonce) {
    result<json::value> read = parse_object(text);
    if (!read) return read.error();
    json::object& d = read->get_object();
    for (const auto& m : d)
        if (m.key() != "query" && m.key() != "limit" && m.key() != "user_ids" &&
            m.key() != "presences")
            return failure("the request has a member \"" + std::string(m.key()) +
                           "\"; allowed: query, limit, user_ids, presences");
    if (!d.contains("user_ids")) {
        if (!d.contains("query")) d["query"] = "";
        if (!d.contains("limit")) d["limit"] = 0;
    }
    // Two requests that differ in the order of their members alone are one.
    json::object whole;
    whole["guild_id"] = std::to_string(guild.value);
    for (const char* name : {"query", "limit", "user_ids", "presences"})
        if (const json::value* v = d.if_contains(name)) whole[name] = *v;
    if (wrong w = check_members(whole)) return failure(std::move(*w));
    whole["nonce"] = nonce;
    return command_of(static_cast<std::int32_t>(opcode::request_guild_members), whole);
}

}  // namespace shardgate
