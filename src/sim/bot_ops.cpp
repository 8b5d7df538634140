// SPDX-License-Identifier: Apache-2.0
#include "sim/bot_ops.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <optional>
#include <string_view>

#include "sim/json_text.hpp"
#include "sim/payloads.hpp"

namespace shardgate::sim {

namespace {

namespace json = boost::json;

constexpr std::size_t chunk_size = 1000;
constexpr std::size_t longest_nonce = 32;
constexpr std::size_t most_found = 100;  // by a prefix
constexpr std::uint64_t members_intent = 1U << 1;
constexpr std::uint64_t presences_intent = 1U << 8;
constexpr int voice_intent = 7;  // GUILD_VOICE_STATES
constexpr milliseconds list_window{30000};

std::optional<std::uint64_t> id_of(const json::value* v) {
    if (v == nullptr) return std::nullopt;
    if (v->is_int64() && v->get_int64() > 0) return static_cast<std::uint64_t>(v->get_int64());
    if (v->is_uint64()) return v->get_uint64();
    if (!v->is_string()) return std::nullopt;
    const json::string& s = v->get_string();
    std::uint64_t id = 0;
    const auto [end, ec] = std::from_chars(s.data(), s.data() + s.size(), id);
    if (ec != std::errc() || end != s.data() + s.size()) return std::nullopt;
    return id;
}

bool is_true(const json::value* v) {
    return v != nullptr && v->is_bool() && v->get_bool();
}

std::string name_of(std::uint32_t member) {
    return "member" + std::to_string(member);
}

void write_member(json_text& w, const guild& g, std::uint32_t member) {
    w(R"({"user":{"id":)").id(user_id(g.seed, member));
    w(R"(,"username":")")(name_of(member));
    w(R"(","global_name":null,"discriminator":"0","avatar":null,"bot":false,"public_flags":0},)"
      R"("nick":null,"roles":[],"joined_at":"2022-02-03T04:05:06.789000+00:00","deaf":false,)"
      R"("mute":false,"pending":false,"flags":0,"premium_since":null,"avatar":null,)"
      R"("communication_disabled_until":null})");
}

}  // namespace

struct bot_ops::member_request {
    const guild* in = nullptr;
    std::vector<std::uint32_t> found;
    std::vector<json::value> not_found;
    std::string nonce;
    bool whole_list = false, presences = false;
};

std::uint32_t bot_ops::members_of(const guild& g) const noexcept {
    if (options_.gateway.members != 0) return options_.gateway.members;
    return static_cast<std::uint32_t>(g.members + g.seed % 5000);  // as its GUILD_CREATE says
}

void bot_ops::on_command(session& from, std::int64_t op, const json::value* d, time_point now) {
    heard_.add(from.shard, from.shards, op, d, now);
    if (d == nullptr || !d->is_object()) return;
    const json::object& o = d->get_object();
    switch (op) {
    case 4: return voice(from, o, now);
    case 8: return members(from, o, now);
    case 31: return sounds(from, o, now);
    case 43: return channel_info(from, o, now);
    default: return;
    }
}

const guild* bot_ops::guild_for(const session& s, const json::value* id) const {
    const auto number = id_of(id);
    const auto index = number ? world_.find(*number) : std::nullopt;
    if (!index) return nullptr;
    const guild& g = world_.at(*index);
    return g.present && g.available && (g.id >> 22) % s.shards == s.shard ? &g : nullptr;
}

void bot_ops::voice(session& to, const json::object& d, time_point now) {
    const guild* const g = guild_for(to, d.if_contains("guild_id"));
    if (g == nullptr) {
        ++unanswered_;
        return;
    }
    const auto channel = id_of(d.if_contains("channel_id"));
    world_.set_voice(*world_.find(g->id), channel.value_or(0));
    // Everybody who has the guild sees where the bot is; how to speak is for who asked.
    occurrence moved;
    moved.t = "VOICE_STATE_UPDATE";
    moved.guild = moved.lane = g->id;
    moved.intent = voice_intent;
    const auto write = [&](std::string& text) {
        json_text w(text);
        w(R"({"guild_id":)").id(g->id)(R"(,"user_id":)").id(user_id(1, 0))(R"(,"channel_id":)");
        if (channel)
            w.id(*channel);
        else
            w("null");
        w(R"(,"session_id":")")(to.id)(R"(","self_mute":)");
        w(is_true(d.if_contains("self_mute")) ? "true" : "false")(R"(,"self_deaf":)");
        w(is_true(d.if_contains("self_deaf")) ? "true" : "false");
        w(R"(,"mute":false,"deaf":false,"suppress":false,"self_video":false)");
    };
    out_.publish(moved, write, now);
    if (!channel) return;
    std::string text;
    json_text w(text);
    w(R"({"token":"simulated","guild_id":)").id(g->id)(R"(,"endpoint":"voice.invalid:443"})");
    out_.direct(to, "VOICE_SERVER_UPDATE", text, now);
}

