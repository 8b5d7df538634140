// SPDX-License-Identifier: Apache-2.0
#include "shardgate/base/utf8.hpp"

#include <gtest/gtest.h>

namespace shardgate {
namespace {

TEST(Utf8, EveryCodePointComesBack) {
    for (char32_t c = 0; c <= 0x10FFFF; ++c) {
        if (c == 0xD800) c = 0xE000;
        std::string text;
        append_utf8(text, c);
        const code_point read = decode_utf8(text, 0);
        ASSERT_TRUE(read.valid) << static_cast<unsigned>(c);
        ASSERT_EQ(read.value, c);
        ASSERT_EQ(read.length, text.size());
    }
}

TEST(Utf8, WhatIsNotUtf8IsOneInvalidByteAtATime) {
    const char* const bad[] = {
        "\x80",              // continuation without a lead
        "\xc0\xaf",          // over-long
        "\xc1\xbf",          // over-long
        "\xe0\x80\xaf",      // over-long
        "\xf0\x80\x80\xaf",  // over-long
        "\xed\xa0\x80",      // surrogate
        "\xf4\x90\x80\x80",  // above U+10FFFF
        "\xf8\x88\x80\x80",  // five-byte lead
        "\xe2\x82",          // cut
        "\xe2x\xac",         // broken
        "\xff",
    };
    for (const char* text : bad) {
        const code_point read = decode_utf8(text, 0);
        EXPECT_FALSE(read.valid) << testing::PrintToString(text);
        EXPECT_EQ(read.length, 1);
    }
}

TEST(Utf8, InvalidBytesAreReplacedAndTheRestStays) {
    EXPECT_EQ(to_valid_utf8("a\xff"
                            "b"),
              "a\xef\xbf\xbd"
              "b");
    EXPECT_EQ(to_valid_utf8("日本"), "日本");
    EXPECT_EQ(to_valid_utf8(""), "");
}

TEST(Utf8, APrefixNeverCutsACodePoint) {
    EXPECT_EQ(utf8_prefix("abc", 2), "ab");
    EXPECT_EQ(utf8_prefix("abc", 3), "abc");
    EXPECT_EQ(utf8_prefix("a\xf0\x9f\x98\x80", 4), "a");
    EXPECT_EQ(utf8_prefix("a\xf0\x9f\x98\x80z", 5), "a\xf0\x9f\x98\x80");
    EXPECT_EQ(utf8_prefix("\xe2\x82\xac", 0), "");
}

TEST(Utf8, APrefixOfGarbageIsStillBounded) {
    const std::string garbage(100, '\x80');
    EXPECT_LE(utf8_prefix(garbage, 10).size(), 10U);
    EXPECT_GE(utf8_prefix(garbage, 10).size(), 7U);
}

}  // namespace
}  // namespace shardgate
