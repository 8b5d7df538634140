// SPDX-License-Identifier: Apache-2.0
#include "admin/views.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <limits>
#include <string>

#include "admin/json_text.hpp"
#include "fake_view.hpp"

namespace shardgate::admin {
namespace {

TEST(JsonText, NumbersStringsAndNestingComeBack) {
    const boost::json::value v = boost::json::parse(
        R"({"a":[1,-2,18446744073709551615,true,false,null],"b":{"c":"\"x\n\u0001"},"d":{},"e":[]})");

    EXPECT_EQ(boost::json::parse(to_text(v)), v);
}

TEST(JsonText, DoublesAreRoundedToThousandths) {
    EXPECT_EQ(to_text(1.0), "1\n");
    EXPECT_EQ(to_text(0.1234567), "0.123\n");
    EXPECT_EQ(to_text(-0.0001), "0\n");
    EXPECT_EQ(to_text(123456.75), "123456.75\n");
    EXPECT_EQ(to_text(std::numeric_limits<double>::quiet_NaN()), "null\n");
    EXPECT_EQ(to_text(std::numeric_limits<double>::infinity()), "null\n");
    EXPECT_EQ(to_text(std::numeric_limits<double>::max()).size(), 310U);
}

TEST(Views, UrlsLoseTheirSecrets) {
    EXPECT_EQ(without_secrets("http://a:b@h:1/p?q=1"), "http://***@h:1/p?***");
    EXPECT_EQ(without_secrets("http://a:b@c@h/p"), "http://***@h/p");
    EXPECT_EQ(without_secrets("http://h/p@q"), "http://h/p@q");
    EXPECT_EQ(without_secrets("unix:/run/bot.sock:/path?k=v"), "unix:/run/bot.sock:/path?***");
    EXPECT_EQ(without_secrets("https://h"), "https://h");
    EXPECT_EQ(without_secrets(""), "");
}

TEST(Views, TextFromOutsideIsMadeUtf8) {
    shard_snapshot s = test::shard_number(0, "ready");
    s.session = "\xff\xfe";
    s.url = "h\x80";
    queue_snapshot q;
    q.shed = {{"\xff", 1}};

    EXPECT_NO_THROW(static_cast<void>(boost::json::parse(to_text(to_json(s)))));
    EXPECT_NO_THROW(static_cast<void>(boost::json::parse(to_text(to_json(q)))));
}

TEST(Views, WhatIsWaitedForIsSaidOrNull) {
    status_snapshot s;
    EXPECT_TRUE(to_json(s).at("waiting_for").is_null());
    s.waiting_for = "Discord's answer to GET /gateway/bot";
    EXPECT_EQ(to_json(s).at("waiting_for"), "Discord's answer to GET /gateway/bot");
}

}  // namespace
}  // namespace shardgate::admin
