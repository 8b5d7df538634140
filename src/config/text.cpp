// SPDX-License-Identifier: Apache-2.0
// Edit distance and printable text.
#include "config/text.hpp"

#include <algorithm>
#include <array>

namespace shardgate::config {
namespace {

constexpr std::size_t compared_bytes = 64;
constexpr std::size_t max_value_shown = 60;

bool is_continuation(char c) noexcept {
    return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

std::string_view last_part(std::string_view key) {
    const std::size_t dot = key.rfind('.');
    return dot == std::string_view::npos ? key : key.substr(dot + 1);
}

}  // namespace

bool is_control(char c) noexcept {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7F;
}

bool is_visible_ascii(std::string_view text) noexcept {
    return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

std::size_t characters(std::string_view utf8) noexcept {
    return static_cast<std::size_t>(
        std::count_if(utf8.begin(), utf8.end(), [](char c) { return !is_continuation(c); }));
}

std::string printable(std::string_view text, std::size_t limit) {
    std::string_view head = text;
    if (text.size() > limit) {
        std::size_t end = limit;
        while (end > 0 && is_continuation(text[end]))
            --end;
        head = text.substr(0, end);
    }
    std::string out(head);
    std::replace_if(out.begin(), out.end(), is_control, '?');
    if (head.size() != text.size()) out += "...";
    return out;
}

std::string in_quotes(std::string_view text) {
    return '"' + printable(text, max_value_shown) + '"';
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
    a = a.substr(0, compared_bytes);
    b = b.substr(0, compared_bytes);
    using row = std::array<std::size_t, compared_bytes + 1>;
    row before{}, above{}, here{};
    for (std::size_t j = 0; j <= b.size(); ++j)
        above[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        here[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
            here[j] = std::min({above[j] + 1, here[j - 1] + 1, above[j - 1] + change});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                here[j] = std::min(here[j], before[j - 2] + 1);
        }
        before = above;
        above = here;
    }
    return above[b.size()];
}

std::string_view nearest(std::string_view name, std::span<const std::string_view> candidates) {
    std::string_view best;
    std::size_t best_distance = compared_bytes * 2;
    for (const std::string_view candidate : candidates) {
        const std::size_t distance = edit_distance(name, candidate);
        if (distance >= best_distance) continue;
        best = candidate;
        best_distance = distance;
    }
    return best;
}

std::string_view nearest_key(std::string_view key, std::span<const std::string_view> candidates) {
    std::string_view best;
    std::size_t best_distance = compared_bytes * 2;
    for (const std::string_view candidate : candidates) {
        std::size_t distance = edit_distance(key, candidate);
        // Beyond one slip, the same name elsewhere is the likelier meaning.
        if (last_part(candidate) == last_part(key)) distance = std::min<std::size_t>(distance, 2);
        if (distance >= best_distance) continue;
        best = candidate;
        best_distance = distance;
    }
    return best;
}

}  // namespace shardgate::config
