// SPDX-License-Identifier: Apache-2.0
// The simulator's event handler over real sockets: what it takes, refuses, and how it misbehaves.
#include "sim/handler.hpp"

#include <gtest/gtest.h>
#include <openssl/hmac.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/json/parse.hpp>
#include <functional>
#include <memory>

#include "sim/truth.hpp"

namespace shardgate::sim {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

class EventHandler : public ::testing::Test {
protected:
    // A daemon's connection.
    struct client : std::enable_shared_from_this<client> {
        client(asio::io_context& io, unsigned short port) : socket(io) {
            socket.connect({asio::ip::address_v4::loopback(), port}, failed);
        }
        void read() {
            socket.async_read_some(asio::buffer(chunk),
                                   [this, self = shared_from_this()](auto ec, std::size_t n) {
                                       if (ec) {
                                           ended = true;
                                           return;
                                       }
                                       if (keep) got.append(chunk, n);
                                       received += n;
                                       read();
                                   });
        }
        void send(const std::string& text) { asio::write(socket, asio::buffer(text), failed); }

        tcp::socket socket;
        error_code failed;
        char chunk[65536];
        std::string got;
        std::uint64_t received = 0;
        bool ended = false, keep = true;
    };

    EventHandler() {
        for (std::uint64_t n = 1; n <= 100; ++n)
            book.sent(sent_event(n, "MESSAGE_CREATE", n % 10), clock::now());
    }
    ~EventHandler() override {
        for (const auto& c : clients)
            c->socket.close();
        handler.reset();
        io.restart();
        io.poll();
    }

    void start() {
        handler = std::make_unique<event_handler>(io.get_executor(), options, book);
        const auto started = handler->start();
        ASSERT_TRUE(started.has_value());
        const auto url = handler->url();
        port = static_cast<unsigned short>(std::stoul(url.substr(url.rfind(':') + 1)));
    }
    client& connect() {
        clients.push_back(std::make_shared<client>(io, port));
        if (!clients.back()->failed) clients.back()->read();
        return *clients.back();
    }
    static std::string post_text(std::uint64_t n, const std::string& extra = {},
                                 const std::string& name = "MESSAGE_CREATE",
                                 const std::string& target = "/") {
        const std::string body = R"({"shardId":3,"data":{"t":")" + name +
                                 R"(","s":1,"op":0,"d":{"_n":)" + std::to_string(n) + "}}}";
        return "POST " + target +
               " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: " +
               std::to_string(body.size()) + "\r\nIdempotency-Key: s-" + std::to_string(n) +
               "\r\nX-Shardgate-Event: " + name +
               "\r\nX-Shardgate-Shard: 3/16\r\nX-Shardgate-Attempt: 1\r\ntraceparent: " +
               std::string(55, '0') + "\r\n" + extra + "\r\n" + body;
    }
    void until(const std::function<bool()>& done) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(40);
        while (!done()) {
            ASSERT_LT(std::chrono::steady_clock::now(), end) << "did not happen in time";
            io.restart();
            io.run_one_for(std::chrono::milliseconds(20));
        }
    }
    // The answer's head to one request on a connection of its own.
    std::string answer_to(const std::string& text) {
        client& c = connect();
        c.send(text);
        until([&c] { return c.got.find("\r\n\r\n") != std::string::npos || c.ended; });
        return c.got;
    }
    std::uint64_t count(const char* key) const {
        return handler->report().at(key).to_number<std::uint64_t>();
    }
    void control(const std::string& json) {
        const auto done = handler->control(boost::json::parse(json));
        ASSERT_TRUE(done.has_value()) << done.error().detail;
    }

    asio::io_context io{1};
    truth book;
    handler_options options;
    std::unique_ptr<event_handler> handler;
    unsigned short port = 0;
    std::vector<std::shared_ptr<client>> clients;
};

TEST_F(EventHandler, TakesEventsAndTellsTheTruthBook) {
    options.validate_every = 1;
    start();
    EXPECT_EQ(answer_to(post_text(7)), "HTTP/1.1 204 No Content\r\n\r\n");
    EXPECT_TRUE(book.was_received(7));
    EXPECT_EQ(count("malformed"), 0U);
    const auto report = handler->report();
    const auto& last = report.at("last_events").as_array();
    ASSERT_EQ(last.size(), 1U);
    EXPECT_EQ(last[0].at("key").as_string(), "s-7");
    EXPECT_EQ(last[0].at("shard").as_string(), "3/16");
}

