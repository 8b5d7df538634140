// SPDX-License-Identifier: Apache-2.0
// Durations and sizes as text with a unit, both ways. Pure, private to src/config.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace shardgate::config {

// "250ms", "5s", "10m", "8h", "7d": digits and one unit. Empty = not a duration, or too large.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
// The largest unit that divides it: "5250ms", "10m", "0s".
[[nodiscard]] std::string format_duration(std::chrono::milliseconds value);

// "512MiB": digits and B, KiB, MiB, GiB or TiB. Empty = not a size, or too large.
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text);
[[nodiscard]] std::string format_size(std::uint64_t bytes);

}  // namespace shardgate::config
