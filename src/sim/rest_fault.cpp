// SPDX-License-Identifier: Apache-2.0
#include "sim/rest_fault.hpp"

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <cstdio>

#include "sim/front.hpp"

namespace shardgate::sim {

namespace {

namespace json = boost::json;

constexpr double longest_wait = 1e6;  // seconds

std::string seconds_text(double s) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3f", s);
    return text;
}

}  // namespace

http_answer rest_error(unsigned status, int code, std::string_view message) {
    return http_answer(status, json::serialize(json::object{{"message", message}, {"code", code}}));
}

void add_limit_headers(http_answer& a, unsigned limit, unsigned remaining, double reset_after,
                       std::string_view bucket, std::int64_t unix_ms) {
    const double reset = static_cast<double>(unix_ms) / 1000 + reset_after;
    a.headers.emplace_back("X-RateLimit-Limit", std::to_string(limit));
    a.headers.emplace_back("X-RateLimit-Remaining", std::to_string(remaining));
    a.headers.emplace_back("X-RateLimit-Reset", seconds_text(reset));
    a.headers.emplace_back("X-RateLimit-Reset-After", seconds_text(reset_after));
    a.headers.emplace_back("X-RateLimit-Bucket", bucket);
}

http_answer too_many(const rest_fault& f, std::int64_t unix_ms) {
    if (f.limit == rest_fault::scope::cloudflare)
        return front_page(std::chrono::duration<double>(f.retry_after));
    const bool global = f.limit == rest_fault::scope::global;
    const bool shared = f.limit == rest_fault::scope::shared;
    json::object body;
    body["message"] =
        shared ? "The resource is being rate limited." : "You are being rate limited.";
    body["retry_after"] = f.retry_after;
    body["global"] = global;
    http_answer a(429, json::serialize(body));
    a.headers.emplace_back("Retry-After", std::to_string(std::llround(std::ceil(f.retry_after))));
    a.headers.emplace_back("X-RateLimit-Scope", global ? "global" : shared ? "shared" : "user");
    if (global)
        a.headers.emplace_back("X-RateLimit-Global", "true");
    else
        add_limit_headers(a, 5, shared ? 3 : 0, f.retry_after, "5im0000000000000", unix_ms);
    return a;
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
    f.delay = std::chrono::milliseconds(delay);
    f.lasts = std::chrono::milliseconds(lasts);
    if (const json::value* path = o.if_contains("path"); path && path->is_string())
        f.path = std::string(path->get_string());
    if (const json::value* wait = o.if_contains("retry_after"); wait && wait->is_number())
        f.retry_after = wait->to_number<double>();
    if (!(f.retry_after >= 0 && f.retry_after <= longest_wait))
        return failure("retry_after: seconds, at most a million");
    if (const json::value* scope = o.if_contains("scope")) {
        static constexpr std::array<std::string_view, 4> names{"user", "global", "shared",
                                                               "cloudflare"};
        const std::string name = scope->is_string() ? std::string(scope->get_string()) : "";
        const auto at = std::find(names.begin(), names.end(), name);
        if (at == names.end()) return failure("scope: user, global, shared or cloudflare");
        f.limit = static_cast<rest_fault::scope>(at - names.begin());
    }
    return f;
}

}  // namespace shardgate::sim