TEST_F(EventHandler, PipelinedRequestsAreAnsweredInOrderEvenInPieces) {
    start();
    std::string text;
    for (std::uint64_t n = 1; n <= 50; ++n)
        text += post_text(n);
    client& c = connect();
    for (std::size_t at = 0; at < text.size(); at += 777) {
        c.send(text.substr(at, 777));
        io.restart();
        io.poll();
    }
    until([&] { return c.received == 50 * 27; });
    EXPECT_EQ(book.totals().received_unique, 50U);
    EXPECT_EQ(book.totals().out_of_order, 0U);
}

TEST_F(EventHandler, SecretAndSignatureAreChecked) {
    options.secret = "s3cret";
    options.signing_keys = {"old", "new"};
    start();
    const std::string text = post_text(1);
    const std::string body = text.substr(text.find("\r\n\r\n") + 4);
    const auto signed_by = [&](const std::string& key) {
        unsigned char digest[32];
        unsigned size = 0;
        const std::string to_sign = "17." + body;
        HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
             reinterpret_cast<const unsigned char*>(to_sign.data()), to_sign.size(), digest, &size);
        std::string out = "X-Shardgate-Timestamp: 17\r\nX-Shardgate-Signature: v1=00,v1=";
        for (const unsigned char b : digest) {
            char hex[3];
            std::snprintf(hex, sizeof hex, "%02x", b);
            out += hex;
        }
        return out + "\r\n";
    };
    const std::string secret = "Authorization: s3cret\r\n";
    EXPECT_TRUE(answer_to(post_text(1)).starts_with("HTTP/1.1 401"));
    EXPECT_TRUE(answer_to(post_text(1, secret)).starts_with("HTTP/1.1 401"));
    EXPECT_TRUE(answer_to(post_text(1, secret + signed_by("bad"))).starts_with("HTTP/1.1 401"));
    EXPECT_TRUE(answer_to(post_text(1, signed_by("new"))).starts_with("HTTP/1.1 401"));
    EXPECT_FALSE(book.was_received(1));
    EXPECT_TRUE(answer_to(post_text(1, secret + signed_by("new"))).starts_with("HTTP/1.1 204"));
    EXPECT_TRUE(book.was_received(1));
    EXPECT_EQ(count("unauthorized"), 2U);
    EXPECT_EQ(count("bad_signature"), 2U);
}

TEST_F(EventHandler, WhatIsNoEventIsAnsweredAndCounted) {
    start();
    EXPECT_TRUE(answer_to("nonsense\r\n\r\n").starts_with("HTTP/1.1 400"));
    EXPECT_TRUE(answer_to("GET / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 405"));
    EXPECT_TRUE(
        answer_to("POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}").starts_with("HTTP/1.1 400"));
    EXPECT_TRUE(answer_to("POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n")
                    .starts_with("HTTP/1.1 400"));
    EXPECT_EQ(count("broken"), 2U);
    EXPECT_EQ(count("malformed"), 1U);
}

TEST_F(EventHandler, OtherProgramsEventsAreTakenOnlyWhenAskedFor) {
    const std::string body = R"({"shardId":3,"data":{"t":"MESSAGE_CREATE","s":1,"d":{"_n":5}}})";
    const std::string bare =
        "POST / HTTP/1.1\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    start();
    EXPECT_EQ(answer_to(bare).substr(0, 12), "HTTP/1.1 400");
    EXPECT_FALSE(book.was_received(5));

    options.plain = true;
    options.validate_every = 1;
    start();
    EXPECT_EQ(answer_to(bare), "HTTP/1.1 204 No Content\r\n\r\n");
    EXPECT_EQ(answer_to(post_text(7)), "HTTP/1.1 204 No Content\r\n\r\n");
    EXPECT_TRUE(book.was_received(5) && book.was_received(7));
    EXPECT_EQ(count("malformed"), 0U);
    EXPECT_EQ(answer_to("POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}").substr(0, 12),
              "HTTP/1.1 400");
}

TEST_F(EventHandler, DownRefusesAndUpListensAtTheSamePlace) {
    start();
    client& c = connect();
    c.send(post_text(1));
    until([&] { return c.received > 0; });
    control(R"({"down":true})");
    until([&] { return c.ended; });
    EXPECT_EQ(connect().failed, asio::error::connection_refused);
    control(R"({"down":false})");
    EXPECT_TRUE(answer_to(post_text(2)).starts_with("HTTP/1.1 204"));
}

