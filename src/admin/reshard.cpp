// SPDX-License-Identifier: Apache-2.0
#include "admin/reshard.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "admin/json_text.hpp"
#include "admin/problem.hpp"
#include "admin/strict.hpp"
#include "admin/views.hpp"
#include "shardgate/base/utf8.hpp"

namespace shardgate::admin {

namespace {

using boost::json::object;
using boost::json::value;

http_response json(unsigned status, const object& body) {
    http_response answer;
    answer.status = status;
    answer.body = to_text(body);
    return answer;
}

http_response wrong_shape(std::string_view what) {
    return problem(422, std::string(what) +
                            R"( Allowed: {"shards": N or "auto", "dry_run": true or false}, )"
                            "dry_run being false when it is left out.");
}

// A whole number of shards; whether it can be is for the planner to say.
std::optional<std::uint32_t> number_of(const value& v) {
    boost::json::error_code bad;
    if (!v.is_int64() && !v.is_uint64()) return std::nullopt;
    const auto n = v.to_number<std::uint32_t>(bad);
    return bad ? std::nullopt : std::optional(n);
}

// What is wrong with it; nothing: `into` is filled.
std::optional<http_response> read_request(std::string_view body, reshard_request& into) {
    if (is_blank(body)) return wrong_shape("The body is missing.");
    boost::json::error_code bad;
    const value v = boost::json::parse({body.data(), body.size()}, bad);
    if (bad) return problem(400, "The body is not JSON: " + bad.message() + ".");
    if (!v.is_object()) return wrong_shape("The body is not an object.");
    const object& o = v.get_object();
    for (const auto& member : o)
        if (member.key() != "shards" && member.key() != "dry_run")
            return wrong_shape("The body has a member " +
                               quote({member.key().data(), member.key().size()}) + ".");
    const value* const shards = o.if_contains("shards");
    if (shards == nullptr) return wrong_shape("shards is missing.");
    into.shards = number_of(*shards);
    if (!into.shards && !(shards->is_string() && shards->get_string() == "auto"))
        return wrong_shape("shards is neither a number of shards nor \"auto\".");
    if (const value* const dry = o.if_contains("dry_run")) {
        if (!dry->is_bool()) return wrong_shape("dry_run is neither true nor false.");
        into.dry_run = dry->get_bool();
    }
    return std::nullopt;
}

http_response answer_of(const reshard_reply& reply) {
    using kind = reshard_reply::kind;
    switch (reply.what) {
    case kind::accepted: return json(202, to_json(reply.plan));
    case kind::planned: return json(200, to_json(reply.plan));
    case kind::busy: return problem(409, reply.detail);
    case kind::refused: return problem(422, reply.detail);
    case kind::unavailable: return problem(503, reply.detail);
    }
    return problem(500, "The daemon gave no answer that is known.");
}

bool runs(const reshard_snapshot& r) {
    return r.state == "starting" || r.state == "overlap" || r.state == "retiring";
}

value number_or_null(std::uint32_t n) {
    return n == 0 ? value(nullptr) : value(n);
}

value text_or_null(std::string_view text) {
    return text.empty() ? value(nullptr) : value(to_valid_utf8(text));
}

}  // namespace

std::optional<http_response> reshard(daemon_view& view, const target& t, std::string_view body,
                                     later_answer later) {
    if (auto no = refuse_others(t, {}, "none; what is wanted goes into the body")) return no;
    reshard_request request;
    if (auto no = read_request(body, request)) return no;
    view.reshard(request, [later = std::move(later)](const reshard_reply& reply) {
        later(answer_of(reply));
    });
    return std::nullopt;
}

http_response reshard_progress(const daemon_view& view, const target& t) {
    if (auto no = refuse_others(t, {}, "none")) return *no;
    return json(200, to_json(view.reshard_progress()));
}

http_response abort_reshard(daemon_view& view, const target& t, std::string_view body) {
    if (auto no = refuse_others(t, {}, "none")) return *no;
    if (!is_empty_object(body)) return problem(400, "This call takes no body.");
    switch (view.abort_reshard()) {
    case abort_reply::aborting: return json(202, to_json(view.reshard_progress()));
    case abort_reply::nothing_runs: return problem(409, "No resharding runs.");
    case abort_reply::too_late: break;
    }
    return problem(409,
                   "The old shards are being retired: it is too late to abort. When it is done, "
                   "reshard back.");
}

object to_json(const reshard_plan_snapshot& p) {
    boost::json::array guilds;
    for (const std::string& id : p.voice_guilds)
        guilds.emplace_back(to_valid_utf8(id));
    object out;
    out["from"] = p.from;
    out["to"] = p.to;
    out["session_starts"] = p.session_starts;
    out["remaining"] = p.remaining;
    out["estimated_s"] = p.estimated_s;
    out["voice_guilds"] = std::move(guilds);
    out["warnings"] = sentences(p.warnings);
    return out;
}

object to_json(const reshard_snapshot& r) {
    object pairing;
    pairing["forwarded"] = r.forwarded;
    pairing["dropped"] = r.dropped;
    pairing["released"] = r.released;
    pairing["expired"] = r.expired;
    pairing["guessed"] = r.guessed;
    pairing["held_bytes"] = r.held;
    object out;
    out["state"] = to_valid_utf8(r.state);
    out["from"] = number_or_null(r.from);
    out["to"] = number_or_null(r.to);
    out["ready"] = r.ready;
    out["percent"] = r.percent;
    out["eta_s"] = runs(r) ? value(r.eta_s) : value(nullptr);
    out["reason"] = text_or_null(r.reason);
    out["generation"] = number_or_null(r.generation);
    out["automatic"] = r.automatic;
    out["started_ago_s"] = r.from == 0 ? value(nullptr) : value(r.started_ago_s);
    out["pairing"] = std::move(pairing);
    out["warning"] = text_or_null(r.warning);
    return out;
}

}  // namespace shardgate::admin
