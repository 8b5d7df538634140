// SPDX-License-Identifier: Apache-2.0
#include "sim/rest_api.hpp"

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace shardgate::sim {

namespace {

namespace json = boost::json;
using namespace std::string_literals;

http_answer error(unsigned status, int code, std::string_view message) {
    return http_answer(status, json::serialize(json::object{{"message", message}, {"code", code}}));
}

std::string seconds_text(double s) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3f", s);
    return text;
}

http_answer too_many(const rest_fault& f) {
    if (f.limit == rest_fault::scope::cloudflare) {
        http_answer a(429, "<html><body>error code: 1015</body></html>");
        a.content_type = "text/html";
        a.headers.emplace_back("Retry-After",
                               std::to_string(std::lround(std::ceil(f.retry_after))));
        return a;
    }
    const bool global = f.limit == rest_fault::scope::global;
    const bool shared = f.limit == rest_fault::scope::shared;
    json::object body;
    body["message"] =
        shared ? "The resource is being rate limited." : "You are being rate limited.";
    body["retry_after"] = f.retry_after;
    body["global"] = global;
    http_answer a(429, json::serialize(body));
    a.headers.emplace_back("Retry-After", std::to_string(std::lround(std::ceil(f.retry_after))));
    a.headers.emplace_back("X-RateLimit-Scope", global ? "global" : shared ? "shared" : "user");
    if (global) a.headers.emplace_back("X-RateLimit-Global", "true");
    if (!global) {
        a.headers.emplace_back("X-RateLimit-Limit", "5");
        a.headers.emplace_back("X-RateLimit-Remaining", shared ? "3" : "0");
        a.headers.emplace_back("X-RateLimit-Reset-After", seconds_text(f.retry_after));
        a.headers.emplace_back("X-RateLimit-Bucket", "5im0000000000000");
    }
    return a;
}

bool true_value(std::string_view v) {
    return v == "true" || v == "True" || v == "1";
}

std::string query_of(const http_call& call, std::string_view name) {
    const std::size_t mark = call.target.find('?');
    if (mark == std::string::npos) return {};
    for (std::size_t at = mark + 1; at <= call.target.size();) {
        const std::size_t end = std::min(call.target.find('&', at), call.target.size());
        const std::string pair = call.target.substr(at, end - at);
        const std::size_t equals = std::min(pair.find('='), pair.size());
        if (pair.substr(0, equals) == name)
            return equals == pair.size() ? ""s : pair.substr(equals + 1);
        at = end + 1;
    }
    return {};
}

}  // namespace

std::uint32_t recommended_shards(const gateway_options& o, std::uint32_t guilds) {
    std::uint32_t n = o.shards != 0 ? o.shards : std::max(1U, (guilds + 999) / 1000);
    const std::uint32_t multiple = std::max(1U, o.shard_multiple);
    n = (n + multiple - 1) / multiple * multiple;
    return n;
}

result<rest_fault> read_rest_fault(const json::value& v) {
    if (!v.is_object()) return failure("an object is wanted");
    const json::object& o = v.get_object();
    rest_fault f;
    const auto whole = [&](std::string_view key, auto& to) {
        const json::value* m = o.if_contains(key);
        if (!m) return true;
        if (!m->is_int64() || m->get_int64() < 0) return false;
        to = static_cast<std::remove_reference_t<decltype(to)>>(m->get_int64());
        return true;
    };
    std::int64_t delay = 0, lasts = 0;
    if (!whole("status", f.status) || !whole("next", f.next) || !whole("delay_ms", delay) ||
        !whole("for_ms", lasts))
        return failure("status, next, delay_ms, for_ms: whole numbers");
    f.delay = milliseconds(delay);
    f.lasts = milliseconds(lasts);
    if (const json::value* path = o.if_contains("path"); path && path->is_string())
        f.path = std::string(path->get_string());
    if (const json::value* wait = o.if_contains("retry_after"); wait && wait->is_number())
        f.retry_after = wait->to_number<double>();
    if (const json::value* scope = o.if_contains("scope")) {
        static constexpr std::array<std::string_view, 4> names{"user", "global", "shared",
                                                               "cloudflare"};
        const std::string name = scope->is_string() ? std::string(scope->get_string()) : ""s;
        const auto at = std::find(names.begin(), names.end(), name);
        if (at == names.end()) return failure("scope: user, global, shared or cloudflare");
        f.limit = static_cast<rest_fault::scope>(at - names.begin());
    }
    return f;
}

bool rest_api::authorized(const http_call& call) const {
    return call.authorization.substr(0, 4) == "Bot " &&
           rules_.token_valid(call.authorization.substr(4));
}

void rest_api::add(rest_fault f, time_point now) {
    if (f.lasts > duration::zero()) f.until = now + f.lasts;
    faults_.push_back(std::move(f));
}

std::optional<http_answer> rest_api::refuse(const http_call& call, const std::string& path,
                                            time_point now) {
    std::erase_if(
        faults_, [&](const rest_fault& f) { return f.lasts > duration::zero() && f.until <= now; });
    const auto at = std::find_if(faults_.begin(), faults_.end(), [&](const rest_fault& f) {
        return f.path.empty() || path.find(f.path) != std::string::npos;
    });
    if (at != faults_.end()) {
        const rest_fault f = *at;
        if (f.lasts == duration::zero() && (at->next == 0 || --at->next == 0)) faults_.erase(at);
        if (f.status == 429) return too_many(f);
        if (f.status == 0) {
            http_answer a;
            a.hang_up = true;
            return a;
        }
        if (f.status != 200) return error(f.status, 0, "ordered by the test");
        http_answer late(0);
        late.delay = f.delay;
        return late;
    }
    // Discord and its front may refuse requests without a proper user agent (fact sheet 2.1).
    const bool agent = call.user_agent.rfind("DiscordBot (", 0) == 0;
    if (!agent) ++no_agent_;
    if (!agent && options_.gateway.check_user_agent)
        return error(403, 40333, "internal network error");
    return std::nullopt;
}

