// SPDX-License-Identifier: Apache-2.0
#include "admin/http_codec.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "shardgate/base/random.hpp"

namespace shardgate::admin {
namespace {

using state = request_reader::state;

const std::string simple = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";

std::string with(const std::string& headers, const std::string& body = {}) {
    return "POST /a HTTP/1.1\r\nHost: h\r\n" + headers + "\r\n" + body;
}

unsigned refusal(const std::string& bytes) {
    request_reader reader;
    return reader.feed(bytes) == state::refused ? reader.refusal().status : 0;
}

TEST(HttpCodec, ReadsARequest) {
    request_reader reader;

    ASSERT_EQ(
        reader.feed("PUT /a?b=c HTTP/1.1\r\nHost: h\r\nX-One: 1\r\nContent-Length: 3\r\n\r\nxyz"),
        state::complete);
    const http_request r = reader.take();

    EXPECT_EQ(r.method, "PUT");
    EXPECT_EQ(r.target, "/a?b=c");
    EXPECT_EQ(*r.header("x-one"), "1");
    EXPECT_EQ(r.header("x-two"), nullptr);
    EXPECT_EQ(r.body, "xyz");
    EXPECT_TRUE(r.keep_alive);
    EXPECT_EQ(reader.now(), state::empty);
}

TEST(HttpCodec, ReadsItByteByByteToo) {
    const std::string bytes = with("Content-Length: 3\r\n", "xyz");
    request_reader reader;

    for (std::size_t i = 0; i + 1 < bytes.size(); ++i) {
        const state s = reader.feed(bytes.substr(i, 1));
        EXPECT_EQ(s, i < bytes.size() - 4 ? state::headers : state::body) << i;
    }
    EXPECT_EQ(reader.feed("z"), state::complete);
    EXPECT_EQ(reader.take().body, "xyz");
}

TEST(HttpCodec, PipelinedRequestsComeInOrder) {
    request_reader reader;

    ASSERT_EQ(reader.feed("GET /1 HTTP/1.1\r\nHost: h\r\n\r\n" +
                          with("Content-Length: 2\r\n", "ab") + "GET /3 HTTP/1.1\r\nHo"),
              state::complete);
    EXPECT_EQ(reader.take().target, "/1");
    ASSERT_EQ(reader.now(), state::complete);
    EXPECT_EQ(reader.take().body, "ab");
    ASSERT_EQ(reader.now(), state::headers);
    ASSERT_EQ(reader.feed("st: h\r\n\r\n"), state::complete);
    EXPECT_EQ(reader.take().target, "/3");
}

TEST(HttpCodec, ChunkedBodiesAreJoined) {
    request_reader reader;

    ASSERT_EQ(
        reader.feed(with("Transfer-Encoding: chunked\r\n", "3;x=y\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")),
        state::complete);
    EXPECT_EQ(reader.take().body, "abcde");
}

TEST(HttpCodec, OneEmptyLineBeforeARequestIsForgiven) {
    request_reader reader;
    EXPECT_EQ(reader.feed("\r\n" + simple), state::complete);
    EXPECT_EQ(reader.take().target, "/a");
}

TEST(HttpCodec, Http10ClosesUnlessToldOtherwise) {
    request_reader reader;
    ASSERT_EQ(reader.feed("GET / HTTP/1.0\r\n\r\n"), state::complete);
    const http_request r = reader.take();
    EXPECT_TRUE(r.http_1_0);
    EXPECT_FALSE(r.keep_alive);

    ASSERT_EQ(reader.feed("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), state::complete);
    EXPECT_TRUE(reader.take().keep_alive);
    ASSERT_EQ(reader.feed("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"),
              state::complete);
    EXPECT_FALSE(reader.take().keep_alive);
}

TEST(HttpCodec, AClientThatWaitsIsToldToGoOn) {
    request_reader reader;

    EXPECT_EQ(reader.feed(with("Content-Length: 1\r\nExpect: 100-continue\r\n")),
              state::wants_continue);
    reader.continued();
    EXPECT_EQ(reader.now(), state::body);
    EXPECT_EQ(reader.feed("x"), state::complete);

    request_reader impatient;
    EXPECT_EQ(impatient.feed(with("Content-Length: 1\r\nExpect: 100-continue\r\n", "x")),
              state::complete);
}

// Two readers must not be able to see two different requests in the same bytes.
TEST(HttpCodec, WhatCanBeReadInTwoWaysIsRefused) {
    EXPECT_EQ(refusal(with("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
                           "3\r\nabc\r\n0\r\n\r\n")),
              400U);
    EXPECT_EQ(refusal(with("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
                           "3\r\nabc\r\n0\r\n\r\n")),
              400U);
    EXPECT_EQ(refusal(with("Content-Length: 3\r\nContent-Length: 4\r\n", "abcd")), 400U);
    EXPECT_EQ(refusal(with("Content-Length: 3\r\nContent-Length: 3\r\n", "abc")), 400U);
    EXPECT_EQ(refusal(with("Content-Length: -3\r\n", "abc")), 400U);
    EXPECT_EQ(refusal(with("Content-Length: 3, 4\r\n", "abc")), 400U);
    EXPECT_EQ(refusal(with("Content-Length: 99999999999999999999999\r\n", "abc")), 400U);
    EXPECT_EQ(refusal("GET /a HTTP/1.1\r\n\r\n"), 400U);
    EXPECT_EQ(refusal("GET /a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), 400U);
    EXPECT_NE(refusal(with("Transfer-Encoding: gzip\r\n", "x")), 0U);
    EXPECT_NE(
        refusal(with("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")),
        0U);
    EXPECT_NE(refusal("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 0U);
    EXPECT_EQ(
        refusal(with("Transfer-Encoding: chunked\r\n", "1\r\na\r\n0\r\nContent-Length: 5\r\n\r\n")),
        400U);
}

TEST(HttpCodec, WhatIsNotHttpIsRefused) {
    for (const std::string& bytes :
         {std::string("\x16\x03\x01\x02") + " hello\r\n\r\n", std::string("GET\r\n\r\n"),
          std::string("GET / HTTP/9.9\r\nHost: h\r\n\r\n"),
          std::string("GET / HTTP/1.1\r\nHost h\r\n\r\n"), std::string("\0\0\0\0\r\n\r\n", 8),
          std::string("GET / HTTP/1.1\r\nHost: h\r\n folded: x\r\nA\x01: b\r\n\r\n"),
          std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
          with("Transfer-Encoding: chunked\r\n", "zz\r\n")})
        EXPECT_EQ(refusal(bytes), 400U) << bytes;
    EXPECT_EQ(refusal(with("Expect: tea\r\nContent-Length: 1\r\n")), 417U);
}

TEST(HttpCodec, LongHeadersAreRefused) {
    EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(9000, 'x')), 431U);
    EXPECT_EQ(refusal("GET /" + std::string(9000, 'x')), 431U);
    std::string many = "GET / HTTP/1.1\r\nHost: h\r\n";
    for (int i = 0; i < 3000; ++i)
        many += "a:b\r\n";
    EXPECT_EQ(refusal(many), 431U);
    EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(7000, 'x') + "\r\n\r\n"),
              0U);
}

TEST(HttpCodec, LongBodiesAreRefusedBeforeTheyCome) {
    EXPECT_EQ(refusal(with("Content-Length: 65537\r\n")), 413U);
    EXPECT_EQ(refusal(with("Content-Length: 65536\r\n", std::string(65536, 'x'))), 0U);
    request_reader reader;
    reader.feed(with("Transfer-Encoding: chunked\r\n"));
    state s = state::body;
    for (int i = 0; i < 100 && s == state::body; ++i)
        s = reader.feed("1000\r\n" + std::string(0x1000, 'x') + "\r\n");
    ASSERT_EQ(s, state::refused);
    EXPECT_EQ(reader.refusal().status, 413U);
}

TEST(HttpCodec, EndlessChunkExtensionsAndTrailersEnd) {
    request_reader extensions;
    extensions.feed(with("Transfer-Encoding: chunked\r\n"));
    state s = state::body;
    int fed = 0;
    for (; fed < 10000 && s == state::body; ++fed)
        s = extensions.feed("1;" + std::string(200, 'e') + "\r\nx\r\n");
    EXPECT_EQ(s, state::refused);
    EXPECT_LT(fed, 2000);

    request_reader one_long_line;
    one_long_line.feed(with("Transfer-Encoding: chunked\r\n", "1;"));
    s = state::body;
    for (fed = 0; fed < 10000 && s == state::body; ++fed)
        s = one_long_line.feed(std::string(100, 'e'));
    EXPECT_EQ(s, state::refused);

    request_reader trailers;
    trailers.feed(with("Transfer-Encoding: chunked\r\n", "0\r\n"));
    s = state::body;
    for (fed = 0; fed < 10000 && s == state::body; ++fed)
        s = trailers.feed("a: " + std::string(100, 'b') + "\r\n");
    EXPECT_EQ(s, state::refused);
}

TEST(HttpCodec, AfterARefusalNothingIsRead) {
    request_reader reader;
    ASSERT_EQ(reader.feed("nonsense\r\n\r\n"), state::refused);
    EXPECT_EQ(reader.feed(simple), state::refused);
}

TEST(HttpCodecProperty, GarbageAndCutsNeverTakeMoreThanTheBound) {
    constexpr std::uint64_t seed = 99;
    random_source random(seed);
    const std::vector<std::string> pieces{simple,
                                          "GET ",
                                          "/",
                                          " HTTP/1.1\r\n",
                                          "\r\n",
                                          "Host: h\r\n",
                                          "Content-Length: 5\r\n",
                                          "Transfer-Encoding: chunked\r\n",
                                          "5\r\nabcde\r\n",
                                          "0\r\n\r\n",
                                          "POST / HTTP/1.1\r\n",
                                          "Connection: close\r\n",
                                          "Expect: 100-continue\r\n",
                                          std::string(3, '\0'),
                                          "\xff",
                                          ":",
                                          " "};
    for (int round = 0; round < 3000; ++round) {
        request_reader reader;
        for (std::uint64_t i = random.below(20); i > 0; --i) {
            const std::string& piece = pieces[random.below(pieces.size())];
            reader.feed(piece.substr(0, 1 + random.below(piece.size())));
            while (reader.now() == state::complete)
                ASSERT_LE(reader.take().body.size(), body_limit) << "seed " << seed;
            reader.continued();
        }
        if (reader.now() == state::refused) {
            ASSERT_GE(reader.refusal().status, 400U) << "seed " << seed;
        }
    }
}

TEST(HttpCodec, WritesAnAnswer) {
    http_response answer;
    answer.body = "{}\n";
    answer.headers = {{"Allow", "GET"}};
    http_request request;
    request.method = "GET";

    EXPECT_EQ(serialize(answer, request, true, wall_ms{std::chrono::milliseconds(784111777000)}),
              "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
              "Content-Type: application/json\r\nContent-Length: 3\r\n"
              "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
              "Allow: GET\r\n\r\n{}\n");
}

TEST(HttpCodec, HeadHasTheLengthAndNoBody) {
    http_response answer;
    answer.body = "{}\n";
    http_request request;
    request.method = "HEAD";
    const std::string text = serialize(answer, request, false, wall_ms{});

    EXPECT_NE(text.find("Content-Length: 3\r\n"), std::string::npos);
    EXPECT_NE(text.find("Connection: close\r\n"), std::string::npos);
    EXPECT_TRUE(text.ends_with("\r\n\r\n"));
}

TEST(HttpCodec, Http10IsToldThatTheConnectionStays) {
    http_request request;
    request.http_1_0 = true;
    EXPECT_NE(serialize({}, request, true, wall_ms{}).find("Connection: keep-alive\r\n"),
              std::string::npos);
}

}  // namespace
}  // namespace shardgate::admin
