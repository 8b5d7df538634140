// SPDX-License-Identifier: Apache-2.0
#include "admin/discordeno.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "admin/bot_send.hpp"
#include "admin/json_text.hpp"
#include "shardgate/base/ids.hpp"
#include "shardgate/base/utf8.hpp"

namespace shardgate::admin {

namespace {

using boost::json::object;
using boost::json::value;

http_response json(unsigned status, const value& body) {
    http_response answer;
    answer.status = status;
    answer.body = to_text(body);
    return answer;
}

http_response message(unsigned status, std::string_view text) {
    return json(status, object{{"message", to_valid_utf8(text)}});
}

http_response processing() {
    return json(200, object{{"processing", true}});
}

http_response answer_of(const send_reply& reply) {
    if (reply.what == send_reply::kind::accepted) return processing();
    return as_message(refusal(reply));
}

std::optional<std::uint32_t> shard_number(const value* v) {
    if (v == nullptr || !v->is_int64() || v->get_int64() < 0 || v->get_int64() > 0xFFFFFFFF)
        return std::nullopt;
    return static_cast<std::uint32_t>(v->get_int64());
}

// As a string, or a number where the bot's JSON can hold one. 0: none.
std::optional<std::uint64_t> guild_id(const value* v) {
    if (v == nullptr || v->is_null()) return 0;
    if (v->is_uint64()) return v->get_uint64();
    if (v->is_int64() && v->get_int64() >= 0) return static_cast<std::uint64_t>(v->get_int64());
    if (!v->is_string()) return std::nullopt;
    const boost::json::string& s = v->get_string();
    std::uint64_t id = 0;
    const auto [end, ec] = std::from_chars(s.data(), s.data() + s.size(), id);
    if (ec != std::errc() || end != s.data() + s.size()) return std::nullopt;
    return id;
}

// What requestMembers() says of nobody in particular, which Discord answers only with a query.
object with_query(object d) {
    if (!d.contains("user_ids")) {
        if (!d.contains("query")) d["query"] = "";
        if (!d.contains("limit")) d["limit"] = 0;
    }
    return d;
}

// The guild says where it goes, whatever the bot believes: it knows neither our number of shards
// nor a resharding.
http_response send_payload(daemon_view& view, const object& o, const char* name) {
    const value* const payload = o.if_contains(name);
    const object* const p = payload != nullptr ? payload->if_object() : nullptr;
    const value* const op = p != nullptr ? p->if_contains("op") : nullptr;
    const value* const d = p != nullptr ? p->if_contains("d") : nullptr;
    if (op == nullptr || !op->is_int64() || d == nullptr || !d->is_object())
        return message(422, std::string(name) + R"( is {"op": …, "d": {…}}.)");
    send_request wanted;
    wanted.op = op->get_int64();
    if (wanted.op < 0 || wanted.op > 255) return message(422, "The op is none that can be sent.");
    const object& members = d->get_object();
    wanted.d = wanted.op == 8 ? boost::json::serialize(with_query(members))
                              : boost::json::serialize(members);
    if (!members.contains("guild_id") && !members.contains("guild_ids")) {
        wanted.shard = shard_number(o.if_contains("shardId"));
        if (!wanted.shard) return message(422, "shardId is not a shard's number.");
    }
    return answer_of(view.send(wanted));
}

http_response edit_presences(daemon_view& view, const object& o) {
    const value* const payload = o.if_contains("payload");
    if (payload == nullptr || !payload->is_object())
        return message(422, "payload is not a presence.");
    send_request wanted;
    wanted.op = 3;
    wanted.d = boost::json::serialize(*payload);
    return answer_of(view.send(wanted));
}

std::int64_t rtt_of(const shard_snapshot& s) {
    return s.latency_ms ? std::llround(*s.latency_ms) : -1;
}

http_response shard_info(const daemon_view& view, const object& o) {
    const auto guild = guild_id(o.if_contains("guildId"));
    if (!guild) return message(422, "guildId is not a guild's id.");
    const std::uint32_t active = view.status().generation;
    for (const shard_snapshot& s : view.shards()) {
        if (s.generation != active || s.total == 0) continue;
        if (s.id != shard_of(snowflake{*guild}, shard_count{s.total}).value) continue;
        return json(200, object{{"shardId", s.id}, {"rtt", rtt_of(s)}});
    }
    // Where Discordeno's own template looks for the reason.
    static constexpr const char* not_here = "The shard of that guild does not run here.";
    return json(400, object{{"message", not_here}, {"error", not_here}});
}

// Discordeno's ShardState, by our states.
int state_of(const shard_snapshot& s) {
    if (s.state == "ready" || s.state == "loading") return 0;  // connected
    if (s.state == "connecting") return 1;
    if (s.state == "resuming") return 4;
    if (s.state == "identifying") return 5;
    return s.state == "parked" ? 2 : 6;  // disconnected, offline
}

http_response all_shards(const daemon_view& view) {
    const std::uint32_t active = view.status().generation;
    boost::json::array all;
    for (const shard_snapshot& s : view.shards())
        if (s.generation == active)
            all.push_back(object{{"workerId", s.worker},
                                 {"shardId", s.id},
                                 {"rtt", rtt_of(s)},
                                 {"state", state_of(s)}});
    return json(200, all);
}

// What its requestMembers() takes, in Discord's names. The chunks come as events, as they do there.
http_response request_members(daemon_view& view, const object& o) {
    const auto guild = guild_id(o.if_contains("guildId"));
    if (!guild || *guild == 0) return message(422, "guildId is not a guild's id.");
    object d{{"guild_id", std::to_string(*guild)}};
    if (const value* const options = o.if_contains("options"); options != nullptr) {
        if (!options->is_object()) return message(422, "options is not an object.");
        for (const auto& option : options->get_object())
            d[option.key() == "userIds" ? boost::json::string_view("user_ids") : option.key()] =
                option.value();
    }
    send_request wanted;
    wanted.op = 8;
    wanted.d = boost::json::serialize(with_query(std::move(d)));
    return answer_of(view.send(wanted));
}

}  // namespace

http_response discordeno(daemon_view& view, std::string_view body) {
    boost::json::error_code bad;
    const value v = boost::json::parse({body.data(), body.size()}, bad);
    if (bad) return message(400, "The body is not JSON: " + bad.message() + ".");
    const object* const o = v.if_object();
    const value* const type = o != nullptr ? o->if_contains("type") : nullptr;
    if (type == nullptr || !type->is_string()) return message(422, "type is missing.");
    const boost::json::string& t = type->get_string();
    if (t == "ShardPayload") return send_payload(view, *o, "payload");
    if (t == "SHARD_PAYLOAD") return send_payload(view, *o, "data");
    if (t == "EditShardsPresence") return edit_presences(view, *o);
    if (t == "ShardInfoFromGuild") return shard_info(view, *o);
    if (t == "GET_SHARD_INFO") return all_shards(view);
    if (t == "REQUEST_MEMBERS") return request_members(view, *o);
    return message(422,
                   "type is none of ShardPayload, EditShardsPresence, ShardInfoFromGuild, "
                   "SHARD_PAYLOAD, GET_SHARD_INFO, REQUEST_MEMBERS.");
}

http_response timecheck() {
    const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::system_clock::now().time_since_epoch());
    return json(200, object{{"message", now.count()}});
}

http_response as_message(const http_response& refusal) {
    boost::json::error_code bad;
    const value v = boost::json::parse(refusal.body, bad);
    const value* const detail =
        !bad && v.is_object() ? v.get_object().if_contains("detail") : nullptr;
    http_response answer = message(refusal.status, detail != nullptr && detail->is_string()
                                                       ? std::string_view(detail->get_string())
                                                       : std::string_view("refused"));
    answer.headers = refusal.headers;
    return answer;
}

}  // namespace shardgate::admin
