// SPDX-License-Identifier: Apache-2.0
// A request target taken apart: path segments and query parameters, percent-decoded. Pure.
// Spec: RFC 9112 section 3.2, RFC 3986.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace shardgate::admin {

struct target {
    std::string authority;  // of the absolute form only; it then takes the place of Host
    std::vector<std::string> segments;  // "/" is none, "/a/" is {"a", ""}
    std::vector<std::pair<std::string, std::string>> parameters;

    // The first of that name; nullptr = none.
    [[nodiscard]] const std::string* parameter(std::string_view name) const noexcept;
};

// Origin form and absolute form (http, https); nullopt for anything else, for a bad escape and for
// control characters.
[[nodiscard]] std::optional<target> parse_target(std::string_view text);

}  // namespace shardgate::admin