TEST_F(EventHandler, RulesChooseByEventLaneNumberAndPath) {
    start();
    control(R"({"rules":[{"n":5,"status":422},{"event":"TYPING_START","status":500},
                         {"lane":"7","status":429,"retry_after":3},{"path":"/b","status":503}]})");
    EXPECT_TRUE(answer_to(post_text(5)).starts_with("HTTP/1.1 422"));
    EXPECT_TRUE(answer_to(post_text(4, {}, "TYPING_START")).starts_with("HTTP/1.1 500"));
    const auto limited = answer_to(post_text(17));
    EXPECT_TRUE(limited.starts_with("HTTP/1.1 429"));
    EXPECT_NE(limited.find("Retry-After: 3\r\n"), std::string::npos);
    EXPECT_TRUE(answer_to(post_text(4, {}, "X", "/bot")).starts_with("HTTP/1.1 503"));
    EXPECT_TRUE(answer_to(post_text(4)).starts_with("HTTP/1.1 204"));
    EXPECT_EQ(book.totals().received, 1U) << "only what was accepted counts";
    control(R"({"clear":true})");
    EXPECT_TRUE(answer_to(post_text(5)).starts_with("HTTP/1.1 204"));
}

TEST_F(EventHandler, ARuleMayLastForSomeRequestsOnly) {
    start();
    control(R"({"add":{"status":500,"times":2}})");
    EXPECT_TRUE(answer_to(post_text(1)).starts_with("HTTP/1.1 500"));
    EXPECT_TRUE(answer_to(post_text(1)).starts_with("HTTP/1.1 500"));
    EXPECT_TRUE(answer_to(post_text(1)).starts_with("HTTP/1.1 204"));
}

TEST_F(EventHandler, HangNeverAnswersAndClearingDropsTheConnection) {
    start();
    control(R"({"rules":[{"do":"hang"}]})");
    client& c = connect();
    c.send(post_text(1));
    until([&] { return count("hung") == 1; });
    EXPECT_EQ(count("in_flight"), 1U);
    EXPECT_EQ(c.received, 0U);
    control(R"({"clear":true})");
    until([&] { return c.ended; });
    EXPECT_EQ(count("in_flight"), 0U);
    EXPECT_FALSE(book.was_received(1));
}

TEST_F(EventHandler, ADelayedAnswerIsNotGivenToAPeerThatLeft) {
    start();
    control(R"({"rules":[{"delay_ms":30}]})");
    EXPECT_TRUE(answer_to(post_text(1)).starts_with("HTTP/1.1 204"));
    client& c = connect();
    c.send(post_text(2));
    until([&] { return count("in_flight") == 1; });
    c.socket.close();
    until([&] { return count("in_flight") == 0; });
    EXPECT_TRUE(book.was_received(1));
    EXPECT_FALSE(book.was_received(2));
}

TEST_F(EventHandler, DelaysDoNotHoldOtherConnectionsUp) {
    start();
    control(R"({"rules":[{"n":1,"delay_ms":60000}]})");
    connect().send(post_text(1));
    until([&] { return count("in_flight") == 1; });
    EXPECT_TRUE(answer_to(post_text(2)).starts_with("HTTP/1.1 204"));
}

TEST_F(EventHandler, MisbehavesAsTold) {
    start();
    control(R"({"rules":[{"do":"drop"}]})");
    EXPECT_EQ(answer_to(post_text(1)), "");
    control(R"({"rules":[{"do":"nonsense"}]})");
    EXPECT_FALSE(answer_to(post_text(1)).starts_with("HTTP"));
    control(R"({"rules":[{"do":"half_header"}]})");
    client& half = connect();
    half.send(post_text(1));
    until([&] { return half.received > 20; });
    EXPECT_TRUE(half.got.starts_with("HTTP/1.1 204"));
    EXPECT_EQ(half.got.find("\r\n\r\n"), std::string::npos);
    EXPECT_EQ(book.totals().received, 0U);

    control(R"({"rules":[{"do":"huge_body"}]})");
    client& huge = connect();
    huge.keep = false;
    huge.send(post_text(1));
    until([&] { return huge.received > (8U << 20); });
    EXPECT_TRUE(book.was_received(1)) << "its status was a success";
}

