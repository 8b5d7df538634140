// SPDX-License-Identifier: Apache-2.0
// Answers of handlers: plain, chunked, old, wrong, endless; in one piece and byte by byte.
#include "sink/response_reader.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace shardgate::sink {
namespace {

using event = response_reader::event;

struct reading {
    std::vector<http_answer> answers;  // at their head
    bool keep_alive = true;            // at the last end
    bool bad = false;
    std::string problem;
    std::size_t finished = 0;
    std::size_t left = 0;  // bytes not taken
};

// Feeds `text` in steps as a connection does, until the reader stops.
reading read_all(std::string_view text, std::size_t step) {
    reading out;
    response_reader reader;
    std::string buffer;
    for (std::size_t at = 0; at < text.size() && !out.bad && out.keep_alive; at += step) {
        buffer += text.substr(at, step);
        for (bool more = true; more;) {
            std::size_t used = 0;
            const event e = reader.read(buffer, used);
            buffer.erase(0, used);
            if (e == event::head) out.answers.push_back(reader.answer());
            if (e == event::done) {
                ++out.finished;
                out.keep_alive = reader.answer().keep_alive;
            }
            out.bad = e == event::bad;
            if (out.bad) out.problem = reader.problem();
            more = e == event::head || (e == event::done && out.keep_alive && !buffer.empty());
        }
    }
    out.left = buffer.size();
    return out;
}

reading read_whole(std::string_view text) {
    return read_all(text, text.size());
}

// The reader knows its last head again: what it makes of the next one must not depend on that.
TEST(ResponseReader, EveryAnswerIsReadAsByANewReader) {
    const std::vector<std::string> texts = {
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 204 No Content\r\nDate: x\r\n\r\n",
        "HTTP/1.1 204 No Content\r\nDate: y\r\nKeep-Alive: timeout=7\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHTTP/",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "HTTP/1.1 429 Slow\r\nRetry-After: 3\r\nContent-Length: 1\r\n\r\nx",
        "HTTP/1.1 503 Away\r\nX-Long: " + std::string(600, 'a') + "\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
    };
    std::mt19937 random(1);
    for (const std::size_t step : {1UL, 7UL, 64UL, 1UL << 20}) {
        std::string all;
        std::vector<http_answer> expected;
        for (int i = 0; i < 400; ++i) {
            // Often the same one again.
            const std::string& text = texts[random() % 3 == 0 ? random() % texts.size() : 1];
            const auto alone = read_whole(text);
            ASSERT_EQ(alone.answers.size(), 1U) << text;
            expected.push_back(alone.answers.front());
            all += text;
        }
        const auto r = read_all(all, step);
        EXPECT_FALSE(r.bad) << r.problem;
        EXPECT_EQ(r.finished, expected.size());
        ASSERT_EQ(r.answers.size(), expected.size());
        for (std::size_t i = 0; i < expected.size(); ++i) {
            EXPECT_EQ(r.answers[i].status, expected[i].status);
            EXPECT_EQ(r.answers[i].keep_alive, expected[i].keep_alive);
            EXPECT_EQ(r.answers[i].keep_alive_timeout, expected[i].keep_alive_timeout);
            EXPECT_EQ(r.answers[i].retry_after, expected[i].retry_after);
        }
    }
}

TEST(ResponseReader, NoContentNeedsNoBody) {
    const auto r = read_whole("HTTP/1.1 204 No Content\r\nDate: x\r\n\r\n");
    ASSERT_EQ(r.answers.size(), 1U);
    EXPECT_EQ(r.answers[0].status, 204U);
    EXPECT_EQ(r.finished, 1U);
    EXPECT_TRUE(r.keep_alive);
}

TEST(ResponseReader, AnswersAreTheSameWhateverTheirPieces) {
    const std::string text =
        "HTTP/1.1 100 Continue\r\n\r\n"
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nKeep-Alive: timeout=7, max=3\r\n\r\nhello"
        "HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nT: v\r\n\r\n"
        "HTTP/1.1 429 Slow\r\nContent-Length: 0\r\nRetry-After: 17\r\n\r\n"
        "HTTP/1.1 204\r\n\r\n";
    for (const std::size_t step : {std::size_t{1}, std::size_t{2}, std::size_t{7}, text.size()}) {
        const auto r = read_all(text, step);
        ASSERT_EQ(r.answers.size(), 4U) << step;
        EXPECT_EQ(r.answers[0].status, 200U);
        EXPECT_EQ(r.answers[0].keep_alive_timeout, duration(std::chrono::seconds(7)));
        EXPECT_EQ(r.answers[1].status, 500U);
        EXPECT_EQ(r.answers[2].retry_after, duration(std::chrono::seconds(17)));
        EXPECT_EQ(r.answers[3].status, 204U);
        EXPECT_EQ(r.finished, 4U);
        EXPECT_EQ(r.left, 0U);
        EXPECT_FALSE(r.bad) << r.problem;
    }
}

TEST(ResponseReader, CloseIsHonoured) {
    for (const auto* head : {"HTTP/1.1 200 OK\r\nConnection: close\r\n", "HTTP/1.0 200 OK\r\n",
                             "HTTP/1.1 200 OK\r\nconnection: foo, CLOSE\r\n"}) {
        const auto r = read_whole(std::string(head) + "Content-Length: 2\r\n\r\nok");
        ASSERT_EQ(r.answers.size(), 1U) << head;
        EXPECT_TRUE(r.answers[0].peer_closes) << head;
        EXPECT_FALSE(r.keep_alive) << head;
    }
    const auto kept =
        read_whole("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n");
    EXPECT_TRUE(kept.keep_alive);
}

TEST(ResponseReader, ABodyThatIsNotFramedOrTooBigEndsTheConnectionAtOnce) {
    for (const auto* head :
         {"", "Content-Length: 1073741824\r\n", "Content-Length: 65537\r\n",
          "Transfer-Encoding: gzip\r\n", "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
          "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"}) {
        const auto r = read_whole(std::string("HTTP/1.1 200 OK\r\n") + head + "\r\n");
        ASSERT_EQ(r.answers.size(), 1U) << head;
        EXPECT_FALSE(r.answers[0].keep_alive) << head;
        EXPECT_FALSE(r.answers[0].peer_closes) << head;
        EXPECT_EQ(r.finished, 1U) << "the outcome is known without the body: " << head;
    }
}

TEST(ResponseReader, AnEndlessChunkedBodyIsGivenUp) {
    std::string text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (int i = 0; i < 100; ++i)
        text += "400\r\n" + std::string(1024, 'x') + "\r\n";
    const auto r = read_all(text, 4096);
    EXPECT_EQ(r.answers.size(), 1U);
    EXPECT_EQ(r.finished, 1U);
    EXPECT_FALSE(r.keep_alive);
}

TEST(ResponseReader, BrokenChunksEndTheConnectionNotTheOutcome) {
    for (const auto* body :
         {"zz\r\n", "-1\r\n", "\r\n", "3\r\nabcd\r\n", "ffffffffffffffffff\r\n", "10000000\r\n"}) {
        const auto r =
            read_whole(std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n") + body);
        EXPECT_EQ(r.answers.size(), 1U) << body;
        EXPECT_FALSE(r.keep_alive) << body;
        EXPECT_FALSE(r.bad) << body;
    }
    const auto long_line = read_whole("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" +
                                      std::string(300, 'x'));
    EXPECT_FALSE(long_line.keep_alive);
    const auto long_trailer = read_whole(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + std::string(70000, 'x'));
    EXPECT_FALSE(long_trailer.keep_alive);
}

TEST(ResponseReader, WhatIsNotHttpIsBadAtItsFirstWrongByte) {
    for (const auto* text :
         {"X", "HTTP/2", "\x16\x03\x01", "HTTP/1.2 200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n",
          "HTTP/1.1 2000\r\n\r\n", "HTTP/1.1 -20 OK\r\n\r\n", "HTTP/1.1 099 OK\r\n\r\n",
          "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "HTTP/1.1 200 OK\r\n: x\r\n\r\n",
          "HTTP/1.1 200 OK\r\nA : x\r\n\r\n", "HTTP/1.1 200 OK\r\nA: x\r\n folded\r\n\r\n",
          "HTTP/1.1 200 OK\r\nA: x\ny: z\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n",
          "HTTP/1.1 101 Switching\r\n\r\n"}) {
        const auto r = read_whole(text);
        EXPECT_TRUE(r.bad) << text;
        EXPECT_FALSE(r.problem.empty()) << text;
        EXPECT_TRUE(r.answers.empty()) << text;
    }
}

TEST(ResponseReader, HeadersAreBounded) {
    const auto endless = read_all("HTTP/1.1 200 OK\r\nA: " + std::string(20000, 'x'), 1000);
    EXPECT_TRUE(endless.bad);
    std::string interims;
    for (int i = 0; i < 1000; ++i)
        interims += "HTTP/1.1 100 Continue\r\n\r\n";
    EXPECT_TRUE(read_all(interims, 500).bad) << "interim responses count too";
}

TEST(ResponseReader, HalfAHeaderWaits) {
    const auto r = read_whole("HTTP/1.1 200 OK\r\nContent-Le");
    EXPECT_FALSE(r.bad);
    EXPECT_TRUE(r.answers.empty());
}

TEST(ResponseReader, UntouchedTellsASilentPeerFromOneThatBegan) {
    response_reader reader;
    std::size_t used = 0;
    EXPECT_TRUE(reader.untouched());
    EXPECT_EQ(reader.read("HTTP/1.1 100 Continue\r\n\r\n", used), event::need_more);
    EXPECT_FALSE(reader.untouched());
    EXPECT_EQ(reader.read("HTTP/1.1 204 X\r\n\r\n", used), event::head);
    EXPECT_EQ(reader.read("", used), event::done);
    EXPECT_TRUE(reader.untouched());
}

TEST(ResponseReader, RetryAfterMayBeADate) {
    const auto r = read_whole(
        "HTTP/1.1 503 X\r\nContent-Length: 0\r\nRetry-After: Sun, 06 Nov 1994 08:49:37 "
        "GMT\r\n\r\n");
    ASSERT_EQ(r.answers.size(), 1U);
    ASSERT_TRUE(r.answers[0].retry_at);
    EXPECT_EQ(r.answers[0].retry_at->time_since_epoch(), std::chrono::seconds(784111777));
    for (const auto* wrong : {"", "soon", "Sun, 06 Nov 1994 08:49:37 CET",
                              "Sun, 36 Nov 1994 08:49:37 GMT", "Sun, 06 anF 1994 08:49:37 GMT",
                              "Sun, 06 Nov 1994 28:49:37 GMT", "Sun, 06 Nov 19x4 08:49:37 GMT"})
        EXPECT_FALSE(parse_http_date(wrong)) << wrong;
}

TEST(ResponseReader, AHugeRetryAfterIsCappedAtADay) {
    const auto r = read_whole(
        "HTTP/1.1 503 X\r\nContent-Length: 0\r\nRetry-After: 18446744073709551615\r\n\r\n");
    ASSERT_EQ(r.answers.size(), 1U);
    EXPECT_EQ(r.answers[0].retry_after, duration(std::chrono::hours(24)));
}

TEST(ResponseReader, RandomDamageIsBoundedAndNeverReadsBeyondProperty) {
    const std::uint64_t seed = std::random_device{}();
    std::mt19937_64 random(seed);
    const std::string good =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n"
        "3\r\nabc\r\n0\r\n\r\nHTTP/1.1 204 X\r\nRetry-After: 1\r\n\r\n";
    for (int round = 0; round < 5000; ++round) {
        std::string text = good;
        for (auto hits = random() % 4 + 1; hits > 0; --hits)
            text[random() % text.size()] = static_cast<char>(random());
        const auto whole = read_whole(text);
        const auto bytes = read_all(text, 1);
        EXPECT_EQ(whole.bad, bytes.bad) << "seed " << seed << " round " << round;
        EXPECT_EQ(whole.answers.size(), bytes.answers.size()) << "seed " << seed;
    }
}

}  // namespace
}  // namespace shardgate::sink
