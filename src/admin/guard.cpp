// SPDX-License-Identifier: Apache-2.0
#include "admin/guard.hpp"

#include <algorithm>
#include <cstddef>
#include <string>

#include "admin/problem.hpp"

namespace shardgate::admin {

namespace {

bool all_digits(std::string_view text) noexcept {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// 127.0.0.0/8 as four plain decimals. A name like 127.0.0.1.example.com is not.
bool is_loopback_literal(std::string_view host) noexcept {
    if (!host.starts_with("127.")) return false;
    int parts = 0;
    while (true) {
        const std::size_t dot = host.find('.');
        const std::string_view part = host.substr(0, dot);
        if (part.empty() || part.size() > 3 || !all_digits(part)) return false;
        int value = 0;
        for (const char c : part)
            value = value * 10 + (c - '0');
        if (value > 255) return false;
        ++parts;
        if (dot == std::string_view::npos) return parts == 4;
        host.remove_prefix(dot + 1);
    }
}

std::optional<std::string_view> bearer(const http_request& request) noexcept {
    // Two of them are an attempt to be understood differently by two readers.
    if (request.count("authorization") != 1) return std::nullopt;
    std::string_view value = *request.header("authorization");
    constexpr std::string_view scheme = "bearer ";
    if (value.size() <= scheme.size() ||
        !equals_ignoring_case(value.substr(0, scheme.size()), scheme))
        return std::nullopt;
    value.remove_prefix(scheme.size());
    value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
    return value;
}

http_response unauthorized(std::string_view which) {
    http_response answer =
        problem(401, "This call needs the header \"Authorization: Bearer <token>\" with the " +
                         std::string(which) + " of the configuration.");
    answer.headers.emplace_back("WWW-Authenticate", R"(Bearer realm="shardgate")");
    return answer;
}

bool carries(const http_request& request, const secret& token) noexcept {
    const std::optional<std::string_view> given = bearer(request);
    return given && token.equals(*given);
}

// A page of another origin that the browser lets speak to us names that origin.
bool has_foreign_origin(const http_request& request, std::string_view authority) noexcept {
    const std::string* const origin = request.header("origin");
    if (origin == nullptr) return false;
    if (request.count("origin") != 1) return true;
    for (const std::string_view scheme : {"http://", "https://"})
        if (origin->size() > scheme.size() &&
            equals_ignoring_case(std::string_view(*origin).substr(0, scheme.size()), scheme))
            return !equals_ignoring_case(std::string_view(*origin).substr(scheme.size()),
                                         authority);
    return true;  // "null" and what we do not know
}

std::optional<http_response> refuse_foreign(const http_request& request, std::string_view authority,
                                            bool any_host) {
    if (!any_host && !is_local_host(authority))
        return problem(403,
                       "Without an admin token only requests to 127.0.0.1, localhost or [::1] are "
                       "answered, and this one's Host is another. Set admin.token_file to use "
                       "other names.");
    if (has_foreign_origin(request, authority))
        return problem(403,
                       "This request comes from a web page of another origin. Set "
                       "admin.token_file and send the token to allow it.");
    return std::nullopt;
}

}  // namespace

bool is_local_host(std::string_view authority) noexcept {
    std::string_view host = authority;
    std::string_view port;
    if (const std::size_t close = host.find(']'); close != std::string_view::npos) {
        port = host.substr(close + 1);
        host = host.substr(0, close + 1);
    } else if (const std::size_t colon = host.find(':'); colon != std::string_view::npos) {
        port = host.substr(colon);
        host = host.substr(0, colon);
    }
    if (!port.empty() && (port[0] != ':' || port.size() > 6 || !all_digits(port.substr(1))))
        return false;
    return equals_ignoring_case(host, "localhost") || host == "[::1]" || is_loopback_literal(host);
}

bool is_json(const http_request& request) {
    const std::string* const type = request.header("content-type");
    if (type == nullptr || request.count("content-type") != 1) return false;
    std::string_view essence = std::string_view(*type).substr(0, type->find(';'));
    while (!essence.empty() && (essence.back() == ' ' || essence.back() == '\t'))
        essence.remove_suffix(1);
    return equals_ignoring_case(essence, "application/json");
}

std::optional<http_response> refuse(const http_request& request, std::string_view authority,
                                    access needed, const guard_rules& rules) {
    if (needed == access::open) return std::nullopt;
    if (needed == access::metrics && !rules.metrics_token.empty()) {
        if (carries(request, rules.metrics_token)) return std::nullopt;
        return unauthorized("metrics token");
    }
    if (needed == access::metrics && !rules.token.empty()) return std::nullopt;
    if (needed == access::page && !rules.token.empty()) return std::nullopt;
    if (needed == access::bare && request.count("authorization") == 1 && !rules.token.empty() &&
        rules.token.equals(*request.header("authorization")))
        return std::nullopt;
    if (!rules.token.empty()) {
        if (carries(request, rules.token)) return std::nullopt;
        return unauthorized("admin token");
    }
    return refuse_foreign(request, authority, rules.any_host);
}

}  // namespace shardgate::admin