void bot_ops::members(session& to, const json::object& d, time_point now) {
    member_request r;
    r.in = guild_for(to, d.if_contains("guild_id"));
    const json::value* const query = d.if_contains("query");
    const json::value* const ids = d.if_contains("user_ids");
    const json::value* const limit = d.if_contains("limit");
    const std::string prefix =
        query != nullptr && query->is_string() ? std::string(query->get_string()) : std::string();
    const auto most = id_of(limit).value_or(0);
    if (r.in == nullptr || (query == nullptr && ids == nullptr)) {
        ++unanswered_;
        return;
    }
    if (const json::value* const nonce = d.if_contains("nonce");
        nonce != nullptr && nonce->is_string() && nonce->get_string().size() <= longest_nonce)
        r.nonce = nonce->get_string();
    r.presences = is_true(d.if_contains("presences")) && (to.intents & presences_intent) != 0;
    r.whole_list = ids == nullptr && prefix.empty() && most == 0;
    const std::uint32_t count = members_of(*r.in);
    if (ids != nullptr) {
        const json::array one{*ids};
        for (const json::value& v : ids->is_array() ? ids->get_array() : one) {
            const auto id = id_of(&v);
            std::uint32_t m = 0;
            while (m < count && (!id || user_id(r.in->seed, m) != *id))
                ++m;
            if (m < count)
                r.found.push_back(m);
            else
                r.not_found.push_back(v);
        }
    } else {
        const std::size_t bound =
            r.whole_list ? count : std::min<std::size_t>(most_found, most == 0 ? count : most);
        for (std::uint32_t m = 0; m < count && r.found.size() < bound; ++m)
            if (name_of(m).starts_with(prefix)) r.found.push_back(m);
    }
    // The list of everybody is for those who may know them (fact sheet 7).
    if (r.whole_list && (to.intents & members_intent) == 0) {
        ++unanswered_;
        return;
    }
    if (!too_soon(to, r, now)) send_chunks(to, r, now);
}

bool bot_ops::too_soon(session& to, const member_request& r, time_point now) {
    if (!r.whole_list) return false;
    const duration window = options_.scaled(list_window);
    const auto [last, first] = listed_.try_emplace(r.in->id, now);
    if (first || now - last->second >= window) {
        last->second = now;
        return false;
    }
    ++rate_limited_;
    const duration left = window - (now - last->second);
    json::object d;
    d["opcode"] = 8;
    d["retry_after"] = std::chrono::duration<double>(left).count();
    json::object meta{{"guild_id", std::to_string(r.in->id)}};
    if (!r.nonce.empty()) meta["nonce"] = r.nonce;
    d["meta"] = std::move(meta);
    out_.direct(to, "RATE_LIMITED", json::serialize(d), now);
    return true;
}

void bot_ops::send_chunks(session& to, const member_request& r, time_point now) {
    const std::size_t count =
        std::max<std::size_t>(1, (r.found.size() + chunk_size - 1) / chunk_size);
    for (std::size_t chunk = 0; chunk < count; ++chunk) {
        std::string text;
        json_text w(text);
        w(R"({"members":[)");
        const std::size_t end = std::min(r.found.size(), (chunk + 1) * chunk_size);
        for (std::size_t i = chunk * chunk_size; i < end; ++i) {
            if (i != chunk * chunk_size) w(",");
            write_member(w, *r.in, r.found[i]);
        }
        w(R"(],"guild_id":)").id(r.in->id);
        if (r.presences) w(R"(,"presences":[])");
        if (!r.not_found.empty())
            w(R"(,"not_found":)")(
                json::serialize(json::array(r.not_found.begin(), r.not_found.end())));
        if (!r.nonce.empty()) w(R"(,"nonce":)")(json::serialize(json::value(r.nonce)));
        w(R"(,"chunk_index":)").number(chunk)(R"(,"chunk_count":)").number(count)("}");
        out_.direct(to, "GUILD_MEMBERS_CHUNK", text, now);
        ++chunks_;
    }
}

void bot_ops::sounds(session& to, const json::object& d, time_point now) {
    const json::value* const ids = d.if_contains("guild_ids");
    if (ids == nullptr || !ids->is_array()) return;
    for (const json::value& id : ids->get_array()) {
        const guild* const g = guild_for(to, &id);
        if (g == nullptr) {
            ++unanswered_;
            continue;
        }
        std::string text;
        json_text w(text);
        w(R"({"soundboard_sounds":[],"guild_id":)").id(g->id)("}");
        out_.direct(to, "SOUNDBOARD_SOUNDS", text, now);
    }
}

void bot_ops::channel_info(session& to, const json::object& d, time_point now) {
    const guild* const g = guild_for(to, d.if_contains("guild_id"));
    const json::value* const fields = d.if_contains("fields");
    if (g == nullptr || fields == nullptr || !fields->is_array()) {
        ++unanswered_;
        return;
    }
    json::object channel{{"id", std::to_string(world::channel(*g, 0))}};
    for (const json::value& field : fields->get_array()) {
        if (field == "status") channel["status"] = nullptr;
        if (field == "voice_start_time") channel["voice_start_time"] = nullptr;
    }
    const json::object answer{{"guild_id", std::to_string(g->id)},
                              {"channels", json::array{std::move(channel)}}};
    out_.direct(to, "CHANNEL_INFO", json::serialize(answer), now);
}

json::object bot_ops::report() const {
    return {
        {"member_chunks", chunks_}, {"rate_limited", rate_limited_}, {"unanswered", unanswered_}};
}

void bot_ops::clear() {
    listed_.clear();
    heard_.clear();
    chunks_ = rate_limited_ = unanswered_ = 0;
}

}  // namespace shardgate::sim
