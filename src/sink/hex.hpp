// SPDX-License-Identifier: Apache-2.0
// Lower-case hex, appended. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace shardgate::sink {

inline constexpr std::string_view hex_digits = "0123456789abcdef";

inline void append_hex(std::string& out, std::string_view bytes) {
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        out += hex_digits[byte >> 4U];
        out += hex_digits[byte & 15U];
    }
}

// All 16 digits.
inline void append_hex(std::string& out, std::uint64_t value) {
    char digits[16];
    for (int i = 15; i >= 0; --i, value >>= 4U)
        digits[i] = hex_digits[value & 15U];
    out.append(digits, sizeof digits);
}

}  // namespace shardgate::sink
