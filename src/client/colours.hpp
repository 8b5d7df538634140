// SPDX-License-Identifier: Apache-2.0
// Colours for a table on a screen: what is well, what is on its way, what wants a person. Pure.
#pragma once

#include <string>
#include <string_view>

namespace shardgate::client {

inline constexpr std::string_view clear_screen = "\x1b[H\x1b[2J";

// `table` with the words for states painted, and lines that warn.
[[nodiscard]] std::string coloured(std::string_view table);

}  // namespace shardgate::client
