// SPDX-License-Identifier: Apache-2.0
#include "client/text.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <utility>

#include "shardgate/base/utf8.hpp"

namespace shardgate::client {

namespace {

std::string decimal(double value, const char* unit) {
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%.1f %s", value, unit);
    return text.data();
}

std::size_t width(std::string_view utf8) {
    return static_cast<std::size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) {
        return (static_cast<unsigned>(c) & 0xC0U) != 0x80;
    }));
}

std::string two_units(std::uint64_t of, std::uint64_t larger, const char* first,
                      std::uint64_t smaller, const char* second) {
    return std::to_string(of / larger) + first + std::to_string(of % larger / smaller) + second;
}

}  // namespace

std::string printable(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const code_point c = decode_utf8(text, at);
        const bool control = c.value < 0x20 || (c.value >= 0x7F && c.value < 0xA0) ||
                             c.value == 0x2028 || c.value == 0x2029;
        // Marks that turn the writing direction could make one key look like another.
        const bool turns =
            (c.value >= 0x202A && c.value <= 0x202E) || (c.value >= 0x2066 && c.value <= 0x2069);
        if (!c.valid || control || turns)
            out += '?';
        else
            out.append(text.substr(at, c.length));
        at += c.length;
    }
    return out;
}

std::string bytes_text(std::uint64_t bytes) {
    if (bytes < 1024) return std::to_string(bytes) + " B";
    double value = static_cast<double>(bytes) / 1024;
    const std::array<const char*, 4> units{"KiB", "MiB", "GiB", "TiB"};
    std::size_t unit = 0;
    for (; value >= 1024 && unit + 1 < units.size(); ++unit)
        value /= 1024;
    return decimal(value, units[unit]);
}

std::string age_text(double seconds) {
    if (!(seconds >= 0)) return "-";
    if (seconds < 60) return decimal(std::floor(seconds * 10) / 10, "s");
    if (seconds > 1e12) return "-";
    const auto s = static_cast<std::uint64_t>(seconds);
    if (s < 3600) return two_units(s, 60, " min ", 1, " s");
    if (s < 86400) return two_units(s, 3600, " h ", 60, " min");
    return two_units(s, 86400, " d ", 3600, " h");
}

void text_table::add(std::vector<std::string> cells) {
    for (std::string& cell : cells)
        cell = cell.empty() ? "-" : printable(cell);
    cells.resize(columns_.size());
    rows_.push_back(std::move(cells));
}

std::string text_table::text(std::string_view indent) const {
    std::vector<std::string> heading;
    std::vector<std::size_t> widths;
    bool named = false;
    for (const column& c : columns_) {
        heading.push_back(c.name);
        widths.push_back(width(c.name));
        named = named || !c.name.empty();
    }
    for (const auto& row : rows_)
        for (std::size_t i = 0; i < row.size(); ++i)
            widths[i] = std::max(widths[i], width(row[i]));
    std::string out;
    const auto line = [&](const std::vector<std::string>& cells) {
        std::string text(indent);
        for (std::size_t i = 0; i < cells.size(); ++i) {
            const std::string pad(widths[i] - width(cells[i]), ' ');
            text += columns_[i].at == side::right ? pad + cells[i] : cells[i] + pad;
            text += "  ";
        }
        text.erase(text.find_last_not_of(' ') + 1);
        out += text + '\n';
    };
    if (named) line(heading);
    for (const auto& row : rows_)
        line(row);
    return out;
}

}  // namespace shardgate::client
