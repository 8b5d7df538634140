// SPDX-License-Identifier: Apache-2.0
#include "admin/bot_send.hpp"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>

#include "admin/json_text.hpp"
#include "admin/problem.hpp"
#include "admin/strict.hpp"

namespace shardgate::admin {

namespace {

using boost::json::object;
using boost::json::value;

std::optional<std::uint32_t> number(std::string_view text) {
    std::uint32_t n = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), n);
    if (read.ec != std::errc{} || read.ptr != text.data() + text.size()) return std::nullopt;
    return n;
}

http_response wrong_shape(std::string_view what) {
    return problem(422, std::string(what) + R"( Allowed: {"op": 3, 4, 8, 31 or 43, "d": {...}}.)");
}

// What is wrong with it; nothing: `into` is filled.
std::optional<http_response> read_command(std::string_view body, send_request& into) {
    if (is_blank(body)) return wrong_shape("The body is missing.");
    boost::json::error_code bad;
    const value v = boost::json::parse({body.data(), body.size()}, bad);
    if (bad) return problem(400, "The body is not JSON: " + bad.message() + ".");
    if (!v.is_object()) return wrong_shape("The body is not an object.");
    const object& o = v.get_object();
    for (const auto& member : o)
        if (member.key() != "op" && member.key() != "d")
            return wrong_shape("The body has a member " +
                               quote({member.key().data(), member.key().size()}) + ".");
    const value* const op = o.if_contains("op");
    if (op == nullptr) return wrong_shape("op is missing.");
    const bool known =
        op->is_int64() && (op->get_int64() == 3 || op->get_int64() == 4 || op->get_int64() == 8 ||
                           op->get_int64() == 31 || op->get_int64() == 43);
    if (!known) return wrong_shape("op is none that a bot may send.");
    const value* const d = o.if_contains("d");
    if (d == nullptr || !d->is_object()) return wrong_shape("d is not an object.");
    into.op = op->get_int64();
    into.d = boost::json::serialize(*d);
    return std::nullopt;
}

// The path's shard and ?generation=.
std::optional<http_response> read_shard(const target& t, std::optional<std::uint32_t>& shard,
                                        std::optional<std::uint32_t>& generation) {
    if (auto no = refuse_others(t, {"generation"}, "generation")) return no;
    shard = number(t.segments[2]);
    if (!shard) return problem(404, quote(t.segments[2]) + " is not a shard's number.");
    if (const std::string* const text = t.parameter("generation")) {
        generation = number(*text);
        if (!generation) return problem(400, "generation is a number, not " + quote(*text) + ".");
    }
    return std::nullopt;
}

http_response accepted(const object& body) {
    http_response answer;
    answer.status = 202;
    answer.body = to_text(body);
    return answer;
}

http_response answer_of(const send_reply& reply) {
    if (reply.what != send_reply::kind::accepted) return refusal(reply);
    object body;
    if (!reply.to_all) body["shard"] = reply.shard;
    body["generation"] = reply.generation;
    body["shards"] = reply.shards;
    body["waiting"] = reply.waiting;
    return accepted(body);
}

}  // namespace

http_response refusal(const send_reply& reply) {
    using kind = send_reply::kind;
    switch (reply.what) {
    case kind::accepted: break;
    case kind::not_here: return problem(404, reply.detail);
    case kind::wrong: return problem(422, reply.detail);
    case kind::down: return problem(503, reply.detail);
    case kind::full: {
        http_response answer = problem(429, reply.detail);
        answer.headers.emplace_back("Retry-After", retry_after(reply.retry_after_s));
        return answer;
    }
    }
    return problem(500, "The daemon gave no answer that is known.");
}

std::string retry_after(double seconds) {
    constexpr double most = 86400;
    const double bounded = seconds > 0 ? std::min(seconds, most) : 0;
    return std::to_string(std::max(1L, std::lround(std::ceil(bounded))));
}

http_response send_to_shard(daemon_view& view, const target& t, std::string_view body) {
    send_request wanted;
    if (auto no = read_shard(t, wanted.shard, wanted.generation)) return *no;
    if (auto no = read_command(body, wanted)) return *no;
    return answer_of(view.send(wanted));
}

http_response send(daemon_view& view, const target& t, std::string_view body) {
    send_request wanted;
    if (auto no = refuse_others(t, {}, "none")) return *no;
    if (auto no = read_command(body, wanted)) return *no;
    return answer_of(view.send(wanted));
}

http_response reconnect(daemon_view& view, const target& t, std::string_view body) {
    std::optional<std::uint32_t> shard;
    reconnect_request wanted;
    if (auto no = read_shard(t, shard, wanted.generation)) return *no;
    wanted.shard = *shard;
    if (!is_empty_object(body)) {
        boost::json::error_code bad;
        const value v = boost::json::parse({body.data(), body.size()}, bad);
        if (bad) return problem(400, "The body is not JSON: " + bad.message() + ".");
        const object* const o = v.if_object();
        const value* const identify = o != nullptr ? o->if_contains("identify") : nullptr;
        if (identify == nullptr || o->size() != 1 || !identify->is_bool())
            return problem(422, R"(Allowed: {"identify": true or false}, or no body.)");
        wanted.identify = identify->get_bool();
    }
    const send_reply reply = view.reconnect(wanted);
    if (reply.what != send_reply::kind::accepted) return refusal(reply);
    object out;
    out["shard"] = reply.shard;
    out["generation"] = reply.generation;
    out["identify"] = wanted.identify;
    return accepted(out);
}

}  // namespace shardgate::admin
