// SPDX-License-Identifier: Apache-2.0
// Lower-case hex, appended. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace shardgate::sink {

inline constexpr std::string_view hex_digits = "0123456789abcdef";

template <class Text>
void append_hex(Text& out, std::string_view bytes) {
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        out += hex_digits[byte >> 4U];
        out += hex_digits[byte & 15U];
    }
}

// Both digits of every byte.
inline constexpr auto hex_pairs = [] {
    std::array<char, 512> pairs{};
    for (std::size_t byte = 0; byte < 256; ++byte) {
        pairs[2 * byte] = hex_digits[byte >> 4U];
        pairs[2 * byte + 1] = hex_digits[byte & 15U];
    }
    return pairs;
}();

// All 16 digits.
template <class Text>
void append_hex(Text& out, std::uint64_t value) {
    char digits[16];
    for (std::size_t i = sizeof digits; i > 0; i -= 2, value >>= 8U)
        std::memcpy(digits + i - 2, &hex_pairs[2 * (value & 0xffU)], 2);
    out += std::string_view(digits, sizeof digits);
}

}  // namespace shardgate::sink
