// SPDX-License-Identifier: Apache-2.0
#include "config/values.hpp"

#include <gtest/gtest.h>

#include <random>

namespace shardgate::config {
namespace {

using namespace std::chrono_literals;

TEST(Durations, HaveAUnit) {
    EXPECT_EQ(parse_duration("250ms"), 250ms);
    EXPECT_EQ(parse_duration("5s"), 5000ms);
    EXPECT_EQ(parse_duration("10m"), 600000ms);
    EXPECT_EQ(parse_duration("8h"), 28800000ms);
    EXPECT_EQ(parse_duration("7d"), 604800000ms);
    EXPECT_EQ(parse_duration("0s"), 0ms);
}

TEST(Durations, RefuseEverythingElse) {
    for (const char* text : {"", "5", "s", "5 s", " 5s", "5s ", "-5s", "+5s", "1.5s", "5S", "5sec",
                             "1h30m", "0x5s", "5us", "99999999999999999999s"})
        EXPECT_FALSE(parse_duration(text)) << text;
}

TEST(Durations, DoNotOverflow) {
    EXPECT_TRUE(parse_duration("9223372036854775807ms"));
    EXPECT_FALSE(parse_duration("9223372036854775808ms"));
    EXPECT_FALSE(parse_duration("9223372036854775807s"));
    EXPECT_FALSE(parse_duration("18446744073709551615d"));
}

TEST(Durations, AreWrittenInTheLargestUnitThatDivides) {
    EXPECT_EQ(format_duration(0ms), "0s");
    EXPECT_EQ(format_duration(5250ms), "5250ms");
    EXPECT_EQ(format_duration(60s), "1m");
    EXPECT_EQ(format_duration(24h), "24h");
    EXPECT_EQ(format_duration(48h), "2d");
}

TEST(Sizes, HaveAUnit) {
    EXPECT_EQ(parse_size("17B"), 17U);
    EXPECT_EQ(parse_size("64KiB"), 65536U);
    EXPECT_EQ(parse_size("512MiB"), 512ULL << 20);
    EXPECT_EQ(parse_size("10GiB"), 10ULL << 30);
    EXPECT_EQ(parse_size("3TiB"), 3ULL << 40);
}

TEST(Sizes, RefuseEverythingElse) {
    for (const char* text : {"", "5", "MiB", "5MB", "5mib", "-5B", "5 MiB", "1.5GiB",
                             "99999999999999TiB", "8388608TiB"})
        EXPECT_FALSE(parse_size(text)) << text;
    EXPECT_TRUE(parse_size("8388607TiB"));
}

TEST(ValuesProperty, WhatIsWrittenIsReadAgain) {
    const unsigned seed = std::random_device{}();
    SCOPED_TRACE(seed);
    std::mt19937_64 engine(seed);
    for (int i = 0; i < 2000; ++i) {
        const std::uint64_t value = engine() >> (1 + engine() % 63);
        EXPECT_EQ(parse_size(format_size(value)), value);
        const std::chrono::milliseconds time(static_cast<std::int64_t>(value));
        EXPECT_EQ(parse_duration(format_duration(time)), time);
    }
}

}  // namespace
}  // namespace shardgate::config
