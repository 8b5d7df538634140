// SPDX-License-Identifier: Apache-2.0
// Answers that are not there at once, over loopback: whoever waits is answered, whoever has left
// is forgotten, and nobody waits for ever.
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "raw_client.hpp"
#include "server_fixture.hpp"

namespace shardgate::admin {
namespace {

using std::chrono::milliseconds;
using test::get_status;
using test::raw_client;

std::string reshard_to(int shards) {
    const std::string body = "{\"shards\":" + std::to_string(shards) + "}";
    return "POST /v1/reshard HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
           "Content-Length: " +
           std::to_string(body.size()) + "\r\n\r\n" + body;
}

bool begins(const std::string& answer, const char* with) {
    return answer.rfind(with, 0) == 0;
}

class AdminServerLater : public test::server_fixture {
protected:
    // Waits until the daemon was asked so many times in all.
    bool asked(std::size_t n) {
        return becomes([this, n](const server_counters&) {
            return on_loop([this] { return view_.reshards.size(); }) >= n;
        });
    }
    // The daemon answers whoever has waited longest.
    void answer(reshard_reply::kind what = reshard_reply::kind::accepted) {
        on_loop([this, what] {
            reshard_reply reply;
            reply.what = what;
            reply.plan.to = view_.reshards[answered_++].shards.value_or(0);
            reply.detail = "No.";
            const auto done = std::exchange(view_.waiting.front(), {});
            view_.waiting.erase(view_.waiting.begin());
            done(std::move(reply));
        });
    }

private:
    std::size_t answered_ = 0;
};

TEST_F(AdminServerLater, TheAnswerComesWhenItIsThere) {
    start();
    raw_client client = connect();
    client.send(reshard_to(16));
    ASSERT_TRUE(asked(1));
    expect_alive();  // others are answered meanwhile
    answer();
    const std::string first = client.read_answer();
    EXPECT_TRUE(begins(first, "HTTP/1.1 202 Accepted\r\n")) << first;
    EXPECT_NE(first.find("\"to\":16"), std::string::npos) << first;

    client.send(get_status);  // the connection goes on
    EXPECT_TRUE(begins(client.read_answer(), "HTTP/1.1 200 OK\r\n"));
}

TEST_F(AdminServerLater, ARefusalIsAProblem) {
    start();
    raw_client client = connect();
    client.send(reshard_to(3));
    ASSERT_TRUE(asked(1));
    answer(reshard_reply::kind::refused);
    const std::string text = client.read_answer();
    EXPECT_TRUE(begins(text, "HTTP/1.1 422 ")) << text;
    EXPECT_NE(text.find("\"detail\":\"No.\""), std::string::npos) << text;
}

TEST_F(AdminServerLater, WhatWasSentBehindItWaits) {
    start();
    raw_client client = connect();
    client.send(reshard_to(16) + get_status);  // in one packet: both are in the reader
    ASSERT_TRUE(asked(1));
    client.send(get_status);  // this one stays in the socket
    for (int i = 0; i < 3; ++i)
        expect_alive();
    answer();
    EXPECT_TRUE(begins(client.read_answer(), "HTTP/1.1 202 "));
    EXPECT_TRUE(begins(client.read_answer(), "HTTP/1.1 200 "));
    EXPECT_TRUE(begins(client.read_answer(), "HTTP/1.1 200 "));
}

TEST_F(AdminServerLater, NobodyWaitsForEver) {
    server_limits limits;
    limits.answer_timeout = milliseconds(50);
    start(limits);
    raw_client client = connect();
    client.send(reshard_to(16));
    const std::string late = client.read_answer();
    EXPECT_TRUE(begins(late, "HTTP/1.1 504 Gateway Timeout\r\n")) << late;
    answer();  // reaches nobody
    client.send(reshard_to(8) + get_status);
    EXPECT_TRUE(begins(client.read_answer(), "HTTP/1.1 504 "));
    EXPECT_TRUE(begins(client.read_answer(), "HTTP/1.1 200 "));
    client.send(reshard_to(4));
    ASSERT_TRUE(asked(3));
    client.send(get_status);  // unread bytes: the timer alone ends the wait
    EXPECT_TRUE(begins(client.read_answer(), "HTTP/1.1 504 "));
    EXPECT_TRUE(begins(client.read_answer(), "HTTP/1.1 200 "));
}

TEST_F(AdminServerLater, AClientThatLeftIsForgotten) {
    start();
    for (const bool reset : {false, true}) {
        raw_client client = connect();
        client.send(reshard_to(16));
        ASSERT_TRUE(asked(reset ? 2 : 1));
        if (reset)
            client.abort();
        else
            client.close();
        EXPECT_TRUE(becomes([](const server_counters& c) { return c.connections == 0; }));
    }
    answer();  // to nobody, and nothing happens
    answer();
    expect_alive();
}

TEST_F(AdminServerLater, TooManyAreNotTakenOn) {
    server_limits limits;
    limits.later_answers = 2;
    start(limits);
    raw_client first = connect(), second = connect(), third = connect();
    first.send(reshard_to(1));
    ASSERT_TRUE(asked(1));
    second.send(reshard_to(2));
    ASSERT_TRUE(asked(2));
    third.send(reshard_to(3));
    EXPECT_TRUE(begins(third.read_answer(), "HTTP/1.1 503 "));
    third.send(get_status);
    EXPECT_TRUE(begins(third.read_answer(), "HTTP/1.1 200 "));
    // A client that leaves makes no room: the daemon is still at it.
    first.close();
    EXPECT_TRUE(becomes([](const server_counters& c) { return c.connections == 2; }));
    third.send(reshard_to(3));
    EXPECT_TRUE(begins(third.read_answer(), "HTTP/1.1 503 "));
    answer();
    third.send(reshard_to(3));
    ASSERT_TRUE(asked(3));
    answer();
    EXPECT_NE(second.read_answer().find("\"to\":2"), std::string::npos);
    answer();
    EXPECT_NE(third.read_answer().find("\"to\":3"), std::string::npos);
}

TEST_F(AdminServerLater, StoppingLetsGoOfThoseWhoWait) {
    start();
    raw_client client = connect(), other = connect();
    client.send(reshard_to(16));
    other.send(reshard_to(16) + get_status);
    ASSERT_TRUE(asked(2));
    other.send(get_status);
    on_loop([this] { core_->stop(); });
    EXPECT_EQ(client.read_to_end(), "");
    EXPECT_EQ(other.read_to_end(), "");
    answer();  // into the void
}

}  // namespace
}  // namespace shardgate::admin
