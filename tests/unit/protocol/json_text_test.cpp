// SPDX-License-Identifier: Apache-2.0
#include "shardgate/protocol/json_text.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace shardgate {
namespace {

using namespace std::string_literals;

std::string unescaped(std::string_view raw) {
    std::string out;
    EXPECT_TRUE(unescape_json(raw, out)) << raw;
    return out;
}

bool refuses(std::string_view raw) {
    std::string out;
    return !unescape_json(raw, out);
}

TEST(JsonText, QuotesBackslashesAndControlCharactersAreEscaped) {
    EXPECT_EQ(json_string("a\"b\\c"), R"("a\"b\\c")");
    EXPECT_EQ(json_string("\b\f\n\r\t"), R"("\b\f\n\r\t")");
    EXPECT_EQ(json_string("\0\x1f"s), R"("\u0000\u001f")");
    EXPECT_EQ(json_string(""), R"("")");
}

TEST(JsonText, Utf8PassesAsItIs) {
    EXPECT_EQ(json_string("é 日 😀 \x7f"), "\"é 日 😀 \x7f\"");
    EXPECT_EQ(json_string("\xf4\x8f\xbf\xbf"), "\"\xf4\x8f\xbf\xbf\"");
}

TEST(JsonText, BytesThatAreNoUtf8BecomeReplacementCharacters) {
    const std::string r = "\xef\xbf\xbd";
    EXPECT_EQ(json_string("\xff"), "\"" + r + "\"");
    EXPECT_EQ(json_string("a\xc3"), "\"a" + r + "\"");                        // cut short
    EXPECT_EQ(json_string("\xc0\xaf"), "\"" + r + r + "\"");                  // overlong
    EXPECT_EQ(json_string("\xe0\x80\x80"), "\"" + r + r + r + "\"");          // overlong
    EXPECT_EQ(json_string("\xed\xa0\x80"), "\"" + r + r + r + "\"");          // a surrogate
    EXPECT_EQ(json_string("\xf4\x90\x80\x80"), "\"" + r + r + r + r + "\"");  // > U+10FFFF
    EXPECT_EQ(json_string("\xf0\x80\x80\x80"), "\"" + r + r + r + r + "\"");
    EXPECT_EQ(json_string("\xf5z"), "\"" + r + "z\"");
}

TEST(JsonText, EveryEscapeIsUndone) {
    EXPECT_EQ(unescaped(R"(\"\\\/\b\f\n\r\t)"), "\"\\/\b\f\n\r\t");
    EXPECT_EQ(unescaped(R"(wss:\/\/x)"), "wss://x");
    EXPECT_EQ(unescaped(R"(\u0041\u00e9\u65E5\ud83d\ude00)"), "Aé日😀");
    EXPECT_EQ(unescaped(R"(\u0000)"), "\0"s);
    EXPECT_EQ(unescaped("plain"), "plain");
}

TEST(JsonText, LoneSurrogatesBecomeReplacementCharacters) {
    EXPECT_EQ(unescaped(R"(\ud83d)"), "\xef\xbf\xbd");
    EXPECT_EQ(unescaped(R"(\ude00x)"), "\xef\xbf\xbdx");
    EXPECT_EQ(unescaped(R"(\ud83d\u0041)"), "\xef\xbf\xbd"s + "A");
    EXPECT_EQ(unescaped(R"(\ud83d\n)"), "\xef\xbf\xbd\n");
}

TEST(JsonText, MalformedEscapesAreRefused) {
    for (const char* raw : {"\\", "\\q", "\\u", "\\u12", "\\u12g4", "a\\x", "\\ud83d\\u12"})
        EXPECT_TRUE(refuses(raw)) << raw;
}

TEST(JsonTextProperty, WhatIsEscapedComesBackUnescaped) {
    const unsigned seed = 20261121;
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const std::string pieces[] = {"a", "\"", "\\", "\n", "\x01", "é", "😀", "\0"s, "/", "\x7f"};
    for (int round = 0; round < 500; ++round) {
        std::string text;
        for (auto n = random() % 20; n > 0; --n)
            text += pieces[random() % std::size(pieces)];
        const std::string json = json_string(text);
        EXPECT_EQ(unescaped(std::string_view(json).substr(1, json.size() - 2)), text);
    }
}

}  // namespace
}  // namespace shardgate
