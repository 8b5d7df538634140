// SPDX-License-Identifier: Apache-2.0
#include "client/colours.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace shardgate::client {

namespace {

constexpr std::string_view red = "\x1b[31m", green = "\x1b[32m", yellow = "\x1b[33m",
                           plain = "\x1b[0m";

template <std::size_t N>
bool has(const std::array<std::string_view, N>& words, std::string_view word) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

std::string_view colour_of(std::string_view word) {
    constexpr std::array<std::string_view, 2> well{"up", "ready"};
    constexpr std::array<std::string_view, 6> on_its_way{"connecting", "identifying", "loading",
                                                         "resuming",   "paused",      "idle"};
    constexpr std::array<std::string_view, 3> bad{"down", "parked", "failing"};
    return has(well, word)         ? green
           : has(on_its_way, word) ? yellow
           : has(bad, word)        ? red
                                   : std::string_view();
}

bool is_letter(char c) {
    return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_';
}

void paint_words(std::string& out, std::string_view line) {
    while (!line.empty()) {
        const auto end = std::find_if_not(line.begin(), line.end(), is_letter);
        const auto length = static_cast<std::size_t>(end - line.begin());
        const std::string_view word = line.substr(0, std::max<std::size_t>(length, 1));
        const std::string_view colour = colour_of(word);
        if (!colour.empty()) out += colour;
        out += word;
        if (!colour.empty()) out += plain;
        line.remove_prefix(word.size());
    }
}

}  // namespace

std::string coloured(std::string_view table) {
    std::string out;
    while (!table.empty()) {
        const std::size_t end = std::min(table.find('\n'), table.size());
        const std::string_view line = table.substr(0, end);
        if (line.starts_with("warning") || line.starts_with("waiting for"))
            out.append(yellow).append(line).append(plain);
        else if (line.starts_with("daemon"))
            out += line;  // "up 3 h" is no state
        else
            paint_words(out, line);
        if (end < table.size()) out += '\n';
        table.remove_prefix(std::min(end + 1, table.size()));
    }
    return out;
}

}  // namespace shardgate::client
