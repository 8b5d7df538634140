// SPDX-License-Identifier: Apache-2.0
#include "client/endpoint.hpp"

#include <gtest/gtest.h>

#include "client/exchange.hpp"

namespace shardgate::client {
namespace {

TEST(Endpoint, TakesHttpAndUnixAddresses) {
    const auto plain = parse_endpoint("http://127.0.0.1:7600");
    ASSERT_TRUE(plain) << plain.error().detail;
    EXPECT_EQ(to_string(plain->where), "127.0.0.1:7600");
    EXPECT_EQ(plain->host, "127.0.0.1:7600");
    EXPECT_EQ(plain->base, "");

    const auto behind = parse_endpoint("http://Bot.example/shardgate/");
    ASSERT_TRUE(behind) << behind.error().detail;
    EXPECT_EQ(behind->where.port, 80);
    EXPECT_EQ(behind->base, "/shardgate");

    const auto v6 = parse_endpoint("http://[::1]:7600/");
    ASSERT_TRUE(v6) << v6.error().detail;
    EXPECT_EQ(v6->where.host, "::1");
    EXPECT_EQ(v6->host, "[::1]:7600");
    EXPECT_TRUE(parse_endpoint("http://[::1]"));

    const auto local = parse_endpoint("unix:/run/shardgate/admin.sock");
    ASSERT_TRUE(local) << local.error().detail;
    EXPECT_EQ(local->where.path, "/run/shardgate/admin.sock");
    EXPECT_EQ(local->host, "localhost");
}

TEST(Endpoint, RefusesWhatItCannotUseAndNeverRepeatsIt) {
    for (const char* const bad :
         {"", "127.0.0.1:7600", "https://h:1", "ftp://h", "http://", "http://h:0", "http://h:x",
          "http://h:99999", "http://me:hunter2@h:1", "http://h/?hunter2", "http://h/#hunter2",
          "http://h/a b", "http://h\r\nX: hunter2", "http://h/\r\nhunter2", "unix:hunter2",
          "unix:", "http://[::1:7600", "HTTP://h"}) {
        const auto refused = parse_endpoint(bad);
        ASSERT_FALSE(refused) << bad;
        EXPECT_NE(refused.error().detail.find("allowed: "), std::string::npos);
        EXPECT_EQ(refused.error().detail.find("hunter2"), std::string::npos);
    }
}

TEST(RequestText, CarriesTheTokenAndOneBody) {
    const auto to = parse_endpoint("http://h:1/p");
    const std::string get = request_text(*to, secret(), {"GET", "/v1/queue", ""});
    EXPECT_EQ(get.rfind("GET /p/v1/queue HTTP/1.1\r\nHost: h:1\r\n", 0), 0U);
    EXPECT_EQ(get.find("Authorization"), std::string::npos);
    EXPECT_EQ(get.find("Content-"), std::string::npos);
    EXPECT_TRUE(get.ends_with("\r\n\r\n"));

    const std::string post = request_text(*to, secret("t0k"), {"POST", "/x", "{}"});
    EXPECT_NE(post.find("\r\nAuthorization: Bearer t0k\r\n"), std::string::npos);
    EXPECT_NE(post.find("\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"),
              std::string::npos);
    EXPECT_TRUE(post.ends_with("\r\n\r\n{}"));
    // Without a body too: the daemon wants to know that a change is not a web page's form.
    EXPECT_NE(request_text(*to, secret(), {"DELETE", "/x", ""}).find("application/json"),
              std::string::npos);
}

}  // namespace
}  // namespace shardgate::client
