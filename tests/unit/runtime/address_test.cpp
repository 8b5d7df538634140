// SPDX-License-Identifier: Apache-2.0
#include "shardgate/runtime/address.hpp"

#include <gtest/gtest.h>

#include <string>

namespace shardgate {
namespace {

TEST(Address, ReadsHostAndPort) {
    const auto a = parse_address("bot.internal:8080");

    ASSERT_TRUE(a);
    EXPECT_EQ(a->type, address::kind::tcp);
    EXPECT_EQ(a->host, "bot.internal");
    EXPECT_EQ(a->port, 8080);
}

TEST(Address, ReadsBracketedIpv6) {
    const auto a = parse_address("[::1]:0");

    ASSERT_TRUE(a);
    EXPECT_EQ(a->host, "::1");
    EXPECT_EQ(a->port, 0);
}

TEST(Address, ReadsUnixPaths) {
    const auto a = parse_address("unix:/run/shardgate/admin.sock");

    ASSERT_TRUE(a);
    EXPECT_EQ(a->type, address::kind::unix_socket);
    EXPECT_EQ(a->path, "/run/shardgate/admin.sock");
}

TEST(Address, RefusesWhatIsNotOne) {
    const std::string long_path = "unix:/" + std::string(200, 'x');
    const std::string nul_path("unix:/a\0b", 9);
    for (const std::string& text :
         {std::string(), std::string("host"), std::string("host:"), std::string(":80"),
          std::string("host:65536"), std::string("host:-1"), std::string("host:80x"),
          std::string("host: 80"), std::string("[::1]"), std::string("[::1"),
          std::string("[host]:80"), std::string("::1:80"), std::string("a b:80"),
          std::string("http://host:80"), std::string("unix:"), std::string("unix:relative"),
          long_path, nul_path}) {
        const auto a = parse_address(text);

        ASSERT_FALSE(a) << text;
        EXPECT_NE(a.error().detail.find("allowed"), std::string::npos) << text;
    }
}

TEST(Address, IsWrittenAsItIsRead) {
    for (const std::string& text :
         {std::string("127.0.0.1:7600"), std::string("[2001:db8::7]:443"), std::string("unix:/x")})
        EXPECT_EQ(to_string(*parse_address(text)), text);
}

TEST(Address, KnowsWhatOnlyThisMachineReaches) {
    for (const char* text : {"127.0.0.1:1", "127.8.9.1:1", "[::1]:1", "localhost:1", "unix:/x"})
        EXPECT_TRUE(is_local(*parse_address(text))) << text;
    for (const char* text : {"0.0.0.0:1", "[::]:1", "10.0.0.1:1", "localhost.example.com:1"})
        EXPECT_FALSE(is_local(*parse_address(text))) << text;
}

}  // namespace
}  // namespace shardgate
