// SPDX-License-Identifier: Apache-2.0
#include "sim/rest_api.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <charconv>

namespace shardgate::sim {

namespace {

namespace json = boost::json;
using namespace std::string_literals;

constexpr std::size_t call_names_max = 200;  // more than that are only numbered

http_answer http_of(callback_reply r) {
    return http_answer(r.status, std::move(r.body));
}

bool true_value(std::string_view v) {
    return v == "true" || v == "True" || v == "1";
}

bool is_callback(const std::string& path) {
    return path.starts_with("/interactions/");
}
bool is_message(const std::string& path) {
    return path.starts_with("/channels/") && path.ends_with("/messages");
}
bool is_webhook(const std::string& path) {
    return path.starts_with("/webhooks/");
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

bool rest_api::authorized(const http_call& call) const {
    return call.authorization.substr(0, 4) == "Bot " &&
           rules_.token_valid(call.authorization.substr(4));
}

void rest_api::add(rest_fault f, time_point now) {
    if (f.lasts > duration::zero()) f.until = now + f.lasts;
    faults_.push_back(std::move(f));
}

std::optional<http_answer> rest_api::refuse(const http_call& call, const std::string& path,
                                            const moment& now) {
    std::erase_if(faults_, [&](const rest_fault& f) {
        return f.lasts > duration::zero() && f.until <= now.at;
    });
    const auto at = std::find_if(faults_.begin(), faults_.end(), [&](const rest_fault& f) {
        return f.path.empty() || path.find(f.path) != std::string::npos;
    });
    if (at != faults_.end()) {
        const rest_fault f = *at;
        if (f.lasts == duration::zero() && (at->next == 0 || --at->next == 0)) faults_.erase(at);
        if (f.status == 429) return too_many(f, now.unix_ms);
        if (f.status == 0) {
            http_answer a;
            a.hang_up = true;
            return a;
        }
        if (f.status != 200) return rest_error(f.status, 0, "ordered by the test");
        http_answer late(0);
        late.delay = f.delay;
        return late;
    }
    // Discord and its front may refuse requests without a proper user agent (fact sheet 2.1).
    const bool agent = call.user_agent.rfind("DiscordBot (", 0) == 0;
    if (!agent) ++no_agent_;
    if (!agent && options_.gateway.check_user_agent)
        return rest_error(403, 40333, "internal network error");
    return std::nullopt;
}

void rest_api::count(const http_call& call, const std::string& path) {
    const bool below = is_webhook(path) && path.find("/messages/") != std::string::npos;
    std::string name = call.method + " " +
                       (is_callback(path)  ? "/interactions/…/callback"
                        : is_message(path) ? "/channels/…/messages"
                        : below            ? "/webhooks/…/messages/…"
                        : is_webhook(path) ? "/webhooks/…"
                                           : path);
    if (calls_.size() >= call_names_max && !calls_.contains(name)) name = "other";
    ++calls_[name];
}

http_answer rest_api::answer(const http_call& call, const moment& now) {
    std::string path = call.path();
    bool known_version = true;
    if (path.rfind("/api/v", 0) == 0) {
        const std::size_t slash = path.find('/', 6);
        const std::string version = path.substr(6, slash - 6);
        known_version = version == "10" || version == "9";
        path = slash == std::string::npos ? "/" : path.substr(slash);
    }
    if (known_version) count(call, path);
    http_answer a;
    if (auto page = front_.refuse(call.source, now.at)) {
        a = std::move(*page);
    } else {
        a = known_version ? serve(call, path, now) : rest_error(400, 0, "Bad Request");
        if (!a.hang_up) front_.answered(call.source, a, now.at);
    }
    ++answers_[a.hang_up ? 0 : a.status];
    return a;
}

http_answer rest_api::serve(const http_call& call, const std::string& path, const moment& now) {
    auto refused = refuse(call, path, now);
    if (refused && (refused->status != 0 || refused->hang_up)) return std::move(*refused);
    http_answer a = route(call, path, now);
    if (refused) a.delay = refused->delay;
    return a;
}

http_answer rest_api::route(const http_call& call, const std::string& path, const moment& now) {
    if (is_webhook(path)) return http_of(webhooks_.answer(call, path, now));
    if (path == "/gateway" && call.method == "GET")
        return http_answer(200, json::serialize(json::object{{"url", url_}}));
    if (path == "/gateway/bot" && call.method == "GET") return gateway_bot(call, now);
    if (is_callback(path) && call.method == "POST") return callback(call, path, now);
    if (is_message(path) && call.method == "POST") return message(call, path, now.unix_ms);
    if (path == "/gateway" || path == "/gateway/bot")
        return rest_error(405, 0, "405: Method Not Allowed");
    return rest_error(404, 0, "404: Not Found");
}

http_answer rest_api::gateway_bot(const http_call& call, const moment& now) {
    if (!authorized(call)) {
        ++unauthorized_;
        return rest_error(401, 0, "401: Unauthorized");
    }
    const identify_rules::budget b = rules_.budget_at(now.at);
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
    add_limit_headers(a, 2, 1, 5, "41f9cd5d28af77da04563bcb1d67fdfd", now.unix_ms);
    return a;
}

http_answer rest_api::callback(const http_call& call, const std::string& path, const moment& now) {
    // /interactions/{id}/{token}/callback
    const std::size_t id_at = 14;
    const std::size_t token_at = path.find('/', id_at);
    const std::size_t end = path.rfind("/callback");
    if (token_at == std::string::npos || end == std::string::npos || end <= token_at ||
        end + 9 != path.size())
        return rest_error(404, 0, "404: Not Found");
    std::uint64_t id = 0;
    std::from_chars(path.data() + id_at, path.data() + token_at, id);
    const std::string token = path.substr(token_at + 1, end - token_at - 1);
    if (call.content_type.rfind("application/json", 0) != 0)
        return rest_error(400, 50035, "Invalid Form Body");
    const callback_reply r = interactions_.answer(
        snowflake{id}, token, call.body, true_value(query_of(call, "with_response")), now.at);
    if (r.status < 300) webhooks_.answered(snowflake{id}, call.body, now);
    if (r.status < 300 && on_answered_for_good)
        if (const auto n = interactions_.answered_for_good(snowflake{id})) on_answered_for_good(*n);
    return http_of(r);
}

http_answer rest_api::message(const http_call& call, const std::string& path,
                              std::int64_t unix_ms) {
    if (!authorized(call)) {
        ++unauthorized_;
        return rest_error(401, 0, "401: Unauthorized");
    }
    if (call.content_type.rfind("application/json", 0) != 0)
        return rest_error(400, 50035, "Invalid Form Body");
    // /channels/{id}/messages
    const std::string_view id = std::string_view(path).substr(10, path.size() - 19);
    const callback_reply r = messages_.post(id, call.body, unix_ms);
    return http_of(r);
}

json::object rest_api::report(time_point now) const {
    json::object calls;
    for (const auto& [what, count] : calls_)
        calls[what] = count;
    json::object answers;
    for (const auto& [status, count] : answers_)
        answers[std::to_string(status)] = count;
    return {{"calls", std::move(calls)},     {"answers", std::move(answers)},
            {"unauthorized", unauthorized_}, {"without_user_agent", no_agent_},
            {"replies", webhooks_.report()}, {"invalid", front_.report(now)}};
}

void rest_api::clear() {
    faults_.clear();
    messages_.clear();
    webhooks_.clear();
    front_.clear();
    calls_.clear();
    answers_.clear();
    unauthorized_ = no_agent_ = 0;
}

}  // namespace shardgate::sim
