// SPDX-License-Identifier: Apache-2.0
// One log line as text or JSON. Whatever a value holds, the result is one line: a peer can neither
// forge a second one nor reach the terminal that shows it. Pure.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "shardgate/base/log.hpp"
#include "shardgate/base/time.hpp"

namespace shardgate::log {

// Longer messages and values are cut, with an ellipsis: a line is no place for a payload.
inline constexpr std::size_t longest_value = 1024;

[[nodiscard]] std::string_view level_name(level l) noexcept;

// Without the line's end.
[[nodiscard]] std::string render(format shape, level l, wall_ms when, std::string_view message,
                                 std::span<const field> facts);

}  // namespace shardgate::log
