// SPDX-License-Identifier: Apache-2.0
// UTF-8 from outside, read one code point at a time. Bytes that are not UTF-8 never pass through.
// Pure. Spec: RFC 3629.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace shardgate {

struct code_point {
    char32_t value = 0;
    std::uint8_t length = 0;  // bytes taken, at least 1
    bool valid = false;       // else `value` is the one offending byte
};

// The code point that starts at `at`; over-long forms, surrogates, values above U+10FFFF and cut
// sequences are invalid. Pre: at < text.size().
[[nodiscard]] code_point decode_utf8(std::string_view text, std::size_t at) noexcept;

// Appends `value` (a valid code point) as UTF-8.
void append_utf8(std::string& out, char32_t value);

// The text with each invalid byte replaced by U+FFFD.
[[nodiscard]] std::string to_valid_utf8(std::string_view text);

// At most `limit` bytes of the text, never cutting a code point in two.
[[nodiscard]] std::string_view utf8_prefix(std::string_view text, std::size_t limit) noexcept;

}  // namespace shardgate
