// SPDX-License-Identifier: Apache-2.0
#include "admin/target.hpp"

#include <algorithm>
#include <cstddef>

#include "admin/http_message.hpp"

namespace shardgate::admin {

namespace {

int hex_digit(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

std::optional<std::string> decode(std::string_view text, bool plus_is_space) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        if (c == '%') {
            if (i + 2 >= text.size()) return std::nullopt;
            const int high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
            if (high < 0 || low < 0) return std::nullopt;
            c = static_cast<char>(static_cast<unsigned char>(high * 16 + low));
            if (c == '\0') return std::nullopt;
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        out += c;
    }
    return out;
}

// Calls `each` with every part; false as soon as it returns false.
template <class Each>
bool split(std::string_view text, char separator, Each each) {
    for (;;) {
        const std::size_t end = text.find(separator);
        if (!each(text.substr(0, end))) return false;
        if (end == std::string_view::npos) return true;
        text.remove_prefix(end + 1);
    }
}

bool parse_path(std::string_view path, target& into) {
    if (path == "/") return true;
    return split(path.substr(1), '/', [&](std::string_view part) {
        std::optional<std::string> segment = decode(part, false);
        if (!segment) return false;
        into.segments.push_back(std::move(*segment));
        return true;
    });
}

bool parse_query(std::string_view query, target& into) {
    return split(query, '&', [&](std::string_view part) {
        if (part.empty()) return true;
        const std::size_t equals = part.find('=');
        std::optional<std::string> name = decode(part.substr(0, equals), true);
        std::optional<std::string> value = equals == std::string_view::npos
                                               ? std::string()
                                               : decode(part.substr(equals + 1), true);
        if (!name || !value) return false;
        into.parameters.emplace_back(std::move(*name), std::move(*value));
        return true;
    });
}

// Takes "http://authority" off the front of an absolute form.
bool take_authority(std::string_view& text, target& into) {
    const std::size_t colon = text.find("://");
    if (colon == std::string_view::npos) return false;
    const std::string_view scheme = text.substr(0, colon);
    if (!equals_ignoring_case(scheme, "http") && !equals_ignoring_case(scheme, "https"))
        return false;
    text.remove_prefix(colon + 3);
    const std::size_t end = std::min(text.find_first_of("/?"), text.size());
    into.authority = text.substr(0, end);
    text.remove_prefix(end);
    return !into.authority.empty();
}

}  // namespace

const std::string* target::parameter(std::string_view name) const noexcept {
    for (const auto& [key, value] : parameters)
        if (key == name) return &value;
    return nullptr;
}

std::optional<target> parse_target(std::string_view text) {
    const auto printable = [](char c) { return c > 0x20 && c < 0x7F && c != '#'; };
    if (text.empty() || !std::all_of(text.begin(), text.end(), printable)) return std::nullopt;
    target out;
    if (text[0] != '/' && !take_authority(text, out)) return std::nullopt;
    const std::size_t question = text.find('?');
    std::string_view path = text.substr(0, question);
    if (path.empty()) path = "/";  // "http://host" (RFC 9110 section 4.2.3)
    if (!parse_path(path, out)) return std::nullopt;
    if (question != std::string_view::npos && !parse_query(text.substr(question + 1), out))
        return std::nullopt;
    return out;
}

}  // namespace shardgate::admin
