// SPDX-License-Identifier: Apache-2.0
#include "config/text.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace shardgate::config {
namespace {

TEST(EditDistance, CountsSlips) {
    EXPECT_EQ(edit_distance("", ""), 0U);
    EXPECT_EQ(edit_distance("", "abc"), 3U);
    EXPECT_EQ(edit_distance("abc", ""), 3U);
    EXPECT_EQ(edit_distance("timeout", "timeout"), 0U);
    EXPECT_EQ(edit_distance("timeot", "timeout"), 1U);
    EXPECT_EQ(edit_distance("tiemout", "timeout"), 1U);  // two neighbours swapped
    EXPECT_EQ(edit_distance("timeoux", "timeout"), 1U);
    EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

TEST(EditDistance, LooksAtABoundedPart) {
    const std::string longer(100'000, 'a');
    EXPECT_EQ(edit_distance(longer, ""), 64U);
}

TEST(Nearest, TakesTheFirstOfEquals) {
    const std::array<std::string_view, 3> names{"alpha", "beta", "betb"};
    EXPECT_EQ(nearest("bet", names), "beta");
    EXPECT_EQ(nearest("alpah", names), "alpha");
    EXPECT_EQ(nearest("x", {}), "");
}

TEST(Nearest, FindsARightKeyUnderTheWrongHeading) {
    const std::array<std::string_view, 3> names{"handler.urls", "sharding.workers", "log.level"};
    EXPECT_EQ(nearest_key("handler.workers", names), "sharding.workers");
    EXPECT_EQ(nearest_key("handler.url", names), "handler.urls");
    EXPECT_EQ(nearest_key("level", names), "log.level");
}

TEST(Printable, ReplacesControlCharacters) {
    EXPECT_EQ(printable("a\x1b[31m\n\x7f", 80), "a?[31m??");
    EXPECT_EQ(in_quotes("x\ty"), "\"x?y\"");
}

TEST(Printable, NeverCutsACharacter) {
    EXPECT_EQ(printable("abc\u00e9def", 4), "abc...");
    EXPECT_EQ(printable("abc\u00e9def", 5), "abc\u00e9...");
    EXPECT_EQ(printable("abc", 3), "abc");
}

TEST(Characters, AreCodePoints) {
    EXPECT_EQ(characters(""), 0U);
    EXPECT_EQ(characters("a\u00e9\U0001F600"), 3U);
}

TEST(VisibleAscii, HasNoBlanksAndNothingForeign) {
    EXPECT_TRUE(is_visible_ascii("!azAZ09~"));
    for (const char* text : {"a b", "a\n", "\x7f", "\u00e9"})
        EXPECT_FALSE(is_visible_ascii(text)) << text;
}

}  // namespace
}  // namespace shardgate::config
