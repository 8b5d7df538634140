// SPDX-License-Identifier: Apache-2.0
#include "transport/url.hpp"

#include <gtest/gtest.h>

namespace shardgate {
namespace {

TEST(Url, SplitsWhatAClientNeeds) {
    const auto u = parse_url("wss://Gateway.Discord.GG/?v=10&encoding=json");

    ASSERT_TRUE(u);
    EXPECT_EQ(u->scheme, "wss");
    EXPECT_EQ(u->host, "gateway.discord.gg");
    EXPECT_EQ(u->port, 443);
    EXPECT_EQ(u->target, "/?v=10&encoding=json");
    EXPECT_EQ(u->authority, "gateway.discord.gg");
    EXPECT_TRUE(u->tls());
}

TEST(Url, KnowsOtherPortsAndNoPath) {
    const auto u = parse_url("http://127.0.0.1:8080?x=%20#fragment");

    ASSERT_TRUE(u);
    EXPECT_EQ(u->port, 8080);
    EXPECT_EQ(u->authority, "127.0.0.1:8080");
    EXPECT_EQ(u->target, "/?x=%20");
    EXPECT_FALSE(u->tls());
}

TEST(Url, TakesIpv6WithoutItsBrackets) {
    const auto u = parse_url("https://[2001:db8::1]:8443/api");

    ASSERT_TRUE(u);
    EXPECT_EQ(u->host, "2001:db8::1");
    EXPECT_EQ(u->authority, "[2001:db8::1]:8443");
}

TEST(Url, AnEmptyPortIsTheSchemesOwn) {
    EXPECT_EQ(parse_url("https://host:/")->port, 443);
}

TEST(Url, RefusesTheRestWithoutQuotingIt) {
    for (const char* text : {"", "host", "//host/", "ftp://host/", "https://", "https:///path",
                             "https://user:pw@host/", "https://host:0/", "https://host:65536/",
                             "https://host:x/", "https://ho st/", "https://host/a b",
                             "https://host/\r\nX: y", "https://host/%zz", "https://ho%00st/"}) {
        const auto u = parse_url(text);

        ASSERT_FALSE(u) << text;
        EXPECT_EQ(u.error().detail.find("pw"), std::string::npos);
        EXPECT_EQ(u.error().detail.find("a b"), std::string::npos);
    }
}

}  // namespace
}  // namespace shardgate
