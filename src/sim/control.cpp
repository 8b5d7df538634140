// SPDX-License-Identifier: Apache-2.0
// Load, faults, expectations, and what is read back. Single events are in control_emit.cpp,
// settings in control_settings.cpp.
#include "sim/control.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <charconv>
#include <map>
#include <vector>

namespace shardgate::sim {

namespace json = boost::json;

namespace {

double ms_since(time_point from, time_point to) {
    return std::chrono::duration<double, std::milli>(to - from).count();
}

result<expectation> read_expectation(const json::value& v) {
    if (v.is_string()) {
        if (v.get_string() == "arrives") return expectation::arrives;
        if (v.get_string() == "may_arrive") return expectation::may_arrive;
        if (v.get_string() == "filtered") return expectation::filtered;
    }
    return failure("arrives, may_arrive or filtered");
}

bool asks(const json::object& o, std::string_view key) {
    const json::value* v = o.if_contains(key);
    return v && v->is_bool() && v->get_bool();
}

// "totals": {"16": "filtered", …}: all of them anew.
bool read_totals(const json::value& v, std::map<std::uint32_t, expectation>& into) {
    if (!v.is_object()) return false;
    into.clear();
    for (const auto& member : v.get_object()) {
        const std::string_view key(member.key().data(), member.key().size());
        std::uint32_t total = 0;
        const auto [at, ec] = std::from_chars(key.data(), key.data() + key.size(), total);
        const auto e = read_expectation(member.value());
        if (ec != std::errc{} || at != key.data() + key.size() || !e) return false;
        into[total] = *e;
    }
    return true;
}

bool read_names(const json::value* v, std::set<std::string, std::less<>>& into) {
    if (!v) return true;
    if (!v->is_array()) return false;
    into.clear();
    for (const json::value& name : v->get_array()) {
        if (!name.is_string()) return false;
        into.emplace(name.get_string());
    }
    return true;
}

}  // namespace

result<json::value> control_grow(parts& p, const json::value& v, const moment& now) {
    if (!v.is_object()) return failure("an object is wanted");
    if (asks(v.get_object(), "stop")) {
        p.grow.stop();
        return json::value(p.grow.report());
    }
    auto plan = read_growth(v);
    if (!plan) return plan.error();
    p.grow.start(std::move(*plan), now.at);
    return json::value(p.grow.report());
}

result<json::value> control_load(parts& p, const json::value& v, const moment& now) {
    if (!v.is_object()) return failure("an object is wanted");
    if (asks(v.get_object(), "stop")) {
        p.generator.stop();
        return json::value(json::object{{"made", p.generator.made()}});
    }
    auto plan = read_load(v, p.settings, p.guilds);
    if (!plan) return plan.error();
    p.generator.start(std::move(*plan), now.at);
    return json::value(json::object{{"running", true}, {"made", p.generator.made()}});
}

result<json::value> control_fault(parts& p, const json::value& v, const moment& now) {
    if (v.is_object() && v.get_object().contains("rest")) {
        const auto f = read_rest_fault(v.get_object().at("rest"));
        if (!f) return f.error();
        p.rest.add(*f, now.at);
        return json::value(json::object{{"armed", 1}});
    }
    if (v.is_object() && v.get_object().contains("clear")) {
        p.gate.faults().clear();
        p.rest.clear_faults();
        return json::value(json::object{});
    }
    const auto f = read_fault(v, p.settings, now.at);
    if (!f) return f.error();
    const std::size_t met = p.gate.inject(*f, now.at);
    return json::value(json::object{{"met", met}, {"armed", p.gate.faults().report(now.at)}});
}

result<json::value> control_expect(parts& p, const json::value& v) {
    if (!v.is_object()) return failure("an object is wanted");
    const json::object& o = v.get_object();
    expectations wanted = p.out.expected();
    if (!read_names(o.if_contains("drop"), wanted.drop) ||
        !read_names(o.if_contains("only"), wanted.only))
        return failure("drop, only: arrays of event names");
    if (const json::value* loading = o.if_contains("loading_guilds")) {
        const auto e = read_expectation(*loading);
        if (!e) return e.error();
        wanted.loading_guilds = *e;
    }
    if (const json::value* second = o.if_contains("resharding")) {
        wanted.resharding.reset();  // null: as loading_guilds
        if (!second->is_null()) {
            const auto e = read_expectation(*second);
            if (!e) return e.error();
            wanted.resharding = *e;
        }
    }
    if (const json::value* totals = o.if_contains("totals"))
        if (!read_totals(*totals, wanted.totals))
            return failure("totals: {\"16\": \"filtered\", …}");
    if (const json::value* unfurls = o.if_contains("unfurls")) {
        const auto e = read_expectation(*unfurls);
        if (!e) return e.error();
        wanted.unfurls = *e;
    }
    p.out.expected() = std::move(wanted);
    return json::value(json::object{});
}

json::value control_state(const parts& p, const moment& now) {
    json::object o = p.gate.state(now.at);
    o["guilds"] = p.guilds.present();
    o["totals"] = control_totals(p);
    o["growth"] = p.grow.report();
    o["load"] = json::object{{"running", p.generator.running()},
                             {"made", p.generator.made()},
                             {"follow_ups", p.events.follow_ups()}};
    o["scale"] = p.settings.scale;
    o["uptime_ms"] = ms_since(p.started, now.at);
    return o;
}

json::object control_totals(const parts& p) {
    struct total {
        std::uint64_t sessions = 0, connected = 0, guilds = 0;
        std::uint64_t identifies = 0, resumes = 0;
        std::vector<bool> live;  // shards with a session
    };
    std::map<std::uint32_t, total> all;
    for (const auto& [key, stats] : p.gate.stats().shards) {
        total& t = all[key.first];
        t.identifies += stats.identifies;
        t.resumes += stats.resumes;
    }
    for (const auto& s : p.sessions.all()) {
        total& t = all[s->shards];
        ++t.sessions;
        if (s->connection) ++t.connected;
        t.live.resize(s->shards);
        t.live[s->shard] = true;
    }
    json::object out;
    for (auto& [shards, t] : all) {
        if (!t.live.empty())
            for (std::uint32_t i = 0; i < p.guilds.size(); ++i)
                if (const guild& g = p.guilds.at(i); g.present && t.live[(g.id >> 22) % shards])
                    ++t.guilds;
        out[std::to_string(shards)] = json::object{{"sessions", t.sessions},
                                                   {"connected", t.connected},
                                                   {"guilds", t.guilds},
                                                   {"identifies", t.identifies},
                                                   {"resumes", t.resumes}};
    }
    return out;
}

json::value control_identifies(const parts& p) {
    json::array out;
    for (const identify_rules::record& r : p.rules.timeline())
        out.push_back(json::object{{"ms", ms_since(p.started, r.when)},
                                   {"shard", r.shard},
                                   {"shards", r.shards},
                                   {"key", r.key},
                                   {"accepted", r.accepted},
                                   {"waited_ms", ms_since({}, time_point{} + r.waited)}});
    return out;
}

json::object control_account(const parts& p, json::object gaps) {
    const gateway_stats& g = p.gate.stats();
    json::object o;
    p.book.account(o);
    o["gaps"] = std::move(gaps);
    o["guilds"] = p.guilds.present();
    o["totals"] = control_totals(p);
    o["identifies"] = g.identifies;
    o["identifies_refused"] = g.identifies_refused;
    o["pacing_violations"] = p.rules.pacing_violations();
    o["beyond_budget"] = p.rules.beyond_budget();
    o["resumes"] = g.resumes;
    o["resumes_refused"] = g.resumes_refused;
    o["resumes_above_sent"] = g.resumes_above_sent;
    o["replayed"] = g.replayed;
    o["sent_again"] = g.sent_again;
    o["trimmed_by_heartbeats"] = g.trimmed_by_beats;
    o["trimmed_by_resumes"] = g.trimmed_by_resumes;
    o["heartbeats"] = g.heartbeats;
    o["heartbeats_missed"] = g.beats_missed;
    o["heartbeats_above_sent"] = g.beats_above_sent;
    o["longest_heartbeat_gap_ms"] = g.longest_beat_gap_ms;
    return o;
}

json::value control_report(parts& p, const moment& now) {
    const identify_rules::budget b = p.rules.budget_at(now.at);
    const truth::counts& counts = p.book.totals();
    json::object o;
    o["flawless"] = p.book.flawless();
    o["missing"] = counts.missing();
    o["duplicates"] = counts.duplicates();
    o["out_of_order"] = counts.out_of_order;
    o["truth"] = p.book.report();
    o["events"] = p.out.events();
    o["copies"] = p.out.copies();
    o["copies_without_content"] = p.out.copies_without_content();
    o["events_by_name"] = p.out.counts_by_name();
    o["pacing_violations"] = p.rules.pacing_violations();
    o["beyond_budget"] = p.rules.beyond_budget();
    o["session_starts"] = json::object{
        {"total", b.total},
        {"remaining", b.remaining},
        {"reset_after_ms", std::chrono::duration_cast<milliseconds>(b.reset_after).count()},
        {"token_reset", p.rules.revoked()}};
    o["gateway"] = p.gate.stats().report();
    o["bot_ops"] = p.gate.answers().report();
    o["faults_taken"] = p.gate.faults().taken();
    o["faults_armed"] = p.gate.faults().report(now.at);
    o["interactions"] = p.callbacks.report(now.at);
    o["rest"] = p.rest.report(now.at);
    o["load"] = json::object{{"running", p.generator.running()},
                             {"made", p.generator.made()},
                             {"follow_ups", p.events.follow_ups()},
                             {"follow_ups_dropped", p.events.follow_ups_dropped()}};
    return o;
}

}  // namespace shardgate::sim
