// SPDX-License-Identifier: Apache-2.0
#include "admin/target.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace shardgate::admin {
namespace {

using segments = std::vector<std::string>;

TEST(Target, PathsAreSplitAndDecoded) {
    EXPECT_EQ(parse_target("/")->segments, segments{});
    EXPECT_EQ(parse_target("/a/b")->segments, (segments{"a", "b"}));
    EXPECT_EQ(parse_target("/a/")->segments, (segments{"a", ""}));
    EXPECT_EQ(parse_target("//a")->segments, (segments{"", "a"}));
    EXPECT_EQ(parse_target("/a%2Fb/%41+")->segments, (segments{"a/b", "A+"}));
}

TEST(Target, ParametersAreDecodedAndTheFirstOfANameCounts) {
    const auto t = parse_target("/p?a=1&b=x%20y+z&a=2&&flag&=v&c==");

    ASSERT_TRUE(t);
    EXPECT_EQ(*t->parameter("a"), "1");
    EXPECT_EQ(*t->parameter("b"), "x y z");
    EXPECT_EQ(*t->parameter("flag"), "");
    EXPECT_EQ(*t->parameter(""), "v");
    EXPECT_EQ(*t->parameter("c"), "=");
    EXPECT_EQ(t->parameter("d"), nullptr);
}

TEST(Target, TheAbsoluteFormNamesItsAuthority) {
    EXPECT_EQ(parse_target("http://h:1/a?b=c")->authority, "h:1");
    EXPECT_EQ(parse_target("http://h:1/a?b=c")->segments, segments{"a"});
    EXPECT_EQ(parse_target("HTTPS://h")->segments, segments{});
    EXPECT_EQ(*parse_target("http://h?q=1")->parameter("q"), "1");
}

TEST(Target, GarbageIsRefused) {
    for (const char* const bad :
         {"", "a", "*", "://x", "http:///a", "gopher://h/", "/%", "/%1", "/%g1", "/?%", "/?a=%2",
          "/ ", "/\t", "/\x7f", "/\x80", "/#", "h:443"})
        EXPECT_FALSE(parse_target(bad)) << bad;
}

}  // namespace
}  // namespace shardgate::admin