TEST_F(EventHandler, ClosesWhenToldAfterEachAnswerOrWhenIdle) {
    start();
    control(R"({"close_after_each":true})");
    client& c = connect();
    c.send(post_text(1));
    until([&] { return c.ended; });
    EXPECT_NE(c.got.find("Connection: close"), std::string::npos);

    control(R"({"close_after_each":false,"idle_close_ms":20})");
    client& idle = connect();
    idle.send(post_text(2));
    until([&] { return idle.ended; });
    EXPECT_EQ(idle.received, 27U);
}

TEST_F(EventHandler, TheInFlightRecordShowsHowManyWereUnderWay) {
    start();
    control(R"({"rules":[{"delay_ms":50}],"arm":true})");
    for (std::uint64_t n = 1; n <= 4; ++n)
        connect().send(post_text(n));
    until([&] { return count("accepted") == 4; });
    const auto report = handler->report();
    const auto& record = report.at("in_flight_record").as_array();
    ASSERT_EQ(record.size(), 4U);
    for (std::size_t i = 0; i < 4; ++i)
        EXPECT_EQ(record[i].as_array()[1].to_number<std::size_t>(), i + 1);
    EXPECT_EQ(count("in_flight_max_armed"), 4U);
}

TEST_F(EventHandler, TheDaemonsOwnEventsAreKeptWhole) {
    start();
    const std::string body = R"({"shardId":3,"data":{"op":0,"t":"SHARDGATE_GAP","s":null,)"
                             R"("d":{"reason":"shed"}}})";
    answer_to("POST / HTTP/1.1\r\nContent-Length: " + std::to_string(body.size()) +
              "\r\nIdempotency-Key: g-1\r\nX-Shardgate-Event: SHARDGATE_GAP\r\n"
              "X-Shardgate-Shard: 3/16\r\nX-Shardgate-Attempt: 1\r\n\r\n" +
              body);
    const auto report = handler->report(false);
    const auto& own = report.at("own_events").as_array();
    ASSERT_EQ(own.size(), 1U);
    EXPECT_EQ(own[0].at("event").at("data").at("d").at("reason").as_string(), "shed");
    EXPECT_EQ(book.totals().unnumbered, 1U);
    EXPECT_FALSE(report.contains("last_events"));
}

TEST_F(EventHandler, ControlChangesNothingWhenSomethingIsWrong) {
    start();
    for (const auto* wrong :
         {"[]", R"({"x":1})", R"({"down":1})", R"({"rules":{}})", R"({"rules":[1]})",
          R"({"add":{"do":"explode"}})", R"({"add":{"status":99}})", R"({"add":{"n":-1}})",
          R"({"add":{"n":"x"}})", R"({"add":{"delay_ms":99999999}})", R"({"add":{"close":1}})",
          R"({"add":{"event":7}})", R"({"add":{"retry_after":"1\r\nX: y"}})",
          R"({"idle_close_ms":-1})", R"({"remove":"x"})", R"({"add":{"what":1}})",
          R"({"add":{"status":500},"down":"yes"})"}) {
        const auto done = handler->control(boost::json::parse(wrong));
        EXPECT_FALSE(done.has_value()) << wrong;
        if (!done) {
            EXPECT_FALSE(done.error().detail.empty());
        }
    }
    EXPECT_TRUE(answer_to(post_text(1)).starts_with("HTTP/1.1 204"));
}

TEST_F(EventHandler, ARuleIsRemovedByItsNumber) {
    start();
    const auto added = handler->control(boost::json::parse(R"({"add":{"status":500}})"));
    ASSERT_TRUE(added.has_value());
    const auto number = added->at("added").to_number<std::uint64_t>();
    control(R"({"remove":)" + std::to_string(number) + "}");
    EXPECT_TRUE(answer_to(post_text(1)).starts_with("HTTP/1.1 204"));
    EXPECT_FALSE(handler->remove_rule(number));
}

TEST_F(EventHandler, AnAddressThatCannotBeUsedIsSaid) {
    for (const auto* listen : {"nonsense", "localhost:0", "203.0.113.1:1", "unix:/nonexistent/x"}) {
        options.listen = listen;
        event_handler other(io.get_executor(), options, book);
        const auto started = other.start();
        EXPECT_FALSE(started.has_value()) << listen;
    }
}

}  // namespace
}  // namespace shardgate::sim
