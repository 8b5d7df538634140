// SPDX-License-Identifier: Apache-2.0
#include "admin/assets.hpp"

#include <array>
#include <string>
#include <utility>

#include "admin/problem.hpp"

namespace shardgate::admin {

namespace {

// Everything from here, nothing inline, no text ever becomes markup (Content Security Policy 3,
// Trusted Types).
constexpr const char* policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for "
    "'script'; trusted-types 'none'";

std::string_view type_of(std::string_view name) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 5> types{
        {{".html", "text/html; charset=utf-8"},
         {".css", "text/css; charset=utf-8"},
         {".js", "text/javascript; charset=utf-8"},
         {".svg", "image/svg+xml"},
         {".json", "application/json"}}};
    for (const auto& [end, type] : types)
        if (name.ends_with(end)) return type;
    return "application/octet-stream";
}

}  // namespace

http_response show_asset(std::string_view name) {
    for (const asset& a : assets()) {
        if (a.name != name) continue;
        http_response answer;
        answer.content_type = type_of(name);
        answer.body = a.text;
        answer.headers = {{"Content-Security-Policy", policy},
                          {"Referrer-Policy", "no-referrer"},
                          {"Cross-Origin-Opener-Policy", "same-origin"},
                          {"Cross-Origin-Resource-Policy", "same-origin"}};
        return answer;
    }
    return problem(404, "There is no such part of the dashboard.");
}

}  // namespace shardgate::admin
