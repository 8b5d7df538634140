// SPDX-License-Identifier: Apache-2.0
// The one caller of the TOML parser; its exceptions end here.
#include "config/syntax.hpp"

#include <algorithm>

#include "config/text.hpp"

namespace shardgate::config {
namespace {

constexpr std::size_t max_message = 200;

}  // namespace

std::string without_quotes(std::string_view message) {
    std::string out;
    while (!message.empty()) {
        const std::size_t open = message.find('\'');
        if (open == std::string_view::npos) break;
        out.append(message.substr(0, open));
        message.remove_prefix(open + 1);
        // The last quote, not the next: the quoted text may hold quotes itself.
        const std::size_t next = message.find('\'');
        const bool one_character = next != std::string_view::npos && next <= 1;
        if (one_character) {
            out.append("'").append(message.substr(0, next)).append("'");
            message.remove_prefix(next + 1);
            continue;
        }
        const std::size_t close = message.rfind('\'');
        out += "'...'";
        message.remove_prefix(close == std::string_view::npos ? message.size() : close + 1);
    }
    return out.append(message);
}

parsed_toml parse_document(std::string_view text) {
    parsed_toml out;
    try {
        out.table = toml::parse(text);
    } catch (const toml::parse_error& e) {
        out.wrong = "not TOML: " + printable(without_quotes(e.description()), max_message);
        out.line = static_cast<std::uint32_t>(e.source().begin.line);
        out.column = static_cast<std::uint32_t>(e.source().begin.column);
    }
    return out;
}

parsed_toml parse_value(std::string_view text) {
    parsed_toml out;
    // A line break could bring further keys along; a comment would hide the rest.
    if (std::any_of(text.begin(), text.end(), is_control)) {
        out.wrong = "has control characters";
        return out;
    }
    out = parse_document("value = " + std::string(text));
    if (out.table && out.table->size() != 1) {
        out.table.reset();
        out.wrong = "is more than one value";
    }
    return out;
}

}  // namespace shardgate::config
