// SPDX-License-Identifier: Apache-2.0
#include "admin/router.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "admin/assets.hpp"
#include "admin/bot_members.hpp"
#include "admin/bot_send.hpp"
#include "admin/dead_letters.hpp"
#include "admin/discordeno.hpp"
#include "admin/guilds.hpp"
#include "admin/handler.hpp"
#include "admin/json_text.hpp"
#include "admin/problem.hpp"
#include "admin/reload.hpp"
#include "admin/reshard.hpp"
#include "admin/views.hpp"
#include "shardgate/metrics/prometheus_text.hpp"

namespace shardgate::admin {

// One line a call. In a pattern "*" is any one segment.
struct router::route {
    std::string_view method;
    std::vector<std::string_view> path;
    access needed;
    http_response (router::*answer)(const question&) const = nullptr;
    // In place of it, when the daemon has to ask somebody first.
    std::optional<http_response> (router::*ask)(const question&, later_answer) const = nullptr;
};

struct router::match {
    const route* found = nullptr;    // path and method
    const route* at_path = nullptr;  // path at least
    std::string allow;               // the methods of this path, as the Allow header lists them
};

namespace {

bool fits(const std::vector<std::string_view>& pattern, const std::vector<std::string>& path) {
    if (pattern.size() != path.size()) return false;
    for (std::size_t i = 0; i < path.size(); ++i)
        if (pattern[i] != "*" && pattern[i] != path[i]) return false;
    return true;
}

http_response json(const boost::json::value& v) {
    http_response answer;
    answer.body = to_text(v);
    return answer;
}

std::optional<std::uint32_t> number(std::string_view text) {
    std::uint32_t value = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    if (read.ec != std::errc{} || read.ptr != text.data() + text.size()) return std::nullopt;
    return value;
}

// Which shard set is asked for: the active one unless ?generation= names another.
struct wanted_set {
    std::uint32_t generation = 0;
    bool named = false;
    std::optional<http_response> refusal;
};

wanted_set wanted(const target& t, std::uint32_t active) {
    const std::string* const text = t.parameter("generation");
    if (text == nullptr) return {active, false, std::nullopt};
    const std::optional<std::uint32_t> value = number(*text);
    if (value) return {*value, true, std::nullopt};
    return {0, true, problem(400, "generation is a number, not " + quote(*text) + ".")};
}

http_response no_such_set(std::uint32_t generation, std::uint32_t active) {
    return problem(404, "There are no shards of generation " + std::to_string(generation) +
                            "; the active one is " + std::to_string(active) + ".");
}

std::string sentence(const std::vector<std::string>& reasons) {
    std::string out = "Not ready";
    const char* before = ": ";
    for (const std::string& reason : reasons) {
        out += before;
        out += reason;
        before = "; ";
    }
    return out + ".";
}

}  // namespace

router::router(guard_rules rules, daemon_view& view, std::function<page_extras()> extras,
               live_feeds* feeds)
    : rules_(std::move(rules)), view_(view), extras_(std::move(extras)), feeds_(feeds) {}

const std::vector<router::route>& router::table() {
    static const std::vector<route> all{
        {"GET", {"healthz"}, access::open, &router::healthz},
        {"GET", {"readyz"}, access::open, &router::readyz},
        {"GET", {"metrics"}, access::metrics, &router::metrics},
        {"GET", {"v1", "status"}, access::token, &router::status},
        {"GET", {"v1", "shards"}, access::token, &router::shards},
        {"GET", {"v1", "shards", "*"}, access::token, &router::shard},
        {"POST", {"v1", "shards", "*", "send"}, access::token, &router::send_to_shard},
        {"POST", {"v1", "shards", "*", "reconnect"}, access::token, &router::reconnect},
        {"POST", {"v1", "send"}, access::token, &router::send},
        {"GET", {"v1", "queue"}, access::token, &router::queue},
        {"POST", {"v1", "reload"}, access::token, nullptr, &router::reload},
        {"GET", {"v1", "dead-letters"}, access::token, &router::list_dead_letters},
        {"DELETE", {"v1", "dead-letters"}, access::token, &router::delete_dead_letters},
        {"POST", {"v1", "dead-letters", "retry"}, access::token, &router::retry_dead_letters},
        {"GET", {"v1", "reshard"}, access::token, &router::reshard_progress},
        {"POST", {"v1", "reshard"}, access::token, nullptr, &router::reshard},
        {"DELETE", {"v1", "reshard"}, access::token, &router::abort_reshard},
        {"POST", {"v1", "guilds", "*", "members"}, access::token, nullptr, &router::members},
        {"GET", {"v1", "guilds"}, access::token, &router::guilds},
        {"POST", {"v1", "handler"}, access::token, &router::change_handler},
        {"GET", {"v1", "events"}, access::token, &router::events},
        {"GET", {"v1", "stats"}, access::token, &router::stats},
        {"GET", {"v1", "openapi.json"}, access::page, &router::openapi},
        {"POST", {}, access::bare, &router::discordeno},
        {"GET", {"timecheck"}, access::bare, &router::timecheck},
        {"GET", {}, access::page, &router::page},
        {"GET", {"dashboard", "*"}, access::page, &router::page_part},
    };
    return all;
}

std::vector<std::pair<std::string, std::string>> router::calls() {
    std::vector<std::pair<std::string, std::string>> out;
    for (const route& r : table()) {
        std::string path;
        for (const std::string_view segment : r.path)
            path.append("/").append(segment);
        out.emplace_back(r.method, path.empty() ? "/" : path);
    }
    return out;
}

router::match router::find(std::string_view method, const target& t) {
    match m;
    for (const route& r : table()) {
        if (!fits(r.path, t.segments)) continue;
        m.at_path = &r;
        if (r.method == method || (method == "HEAD" && r.method == "GET")) m.found = &r;
        if (!m.allow.empty()) m.allow += ", ";
        m.allow += r.method;
        if (r.method == "GET") m.allow += ", HEAD";
    }
    return m;
}

std::optional<http_response> router::handle(const http_request& request, later_answer later) const {
    const std::optional<target> t = parse_target(request.target);
    if (!t) return problem(400, "The request target cannot be read.");
    const std::string* const host = request.header("host");
    const std::string_view authority = !t->authority.empty() ? std::string_view(t->authority)
                                       : host != nullptr     ? std::string_view(*host)
                                                             : std::string_view();
    const match m = find(request.method, *t);
    const access needed = m.found != nullptr     ? m.found->needed
                          : m.at_path != nullptr ? m.at_path->needed
                                                 : access::token;
    const bool in_their_words = needed == access::bare;
    if (std::optional<http_response> no = refuse(request, authority, needed, rules_))
        return in_their_words ? as_message(*no) : *no;
    if (m.at_path == nullptr)
        return problem(404, "There is nothing at " + quote(request.target) + ".");
    if (m.found == nullptr) {
        http_response answer =
            problem(405, "This path answers " + m.allow + ", not " + quote(request.method) + ".");
        answer.headers.emplace_back("Allow", m.allow);
        return answer;
    }
    if (m.found->method != "GET" && !is_json(request)) {
        const http_response no = problem(415,
                                         "A request that changes something needs the header "
                                         "\"Content-Type: application/json\".");
        return in_their_words ? as_message(no) : no;
    }
    const question q{*t, request.body};
    if (m.found->ask == nullptr) return (this->*m.found->answer)(q);
    if (!later) return problem(503, "Too many requests wait for their answer; try again.");
    return (this->*m.found->ask)(q, std::move(later));
}

http_response router::healthz(const question&) const {
    boost::json::object body;
    body["status"] = "ok";
    return json(body);
}

http_response router::readyz(const question&) const {
    const readiness r = view_.ready();
    boost::json::object more;
    more["ready"] = r.ready;
    if (!r.ready) more["reasons"] = sentences(r.reasons);
    more["warnings"] = sentences(r.warnings);
    if (r.ready) return json(more);
    return problem(503, sentence(r.reasons), std::move(more));
}

http_response router::metrics(const question&) const {
    http_response answer;
    answer.content_type = prometheus_text::content_type;
    answer.body = metrics_page(view_.metrics(), extras_());
    return answer;
}

http_response router::status(const question&) const {
    return json(to_json(view_.status()));
}

http_response router::queue(const question&) const {
    boost::json::object body = to_json(view_.queue());
    body["storage"] = to_json(view_.storage_health());
    return json(body);
}

std::optional<http_response> router::reload(const question& q, later_answer later) const {
    return admin::reload(view_, q.at, q.body, std::move(later));
}

http_response router::list_dead_letters(const question& q) const {
    return admin::list_dead_letters(view_, q.at);
}

http_response router::retry_dead_letters(const question& q) const {
    return admin::retry_dead_letters(view_, q.at, q.body);
}

http_response router::delete_dead_letters(const question& q) const {
    return admin::delete_dead_letters(view_, q.at, q.body);
}

http_response router::reshard_progress(const question& q) const {
    return admin::reshard_progress(view_, q.at);
}

http_response router::abort_reshard(const question& q) const {
    return admin::abort_reshard(view_, q.at, q.body);
}

std::optional<http_response> router::reshard(const question& q, later_answer later) const {
    return admin::reshard(view_, q.at, q.body, std::move(later));
}

http_response router::guilds(const question& q) const {
    return admin::guilds(view_, q.at);
}

http_response router::change_handler(const question& q) const {
    return admin::change_handler(view_, q.at, q.body);
}

http_response router::page(const question&) const {
    return show_asset("index.html");
}

http_response router::page_part(const question& q) const {
    return show_asset(q.at.segments[1]);
}

http_response router::openapi(const question&) const {
    return show_asset("openapi.json");
}

http_response router::events(const question& q) const {
    return admin::open_events(feeds_, q.at);
}

http_response router::send_to_shard(const question& q) const {
    return admin::send_to_shard(view_, q.at, q.body);
}

std::optional<http_response> router::members(const question& q, later_answer later) const {
    return admin::members(view_, q.at, q.body, std::move(later));
}

http_response router::discordeno(const question& q) const {
    return admin::discordeno(view_, q.body);
}

http_response router::timecheck(const question&) const {
    return admin::timecheck();
}

http_response router::send(const question& q) const {
    return admin::send(view_, q.at, q.body);
}

http_response router::reconnect(const question& q) const {
    return admin::reconnect(view_, q.at, q.body);
}

http_response router::stats(const question& q) const {
    return admin::open_stats(feeds_, q.at);
}

http_response router::shards(const question& q) const {
    const std::uint32_t active = view_.status().generation;
    wanted_set set = wanted(q.at, active);
    if (set.refusal) return std::move(*set.refusal);
    boost::json::array all;
    for (const shard_snapshot& s : view_.shards())
        if (s.generation == set.generation) all.push_back(to_json(s));
    if (all.empty() && set.named && set.generation != active)
        return no_such_set(set.generation, active);
    return json(all);
}

http_response router::shard(const question& q) const {
    const std::uint32_t active = view_.status().generation;
    wanted_set set = wanted(q.at, active);
    if (set.refusal) return std::move(*set.refusal);
    const std::optional<std::uint32_t> id = number(q.at.segments[2]);
    if (!id) return problem(404, quote(q.at.segments[2]) + " is not a shard's number.");
    for (const shard_snapshot& s : view_.shards())
        if (s.generation == set.generation && s.id == *id) return json(to_json(s));
    return problem(404, "Shard " + std::to_string(*id) + " of generation " +
                            std::to_string(set.generation) + " does not run here.");
}

}  // namespace shardgate::admin
