// SPDX-License-Identifier: Apache-2.0
// What a caller sends beside what a call reads is a mistake, and is said so. Pure.
#pragma once

#include <initializer_list>
#include <optional>
#include <string_view>

#include "admin/http_message.hpp"
#include "admin/target.hpp"

namespace shardgate::admin {

// A parameter that nobody reads is a misspelt one: "?keys=x" must not delete everything.
[[nodiscard]] std::optional<http_response> refuse_others(
    const target& t, std::initializer_list<std::string_view> known, std::string_view allowed);

// Nothing but white space.
[[nodiscard]] bool is_blank(std::string_view body) noexcept;

// Nothing, or an object without members: clients that always send one mean nothing by it.
[[nodiscard]] bool is_empty_object(std::string_view body);

}  // namespace shardgate::admin
