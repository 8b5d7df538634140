// SPDX-License-Identifier: Apache-2.0
#include "shardgate/base/time_text.hpp"

#include <array>
#include <cstddef>
#include <cstdio>

namespace shardgate {

namespace {

struct parts {
    int year;
    unsigned month, day, weekday;
    unsigned hour, minute, second, millisecond;
};

parts split(wall_ms when) {
    using namespace std::chrono;
    const sys_days day = floor<days>(when);
    const year_month_day date{day};
    const hh_mm_ss<milliseconds> time{when - day};
    return {static_cast<int>(date.year()),
            static_cast<unsigned>(date.month()),
            static_cast<unsigned>(date.day()),
            weekday{day}.c_encoding(),
            static_cast<unsigned>(time.hours().count()),
            static_cast<unsigned>(time.minutes().count()),
            static_cast<unsigned>(time.seconds().count()),
            static_cast<unsigned>(time.subseconds().count())};
}

}  // namespace

std::string rfc3339(wall_ms when) {
    const parts p = split(when);
    std::array<char, 80> text{};
    const int n = std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02u:%02u:%02u.%03uZ",
                                p.year, p.month, p.day, p.hour, p.minute, p.second, p.millisecond);
    return {text.data(), static_cast<std::size_t>(n)};
}

std::string http_date(wall_ms when) {
    static constexpr std::array<const char*, 7> day_names{"Sun", "Mon", "Tue", "Wed",
                                                          "Thu", "Fri", "Sat"};
    static constexpr std::array<const char*, 12> month_names{
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const parts p = split(when);
    std::array<char, 80> text{};
    const int n = std::snprintf(text.data(), text.size(), "%s, %02u %s %04d %02u:%02u:%02u GMT",
                                day_names[p.weekday % 7], p.day, month_names[(p.month - 1) % 12],
                                p.year, p.hour, p.minute, p.second);
    return {text.data(), static_cast<std::size_t>(n)};
}

}  // namespace shardgate
