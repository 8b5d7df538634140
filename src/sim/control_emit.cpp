// SPDX-License-Identifier: Apache-2.0
// POST /emit: one thing, or some of the same, happening in the world now.
#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <charconv>

#include "sim/control.hpp"

namespace shardgate::sim {

namespace {

namespace json = boost::json;

struct emit_request {
    std::string what;
    std::uint64_t count = 1;
    std::optional<std::uint32_t> guild;  // nullopt = another one each time
    std::optional<std::uint32_t> shard;  // guilds of this shard only
    std::uint32_t shards = 0;
    bool dm = false;
    std::uint32_t type = 2;  // interaction
    bool from_component = false;
    bool on_message = false;  // interaction: a message's menu
    manner how;               // of messages
    std::string name = "SIMULATED_NOVELTY";
    std::uint64_t bytes = 16ULL << 20;
    double share = 0;  // outage, back: of all guilds
};

constexpr std::uint64_t count_max = 1000000;

bool whole(const json::object& o, std::string_view key, std::uint64_t& to) {
    const json::value* v = o.if_contains(key);
    if (!v) return true;
    if (!v->is_int64() || v->get_int64() < 0) return false;
    to = static_cast<std::uint64_t>(v->get_int64());
    return true;
}

result<void> read_place(const json::object& o, const parts& p, emit_request& r) {
    if (const json::value* id = o.if_contains("guild")) {
        std::uint64_t n = 0;
        if (id->is_string())
            std::from_chars(id->get_string().data(),
                            id->get_string().data() + id->get_string().size(), n);
        r.guild = p.guilds.find(n);
        if (!r.guild) return failure("guild: there is no such guild; its id as a string");
    }
    if (const json::value* shard = o.if_contains("shard")) {
        if (!shard->is_array() || shard->get_array().size() != 2 ||
            !shard->get_array()[0].is_int64() || !shard->get_array()[1].is_int64() ||
            shard->get_array()[0].get_int64() < 0 ||
            shard->get_array()[0].get_int64() >= shard->get_array()[1].get_int64())
            return failure("shard: [id, count]");
        r.shard = static_cast<std::uint32_t>(shard->get_array()[0].get_int64());
        r.shards = static_cast<std::uint32_t>(shard->get_array()[1].get_int64());
    }
    return {};
}

result<emit_request> read_emit(const json::value& v, const parts& p) {
    if (!v.is_object()) return failure("an object is wanted");
    const json::object& o = v.get_object();
    emit_request r;
    const json::value* what = o.if_contains("what");
    if (!what || !what->is_string()) return failure("what: a name is wanted");
    r.what = std::string(what->get_string());
    std::uint64_t type = 2;
    if (!whole(o, "count", r.count) || !whole(o, "type", type) || !whole(o, "bytes", r.bytes))
        return failure("count, type, bytes: whole numbers");
    if (r.count > count_max) return failure("count: at most a million");
    if (type < 2 || type > 5) return failure("type: 2 to 5");
    if (r.bytes > 256ULL << 20) return failure("bytes: at most 256 MiB");
    r.type = static_cast<std::uint32_t>(type);
    if (const json::value* b = o.if_contains("dm")) r.dm = b->is_bool() && b->get_bool();
    if (const json::value* b = o.if_contains("from_component"))
        r.from_component = b->is_bool() && b->get_bool();
    if (const json::value* b = o.if_contains("on_message"))
        r.on_message = b->is_bool() && b->get_bool();
    if (const json::value* b = o.if_contains("own")) r.how.own = b->is_bool() && b->get_bool();
    if (const json::value* b = o.if_contains("mentions_bot"))
        r.how.mentions_bot = b->is_bool() && b->get_bool();
    if (const json::value* n = o.if_contains("name"); n && n->is_string())
        r.name = std::string(n->get_string());
    if (const json::value* s = o.if_contains("share"); s && s->is_number())
        r.share = s->to_number<double>();
    if (const auto ok = read_place(o, p, r); !ok) return ok.error();
    return r;
}

std::optional<std::uint32_t> choose(parts& p, const emit_request& r) {
    if (r.guild) return r.guild;
    if (!r.shard) return p.guilds.pick_even(p.events.random());
    auto mine = p.guilds.on_shard(*r.shard, r.shards);
    std::erase_if(mine, [&](std::uint32_t i) { return !p.guilds.at(i).available; });
    if (mine.empty()) return std::nullopt;
    return mine[p.events.random().below(mine.size())];
}

std::optional<event_kind> kind_of(std::string_view what) {
    static constexpr std::array<std::pair<std::string_view, event_kind>, 28> names{{
        {"message", event_kind::message_create},
        {"reply", event_kind::message_reply},
        {"bot_message", event_kind::message_bot},
        {"edit", event_kind::message_edit},
        {"unfurl", event_kind::message_unfurl},
        {"delete", event_kind::message_delete},
        {"presence", event_kind::presence},
        {"typing", event_kind::typing},
        {"reaction", event_kind::reaction_add},
        {"voice", event_kind::voice_state},
        {"member_add", event_kind::member_add},
        {"member_update", event_kind::member_update},
        {"member_remove", event_kind::member_remove},
        {"ban", event_kind::ban_add},
        {"channel_update", event_kind::channel_update},
        {"role_update", event_kind::role_update},
        {"thread", event_kind::thread_create},
        {"invite", event_kind::invite_create},
        {"audit_log", event_kind::audit_log},
        {"join_request", event_kind::join_request},
        {"file", event_kind::message_file},
        {"poll", event_kind::message_poll},
        {"auto_moderation", event_kind::auto_moderation},
        {"entitlement", event_kind::entitlement},
        {"subscription", event_kind::subscription},
        {"user_update", event_kind::user_update},
        {"command_permissions", event_kind::command_permissions},
        {"own_member_update", event_kind::own_member_update},
    }};
    for (const auto& [name, kind] : names)
        if (name == what) return kind;
    return std::nullopt;
}

// Outage and return of one guild, or of a share of all.
std::uint64_t weather(parts& p, const emit_request& r, bool back, const moment& now) {
    std::uint64_t made = 0;
    const auto one = [&](std::uint32_t i) {
        const guild& g = p.guilds.at(i);
        if (!g.present || g.available == back) return;
        const bool ok = back ? p.events.back(i, now) : p.events.outage(i, now);
        if (ok) ++made;
    };
    if (r.guild) {
        one(*r.guild);
        return made;
    }
    const double share = r.share > 0 ? r.share : (back ? 1.0 : 0.05);
    for (std::uint32_t i = 0; i < p.guilds.size(); ++i)
        if (p.events.random().chance(share)) one(i);
    return made;
}

struct emitted {
    std::uint64_t made = 0;
    json::array ids;
};

bool interact(parts& p, const emit_request& r, const moment& now, emitted& done) {
    place where;
    if (r.dm) {
        if (p.guilds.dms() == 0) return false;
        where.channel = p.guilds.dm(p.events.random().below(p.guilds.dms()));
    } else {
        const auto at = choose(p, r);
        if (!at) return false;
        where.in = &p.guilds.at(*at);
        where.channel = world::channel(*where.in, 0);
    }
    const std::uint64_t id = p.events.interact(r.type, r.from_component, where, now, r.on_message);
    if (id == 0) return false;
    done.ids.push_back(json::value(std::to_string(id)));
    return true;
}

result<bool> one(parts& p, const emit_request& r, const moment& now, emitted& done) {
    if (r.what == "interaction") return interact(p, r, now, done);
    if (r.what == "guild_join") {
        std::optional<std::pair<std::uint32_t, std::uint32_t>> on;
        if (r.shard) on = {*r.shard, r.shards};
        const std::uint64_t id = p.events.join_guild(now, on);
        if (id != 0) done.ids.push_back(json::value(std::to_string(id)));
        return id != 0;
    }
    const auto kind = kind_of(r.what);
    if (kind && r.dm)
        return p.events.happen_in_dm(
            *kind, p.events.random().below(std::max<std::size_t>(1, p.guilds.dms())), now, r.how);
    const auto at = choose(p, r);
    if (!at) return false;
    if (kind) return p.events.happen(*kind, *at, now, r.how);
    if (r.what == "guild_leave") return p.events.leave_guild(*at, now);
    if (r.what == "ephemeral") return p.events.ephemeral(*at, now);
    if (r.what == "unknown") return p.events.invented(r.name, *at, now);
    if (r.what == "bulk") return p.events.padding(*at, r.bytes, now);
    return failure("what: unknown; see docs/simulator.md");
}

}  // namespace

result<json::value> control_emit(parts& p, const json::value& v, const moment& now) {
    const auto r = read_emit(v, p);
    if (!r) return r.error();
    emitted done;
    if (r->what == "outage" || r->what == "back") {
        done.made = weather(p, *r, r->what == "back", now);
    } else {
        for (std::uint64_t i = 0; i < r->count; ++i) {
            const auto ok = one(p, *r, now, done);
            if (!ok) return ok.error();
            if (*ok) ++done.made;
        }
    }
    json::object out{{"made", done.made}, {"next_n", p.out.next_number()}};
    if (!done.ids.empty()) out["ids"] = std::move(done.ids);
    return json::value(std::move(out));
}

}  // namespace shardgate::sim
