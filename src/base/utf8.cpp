// SPDX-License-Identifier: Apache-2.0
#include "shardgate/base/utf8.hpp"

#include <cstddef>

namespace shardgate {

namespace {

constexpr bool is_continuation(unsigned char c) noexcept {
    return (c & 0xC0U) == 0x80U;
}

struct lead {
    std::uint8_t length;
    char32_t bits;
    char32_t smallest;  // a value below it would be an over-long form
};

constexpr lead classify(unsigned char c) noexcept {
    if (c < 0x80) return {1, c, 0};
    if (c >= 0xC2 && c <= 0xDF) return {2, c & 0x1FU, 0x80};
    if (c >= 0xE0 && c <= 0xEF) return {3, c & 0x0FU, 0x800};
    if (c >= 0xF0 && c <= 0xF4) return {4, c & 0x07U, 0x10000};
    return {0, 0, 0};
}

}  // namespace

code_point decode_utf8(std::string_view text, std::size_t at) noexcept {
    const auto first = static_cast<unsigned char>(text[at]);
    const code_point bad{first, 1, false};
    const lead l = classify(first);
    if (l.length == 0 || at + l.length > text.size()) return bad;
    char32_t value = l.bits;
    for (std::size_t i = 1; i < l.length; ++i) {
        const auto c = static_cast<unsigned char>(text[at + i]);
        if (!is_continuation(c)) return bad;
        value = (value << 6) | (c & 0x3FU);
    }
    const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
    if (value < l.smallest || value > 0x10FFFF || surrogate) return bad;
    return {value, l.length, true};
}

void append_utf8(std::string& out, char32_t value) {
    const auto put = [&out](char32_t byte) {
        out.push_back(static_cast<char>(static_cast<unsigned char>(byte)));
    };
    if (value < 0x80) {
        put(value);
    } else if (value < 0x800) {
        put(0xC0U | (value >> 6));
        put(0x80U | (value & 0x3FU));
    } else if (value < 0x10000) {
        put(0xE0U | (value >> 12));
        put(0x80U | ((value >> 6) & 0x3FU));
        put(0x80U | (value & 0x3FU));
    } else {
        put(0xF0U | (value >> 18));
        put(0x80U | ((value >> 12) & 0x3FU));
        put(0x80U | ((value >> 6) & 0x3FU));
        put(0x80U | (value & 0x3FU));
    }
}

std::string to_valid_utf8(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const code_point c = decode_utf8(text, at);
        if (c.valid)
            out.append(text, at, c.length);
        else
            append_utf8(out, 0xFFFD);
        at += c.length;
    }
    return out;
}

std::string_view utf8_prefix(std::string_view text, std::size_t limit) noexcept {
    if (text.size() <= limit) return text;
    std::size_t end = limit;
    // A code point has at most three continuation bytes; more of them is not UTF-8 anyway.
    for (int back = 0; back < 3 && end > 0; ++back) {
        if (!is_continuation(static_cast<unsigned char>(text[end]))) break;
        --end;
    }
    return text.substr(0, end);
}

}  // namespace shardgate
