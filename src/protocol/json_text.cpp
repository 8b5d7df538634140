// SPDX-License-Identifier: Apache-2.0
// Escaping and unescaping of JSON strings (RFC 8259, section 7). Depends on nothing but std.
#include "shardgate/protocol/json_text.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace shardgate {
namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";  // U+FFFD

unsigned byte_at(std::string_view text, std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
}

// Length of the well-formed UTF-8 sequence at `i` (Unicode, table 3-7), 0 when there is none.
std::size_t sequence_length(std::string_view text, std::size_t i) {
    const unsigned lead = byte_at(text, i);
    if (lead < 0x80) return 1;
    std::size_t length = 0;
    unsigned low = 0x80;
    unsigned high = 0xbf;  // bounds of the second byte: no overlong form, surrogate or > U+10FFFF
    if (lead >= 0xc2 && lead <= 0xdf) {
        length = 2;
    } else if (lead >= 0xe0 && lead <= 0xef) {
        length = 3;
        if (lead == 0xe0) low = 0xa0;
        if (lead == 0xed) high = 0x9f;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
        length = 4;
        if (lead == 0xf0) low = 0x90;
        if (lead == 0xf4) high = 0x8f;
    } else {
        return 0;
    }
    const unsigned second = byte_at(text, i + 1);
    if (second < low || second > high) return 0;
    for (std::size_t k = 2; k < length; ++k)
        if ((byte_at(text, i + k) & 0xc0) != 0x80) return 0;
    return length;
}

// The two-character escape of `c`, or empty.
std::string_view short_escape(char c) {
    switch (c) {
    case '"': return "\\\"";
    case '\\': return "\\\\";
    case '\b': return "\\b";
    case '\f': return "\\f";
    case '\n': return "\\n";
    case '\r': return "\\r";
    case '\t': return "\\t";
    default: return {};
    }
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// The four hex digits at `i`, or -1.
std::int32_t code_unit(std::string_view raw, std::size_t i) {
    if (raw.size() < i + 4) return -1;
    std::int32_t unit = 0;
    for (std::size_t k = i; k < i + 4; ++k) {
        const int digit = hex_digit(raw[k]);
        if (digit < 0) return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

void append_utf8(std::string& out, std::uint32_t point) {
    const auto put = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
    if (point < 0x80) {
        put(point);
    } else if (point < 0x800) {
        put(0xc0 | (point >> 6));
        put(0x80 | (point & 0x3f));
    } else if (point < 0x10000) {
        put(0xe0 | (point >> 12));
        put(0x80 | ((point >> 6) & 0x3f));
        put(0x80 | (point & 0x3f));
    } else {
        put(0xf0 | (point >> 18));
        put(0x80 | ((point >> 12) & 0x3f));
        put(0x80 | ((point >> 6) & 0x3f));
        put(0x80 | (point & 0x3f));
    }
}

constexpr bool is_high_surrogate(std::int32_t unit) {
    return unit >= 0xd800 && unit < 0xdc00;
}
constexpr bool is_low_surrogate(std::int32_t unit) {
    return unit >= 0xdc00 && unit < 0xe000;
}

// `i` is behind the `u` of an escape; moves it behind all that the escape is made of.
bool append_unicode_escape(std::string_view raw, std::size_t& i, std::string& out) {
    const std::int32_t unit = code_unit(raw, i);
    if (unit < 0) return false;
    i += 4;
    if (is_high_surrogate(unit) && raw.substr(i, 2) == "\\u") {
        const std::int32_t second = code_unit(raw, i + 2);
        if (is_low_surrogate(second)) {
            i += 6;
            append_utf8(out, 0x10000u + (static_cast<std::uint32_t>(unit - 0xd800) << 10) +
                                 static_cast<std::uint32_t>(second - 0xdc00));
            return true;
        }
    }
    if (is_high_surrogate(unit) || is_low_surrogate(unit))
        out += replacement;
    else
        append_utf8(out, static_cast<std::uint32_t>(unit));
    return true;
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
    static constexpr std::array<char, 16> digits = {'0', '1', '2', '3', '4', '5', '6', '7',
                                                    '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'};
    out += '"';
    for (std::size_t i = 0; i < text.size();) {
        const char c = text[i];
        const std::string_view escape = short_escape(c);
        if (!escape.empty()) {
            out += escape;
            ++i;
        } else if (static_cast<unsigned char>(c) < 0x20) {
            out += "\\u00";
            out += digits[static_cast<unsigned char>(c) >> 4];
            out += digits[static_cast<unsigned char>(c) & 0xf];
            ++i;
        } else if (const std::size_t length = sequence_length(text, i); length > 0) {
            out += text.substr(i, length);
            i += length;
        } else {
            out += replacement;
            ++i;
        }
    }
    out += '"';
}

std::string json_string(std::string_view text) {
    std::string out;
    out.reserve(text.size() + 2);
    append_json_string(out, text);
    return out;
}

bool unescape_json(std::string_view raw, std::string& out) {
    for (std::size_t i = 0; i < raw.size();) {
        const std::size_t escape = raw.find('\\', i);
        out += raw.substr(i, escape == std::string_view::npos ? escape : escape - i);
        if (escape == std::string_view::npos) return true;
        i = escape + 2;
        if (i > raw.size()) return false;
        switch (raw[i - 1]) {
        case '"': out += '"'; break;
        case '\\': out += '\\'; break;
        case '/': out += '/'; break;
        case 'b': out += '\b'; break;
        case 'f': out += '\f'; break;
        case 'n': out += '\n'; break;
        case 'r': out += '\r'; break;
        case 't': out += '\t'; break;
        case 'u':
            if (!append_unicode_escape(raw, i, out)) return false;
            break;
        default: return false;
        }
    }
    return true;
}

}  // namespace shardgate
