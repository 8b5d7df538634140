// SPDX-License-Identifier: Apache-2.0
// Durations and sizes: one table of units each.
#include "config/values.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <span>
#include <system_error>

namespace shardgate::config {
namespace {

struct unit {
    std::string_view name;
    std::uint64_t factor;
};

// Largest first: formatting takes the first that divides.
constexpr std::array duration_units{
    unit{"d", 86'400'000}, unit{"h", 3'600'000}, unit{"m", 60'000}, unit{"s", 1000}, unit{"ms", 1},
};
constexpr std::array size_units{
    unit{"TiB", 1ULL << 40},
    unit{"GiB", 1ULL << 30},
    unit{"MiB", 1ULL << 20},
    unit{"KiB", 1ULL << 10},
    unit{"B", 1},
};

std::optional<std::uint64_t> parse(std::string_view text, std::span<const unit> units) {
    std::uint64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc{} || rest == text.data()) return std::nullopt;
    const std::string_view name(rest, static_cast<std::size_t>(end - rest));
    for (const unit& u : units) {
        if (u.name != name) continue;
        if (number > std::numeric_limits<std::int64_t>::max() / u.factor) return std::nullopt;
        return number * u.factor;
    }
    return std::nullopt;
}

std::string format(std::uint64_t value, std::string_view zero, std::span<const unit> units) {
    if (value == 0) return std::string(zero);
    for (const unit& u : units)
        if (value % u.factor == 0) return std::to_string(value / u.factor).append(u.name);
    return {};  // not reached: the last unit divides everything
}

}  // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
    const auto value = parse(text, duration_units);
    if (!value) return std::nullopt;
    return std::chrono::milliseconds(static_cast<std::int64_t>(*value));
}

std::string format_duration(std::chrono::milliseconds value) {
    const auto count = value.count();
    // A day is a poor unit for "24h" and a good one for "30d".
    if (count == 86'400'000) return "24h";
    return format(count < 0 ? 0 : static_cast<std::uint64_t>(count), "0s", duration_units);
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
    return parse(text, size_units);
}

std::string format_size(std::uint64_t bytes) {
    return format(bytes, "0B", size_units);
}

}  // namespace shardgate::config
