// SPDX-License-Identifier: Apache-2.0
// Handler URLs, right and wrong.
#include "sink/endpoint.hpp"

#include <gtest/gtest.h>

namespace shardgate::sink {
namespace {

TEST(Endpoint, HttpAndHttpsHaveTheirPortsAndTargets) {
    const auto plain = parse_endpoint("http://bot.local/a/b?c=d#frag");
    ASSERT_TRUE(plain.has_value());
    EXPECT_EQ(plain->type, endpoint::kind::http);
    EXPECT_EQ(plain->host, "bot.local");
    EXPECT_EQ(plain->port, 80);
    EXPECT_EQ(plain->target, "/a/b?c=d");
    EXPECT_EQ(plain->host_header, "bot.local");

    const auto tls = parse_endpoint("https://bot:8443?x");
    ASSERT_TRUE(tls.has_value());
    EXPECT_EQ(tls->type, endpoint::kind::https);
    EXPECT_EQ(tls->port, 8443);
    EXPECT_EQ(tls->target, "/?x");
    EXPECT_EQ(tls->host_header, "bot:8443");
    EXPECT_EQ(parse_endpoint("https://bot")->port, 443);
}

TEST(Endpoint, Ipv6LiteralsLoseTheirBracketsForTheSocketOnly) {
    const auto six = parse_endpoint("http://[::1]:9000/");
    ASSERT_TRUE(six.has_value());
    EXPECT_EQ(six->host, "::1");
    EXPECT_EQ(six->port, 9000);
    EXPECT_EQ(six->host_header, "[::1]:9000");
    EXPECT_EQ(parse_endpoint("http://[::1]")->port, 80);
}

TEST(Endpoint, UserInfoIsDecodedAndNotPartOfTheHost) {
    const auto e = parse_endpoint("http://a%40b:c@d@bot:1/");
    ASSERT_TRUE(e.has_value());
    EXPECT_EQ(e->user_info, "a@b:c@d");
    EXPECT_EQ(e->host_header, "bot:1");
}

TEST(Endpoint, UnixSocketsHaveAPathAndATarget) {
    const auto e = parse_endpoint("unix:/run/bot.sock:/hook?a");
    ASSERT_TRUE(e.has_value());
    EXPECT_EQ(e->type, endpoint::kind::unix_socket);
    EXPECT_EQ(e->path, "/run/bot.sock");
    EXPECT_EQ(e->target, "/hook?a");
    EXPECT_EQ(e->host_header, "localhost");
    EXPECT_EQ(parse_endpoint("unix:/run/bot.sock")->target, "/");
}

TEST(Endpoint, WhatIsNotCertainlyRightIsRefusedWithoutShowingSecrets) {
    for (const auto* url : {"",
                            "bot:80",
                            "ftp://x/",
                            "http://",
                            "http:///x",
                            "http://:80/",
                            "http://bot:/",
                            "http://bot:0/",
                            "http://bot:65536/",
                            "http://bot:8a/",
                            "http://bot:+8/",
                            "http://[::1/",
                            "http://[::1]x/",
                            "http://[::1]:/",
                            "http://[]/",
                            "http://a:b:c/",
                            "http://bo t/",
                            "http://bot/\r\nX: y",
                            "http://bot/\x7f",
                            "unix:",
                            "unix:run/x",
                            "http://secret%zz@bot/",
                            "http://secret%4@bot/",
                            "http://bo<t/"}) {
        const auto e = parse_endpoint(url);
        EXPECT_FALSE(e.has_value()) << url;
        if (!e) {
            EXPECT_EQ(e.error().detail.find("secret"), std::string::npos);
        }
    }
    EXPECT_FALSE(parse_endpoint("unix:/" + std::string(120, 'x')).has_value());
}

}  // namespace
}  // namespace shardgate::sink
