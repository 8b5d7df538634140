// SPDX-License-Identifier: Apache-2.0
// Appends JSON to a string without a document in between: the generator's inner loop.
#pragma once

#include <charconv>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "sim/rng.hpp"

namespace shardgate::sim {

class json_text {
public:
    explicit json_text(std::string& out) noexcept : out_(out) {}

    json_text& operator()(std::string_view raw) {
        out_.append(raw);
        return *this;
    }
    json_text& number(std::uint64_t v) {
        char digits[20];
        const auto end = std::to_chars(digits, digits + sizeof digits, v).ptr;
        out_.append(digits, static_cast<std::size_t>(end - digits));
        return *this;
    }
    // A snowflake: a decimal string.
    json_text& id(std::uint64_t v) {
        out_.push_back('"');
        number(v);
        out_.push_back('"');
        return *this;
    }
    // 32 hex digits, as avatars and session ids are written.
    json_text& hash(rng& random) {
        static constexpr char hex[] = "0123456789abcdef";
        char text[32];
        for (int half = 0; half < 2; ++half) {
            std::uint64_t bits = random.next();
            for (int i = 0; i < 16; ++i, bits >>= 4)
                text[half * 16 + i] = hex[bits & 15U];
        }
        out_.append(text, sizeof text);
        return *this;
    }

    // A time as Discord writes it: 2026-11-21T19:03:00.123000+00:00. Pre: unix_ms >= 0.
    json_text& stamp(std::int64_t unix_ms) {
        using namespace std::chrono;
        const sys_time<milliseconds> at{milliseconds(unix_ms)};
        const auto day = floor<days>(at);
        const year_month_day date(day);
        const auto ms = static_cast<std::uint64_t>((at - day).count());
        padded(static_cast<std::uint64_t>(static_cast<int>(date.year())), 4)("-");
        padded(static_cast<unsigned>(date.month()), 2)("-");
        padded(static_cast<unsigned>(date.day()), 2)("T");
        padded(ms / 3600000, 2)(":").padded(ms / 60000 % 60, 2)(":");
        return padded(ms / 1000 % 60, 2)(".").padded(ms % 1000, 3)("000+00:00");
    }
    json_text& padded(std::uint64_t v, int width) {
        char digits[20];
        for (int i = width; i-- > 0; v /= 10)
            digits[i] = static_cast<char>('0' + v % 10);
        out_.append(digits, static_cast<std::size_t>(width));
        return *this;
    }

private:
    std::string& out_;
};

}  // namespace shardgate::sim