http_answer rest_api::answer(const http_call& call, const moment& now) {
    std::string path = call.path();
    if (path.rfind("/api/v", 0) == 0) {
        const std::size_t slash = path.find('/', 6);
        const std::string version = path.substr(6, slash - 6);
        if (version != "10" && version != "9") return error(400, 0, "Bad Request");
        path = slash == std::string::npos ? "/" : path.substr(slash);
    }
    const bool is_callback = path.rfind("/interactions/", 0) == 0;
    const bool is_message = path.rfind("/channels/", 0) == 0 && path.ends_with("/messages");
    ++calls_[call.method + " " +
             (is_callback  ? "/interactions/…/callback"
              : is_message ? "/channels/…/messages"
                           : path)];
    duration delay{};
    if (const auto refused = refuse(call, path, now.at)) {
        if (refused->status != 0 || refused->hang_up) {
            ++answers_[refused->status];
            return *refused;
        }
        delay = refused->delay;
    }
    http_answer a = error(404, 0, "404: Not Found");
    if (path == "/gateway" && call.method == "GET")
        a = http_answer(200, json::serialize(json::object{{"url", url_}}));
    else if (path == "/gateway/bot" && call.method == "GET")
        a = gateway_bot(call, now.at);
    else if (is_callback && call.method == "POST")
        a = callback(call, path, now.at);
    else if (is_message && call.method == "POST")
        a = message(call, path, now.unix_ms);
    else if (path == "/gateway" || path == "/gateway/bot")
        a = error(405, 0, "405: Method Not Allowed");
    a.delay = delay;
    ++answers_[a.status];
    return a;
}

http_answer rest_api::gateway_bot(const http_call& call, time_point now) {
    if (!authorized(call)) {
        ++unauthorized_;
        return error(401, 0, "401: Unauthorized");
    }
    const identify_rules::budget b = rules_.budget_at(now);
    json::object limit;
    limit["total"] = b.total;
    limit["remaining"] = b.remaining;
    limit["reset_after"] = std::chrono::duration_cast<milliseconds>(b.reset_after).count();
    limit["max_concurrency"] = options_.gateway.max_concurrency;
    json::object body;
    body["url"] = url_;
    body["shards"] = recommended_shards(options_.gateway, world_.present());
    body["session_start_limit"] = std::move(limit);
    http_answer a(200, json::serialize(body));
    a.headers.emplace_back("X-RateLimit-Limit", "2");
    a.headers.emplace_back("X-RateLimit-Remaining", "1");
    a.headers.emplace_back("X-RateLimit-Reset-After", "5.000");
    a.headers.emplace_back("X-RateLimit-Bucket", "41f9cd5d28af77da04563bcb1d67fdfd");
    return a;
}

http_answer rest_api::callback(const http_call& call, const std::string& path, time_point now) {
    // /interactions/{id}/{token}/callback
    const std::size_t id_at = 14;
    const std::size_t token_at = path.find('/', id_at);
    const std::size_t end = path.rfind("/callback");
    if (token_at == std::string::npos || end == std::string::npos || end <= token_at ||
        end + 9 != path.size())
        return error(404, 0, "404: Not Found");
    std::uint64_t id = 0;
    std::from_chars(path.data() + id_at, path.data() + token_at, id);
    const std::string token = path.substr(token_at + 1, end - token_at - 1);
    if (call.content_type.rfind("application/json", 0) != 0)
        return error(400, 50035, "Invalid Form Body");
    const callback_reply r = interactions_.answer(snowflake{id}, token, call.body,
                                                  true_value(query_of(call, "with_response")), now);
    if (r.status < 300 && on_answered_for_good)
        if (const auto n = interactions_.answered_for_good(snowflake{id})) on_answered_for_good(*n);
    return http_answer(r.status, r.body);
}

http_answer rest_api::message(const http_call& call, const std::string& path,
                              std::int64_t unix_ms) {
    if (!authorized(call)) {
        ++unauthorized_;
        return error(401, 0, "401: Unauthorized");
    }
    if (call.content_type.rfind("application/json", 0) != 0)
        return error(400, 50035, "Invalid Form Body");
    // /channels/{id}/messages
    const std::string_view id = std::string_view(path).substr(10, path.size() - 19);
    const callback_reply r = messages_.post(id, call.body, unix_ms);
    return http_answer(r.status, r.body);
}

json::object rest_api::report() const {
    json::object calls;
    for (const auto& [what, count] : calls_)
        calls[what] = count;
    json::object answers;
    for (const auto& [status, count] : answers_)
        answers[std::to_string(status)] = count;
    return {{"calls", std::move(calls)},
            {"answers", std::move(answers)},
            {"unauthorized", unauthorized_},
            {"without_user_agent", no_agent_}};
}

void rest_api::clear() {
    faults_.clear();
    messages_.clear();
    calls_.clear();
    answers_.clear();
    unauthorized_ = no_agent_ = 0;
}

}  // namespace shardgate::sim
