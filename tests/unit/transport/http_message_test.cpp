// SPDX-License-Identifier: Apache-2.0
#include "transport/http_message.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace shardgate {
namespace {

using step = http_response_reader::step;

std::string text_of(const http_request& r) {
    const auto url = parse_url(r.url);
    const auto text = http_request_text(r, *url, "DiscordBot (x, 1)");
    return text ? *text : "failure: " + text.error().detail;
}

TEST(HttpRequest, IsWrittenWhole) {
    http_request r("POST", "https://discord.com/api/v10/x?y=1");
    r.headers.emplace_back("Content-Type", "application/json");
    r.body = "{}";

    EXPECT_EQ(text_of(r),
              "POST /api/v10/x?y=1 HTTP/1.1\r\nHost: discord.com\r\n"
              "Content-Type: application/json\r\nUser-Agent: DiscordBot (x, 1)\r\n"
              "Content-Length: 2\r\n\r\n{}");
}

TEST(HttpRequest, AGetHasNoLengthAndAnEmptyPostHas) {
    EXPECT_EQ(text_of({"GET", "http://h/"}).find("Content-Length"), std::string::npos);
    EXPECT_NE(text_of({"POST", "http://h/"}).find("Content-Length: 0\r\n"), std::string::npos);
}

TEST(HttpRequest, AHeaderOfTheCallersReplacesTheUserAgent) {
    http_request r("GET", "http://h/");
    r.headers.emplace_back("user-agent", "mine");

    EXPECT_EQ(text_of(r).find("DiscordBot"), std::string::npos);
}

TEST(HttpRequest, NothingCanBeSmuggledIn) {
    const std::vector<std::pair<std::string, std::string>> bad{{"X", "a\r\nY: b"},
                                                               {"X", "a\nb"},
                                                               {"X", std::string("a\0b", 3)},
                                                               {"X Y", "a"},
                                                               {"X:", "a"},
                                                               {"", "a"},
                                                               {"Host", "elsewhere"},
                                                               {"CONNECTION", "x"},
                                                               {"Content-Length", "7"},
                                                               {"Transfer-Encoding", "chunked"}};
    for (const auto& [name, value] : bad) {
        http_request r("GET", "http://h/");
        r.headers.emplace_back(name, value);
        EXPECT_EQ(text_of(r).rfind("failure", 0), 0U) << name << "=" << value;
    }
    EXPECT_EQ(text_of({"GE T", "http://h/"}).rfind("failure", 0), 0U);
    EXPECT_EQ(text_of({"", "http://h/"}).rfind("failure", 0), 0U);
}

TEST(HttpResponse, IsReadWholeOrByteByByte) {
    const std::string wire =
        "HTTP/1.1 429 Slow\r\nRetry-After: 5\r\nX-RateLimit-Scope: user\r\nContent-Length: "
        "4\r\n\r\nbody";
    for (const std::size_t piece : {wire.size(), std::size_t{1}, std::size_t{7}}) {
        http_response_reader reader(false);
        step last = step::more;
        for (std::size_t at = 0; at < wire.size(); at += piece) {
            ASSERT_EQ(last, step::more);
            last = reader.feed(std::string_view(wire).substr(at, piece));
        }
        ASSERT_EQ(last, step::done);
        EXPECT_TRUE(reader.reusable());
        const http_response r = reader.take();
        EXPECT_EQ(r.status, 429U);
        EXPECT_EQ(r.header("retry-after"), "5");
        EXPECT_EQ(r.header("x-ratelimit-scope"), "user");
        EXPECT_EQ(r.header("absent"), "");
        EXPECT_EQ(r.body, "body");
    }
}

TEST(HttpResponse, ChunksAreJoined) {
    http_response_reader reader(false);

    ASSERT_EQ(reader.feed("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"),
              step::more);
    ASSERT_EQ(reader.feed("6;ext=1\r\n world\r\n0\r\nTrailer: x\r\n\r\n"), step::done);

    EXPECT_TRUE(reader.reusable());
    EXPECT_EQ(reader.take().body, "hello world");
}

TEST(HttpResponse, NoContentHasNoBody) {
    http_response_reader reader(false);

    ASSERT_EQ(reader.feed("HTTP/1.1 204 No Content\r\n\r\n"), step::done);

    EXPECT_TRUE(reader.reusable());
    EXPECT_EQ(reader.take().body, "");
}

TEST(HttpResponse, AHeadResponseHasNoBody) {
    http_response_reader reader(true);

    ASSERT_EQ(reader.feed("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"), step::done);

    EXPECT_TRUE(reader.reusable());
}

TEST(HttpResponse, InterimOnesAreSkipped) {
    http_response_reader reader(false);

    ASSERT_EQ(reader.feed("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n"),
              step::more);
    ASSERT_EQ(reader.feed("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"), step::done);

    const http_response r = reader.take();
    EXPECT_EQ(r.status, 200U);
    EXPECT_EQ(r.body, "hi");
}

TEST(HttpResponse, EndsWithTheConnectionWhereItHasNoLength) {
    http_response_reader reader(false);
    ASSERT_EQ(reader.feed("HTTP/1.1 200 OK\r\n\r\nall there is"), step::more);

    ASSERT_EQ(reader.end_of_stream(), step::done);

    EXPECT_FALSE(reader.reusable());
    EXPECT_EQ(reader.take().body, "all there is");
}

TEST(HttpResponse, EndsTooEarlyIsAFailure) {
    for (const char* wire :
         {"HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
          "HTTP/1.1 100 Continue\r\n\r\n", "H"}) {
        http_response_reader reader(false);
        ASSERT_EQ(reader.feed(wire), step::more) << wire;
        EXPECT_EQ(reader.end_of_stream(), step::failed) << wire;
    }
    http_response_reader untouched(false);
    EXPECT_EQ(untouched.end_of_stream(), step::failed);
}

TEST(HttpResponse, IsNotReusableWhenTheServerClosesOrSaysMore) {
    http_response_reader closing(false);
    ASSERT_EQ(closing.feed("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"),
              step::done);
    EXPECT_FALSE(closing.reusable());

    http_response_reader chatty(false);
    ASSERT_EQ(chatty.feed("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK"),
              step::done);
    EXPECT_FALSE(chatty.reusable());
}

TEST(HttpResponse, IsBounded) {
    const std::string header = "HTTP/1.1 200 OK\r\n";
    const std::vector<std::string> too_much{
        header + "Content-Length: 1073741824\r\n\r\n",
        header + "Transfer-Encoding: chunked\r\n\r\n200000\r\n" + std::string(2U << 20, 'x'),
        header + "\r\n" + std::string(2U << 20, 'x'), header + "X: " + std::string(20000, 'x'),
        header + "Transfer-Encoding: chunked\r\n\r\n1;" + std::string(100000, 'x')};
    for (const std::string& wire : too_much) {
        http_response_reader reader(false);
        step last = step::more;
        for (std::size_t at = 0; at < wire.size() && last == step::more; at += 16384)
            last = reader.feed(std::string_view(wire).substr(at, 16384));
        EXPECT_EQ(last, step::failed) << wire.substr(0, 80);
        EXPECT_FALSE(reader.fault().detail.empty());
    }
}

TEST(HttpResponse, NonsenseIsAFailure) {
    for (const char* wire : {"SSH-2.0-OpenSSH_9\r\n\r\n", "HTTP/1.1 OK\r\n\r\n",
                             "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n",
                             "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
                             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
        http_response_reader reader(false);
        EXPECT_EQ(reader.feed(wire), step::failed) << wire;
    }
}

}  // namespace
}  // namespace shardgate
