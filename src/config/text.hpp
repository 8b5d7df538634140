// SPDX-License-Identifier: Apache-2.0
// Small text work of the configuration: making hostile text printable, and finding the name that
// was probably meant. Pure, private to src/config.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace shardgate::config {

// `text` cut to `limit` bytes (never inside a UTF-8 sequence), control characters as "?".
[[nodiscard]] std::string printable(std::string_view text, std::size_t limit);

// As printable(), in double quotes. For values that are no secret.
[[nodiscard]] std::string in_quotes(std::string_view text);

// Restricted Damerau-Levenshtein distance: insertions, deletions, replacements, swaps of
// neighbours. Looks at the first 64 bytes only.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

// The candidate nearest to `name`, the first of equals; empty without candidates.
[[nodiscard]] std::string_view nearest(std::string_view name,
                                       std::span<const std::string_view> candidates);

// The known dotted key nearest to `key`. The same last part in another section is very near: a
// right key under the wrong heading.
[[nodiscard]] std::string_view nearest_key(std::string_view key,
                                           std::span<const std::string_view> candidates);

[[nodiscard]] bool is_control(char c) noexcept;
// True for visible ASCII only: no space, no control character, nothing above 0x7E.
[[nodiscard]] bool is_visible_ascii(std::string_view text) noexcept;
// Code points of valid UTF-8.
[[nodiscard]] std::size_t characters(std::string_view utf8) noexcept;

}  // namespace shardgate::config
