// SPDX-License-Identifier: Apache-2.0
// Rules for paths, names and messages.
#include "config/rules.hpp"

#include <algorithm>

#include "config/text.hpp"

namespace shardgate::config {
namespace {

constexpr std::size_t max_path = 4095;  // PATH_MAX less the final zero
constexpr std::size_t max_name = 64;
constexpr std::size_t max_message_characters = 2000;  // Discord docs, Create Message, content

bool is_lower_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_upper(char c) {
    return c >= 'A' && c <= 'Z';
}

}  // namespace

std::string path_rule(std::string& text) {
    if (text.empty()) return {};
    if (text.front() != '/') return "is not an absolute path";
    if (text.size() > max_path) return "is too long";
    if (std::any_of(text.begin(), text.end(), is_control)) return "has a control character";
    return {};
}

std::string event_name_rule(std::string& text) {
    const bool shaped = std::all_of(text.begin(), text.end(), [](char c) {
        return is_upper(c) || (c >= '0' && c <= '9') || c == '_';
    });
    if (text.empty() || text.size() > max_name || !shaped || !is_upper(text.front()))
        return "is " + in_quotes(text);
    return {};
}

std::string optional_name_rule(std::string& text) {
    const bool shaped = std::all_of(text.begin(), text.end(), [](char c) {
        return is_lower_or_digit(c) || is_upper(c) || c == '-' || c == '_' || c == '.';
    });
    if (text.size() > max_name || !shaped) return "is " + in_quotes(text);
    return {};
}

std::string name_rule(std::string& text) {
    if (text.empty()) return "is empty";
    return optional_name_rule(text);
}

std::string message_rule(std::string& text) {
    const bool blank = std::all_of(text.begin(), text.end(),
                                   [](char c) { return c == ' ' || c == '\n' || c == '\t'; });
    if (blank) return "is empty";
    const std::size_t length = characters(text);
    if (length > max_message_characters) return "has " + std::to_string(length) + " characters";
    return {};
}

}  // namespace shardgate::config
