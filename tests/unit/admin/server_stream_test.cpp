// SPDX-License-Identifier: Apache-2.0
// Answers that come piece by piece, over loopback: chunked, live, and never in the way of others.
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "raw_client.hpp"
#include "server_fixture.hpp"

namespace shardgate::admin {
namespace {

using std::chrono::milliseconds;
using test::get_status;
using test::raw_client;

std::string get(const std::string& target, const std::string& more = {}) {
    return "GET " + target + " HTTP/1.1\r\nHost: localhost\r\n" + more + "\r\n";
}

class AdminServerStream : public test::server_fixture {
protected:
    bool watchers(bool any) {
        return becomes([this, any](const server_counters&) {
            return on_loop([this] { return view_.watcher != nullptr; }) == any;
        });
    }
    void emit(int n, std::size_t bytes = 20) {
        on_loop([this, n, bytes] {
            const std::string d = "\"" + std::string(bytes, 'x') + "\"";
            watched_event e;
            e.name = "MESSAGE_CREATE";
            e.d = d;
            for (int i = 0; i < n; ++i) {
                e.seq = static_cast<std::uint64_t>(i + 1);
                if (view_.watcher != nullptr) view_.watcher->on_event(e);
            }
            return 0;
        });
    }
    static std::string read_until(raw_client& c, const std::string& text) {
        std::string got;
        while (got.find(text) == std::string::npos)
            if (!c.read_some(got)) break;
        return got;
    }
};

TEST_F(AdminServerStream, GuildsComeChunkedAndTheConnectionGoesOn) {
    start();
    raw_client client = connect();
    client.send(get("/v1/guilds?ids=1") + get("/healthz", "Connection: close\r\n"));
    const std::string got = client.read_to_end();
    EXPECT_NE(got.find("Transfer-Encoding: chunked\r\n"), std::string::npos) << got;
    EXPECT_NE(
        got.find("\r\n\r\n1e\r\n\"41\"\n\"42\"\n\"81384788765712384\"\n\r\n0\r\n\r\nHTTP/1.1"),
        std::string::npos)
        << got;
}

TEST_F(AdminServerStream, AnOldClientGetsThemUntilTheConnectionEnds) {
    start();
    raw_client client = connect();
    client.send("GET /v1/guilds?ids=1 HTTP/1.0\r\nHost: localhost\r\n\r\n");
    const std::string got = client.read_to_end();
    EXPECT_EQ(got.find("chunked"), std::string::npos);
    EXPECT_TRUE(got.ends_with("\r\n\r\n\"41\"\n\"42\"\n\"81384788765712384\"\n")) << got;
}

TEST_F(AdminServerStream, HeadGetsTheHeadAlone) {
    start();
    raw_client client = connect();
    client.send("HEAD /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n" +
                get("/healthz", "Connection: close\r\n"));
    const std::string got = client.read_to_end();
    EXPECT_NE(got.find("text/event-stream"), std::string::npos) << got;
    EXPECT_NE(got.find("{\"status\":\"ok\"}"), std::string::npos) << got;
}

TEST_F(AdminServerStream, EventsComeAsTheyHappenUntilTheClientLeaves) {
    start();
    raw_client client = connect();
    client.send(get("/v1/events?payload=1"));
    EXPECT_NE(read_until(client, "retry: 2000").find("200 OK"), std::string::npos);
    ASSERT_TRUE(watchers(true));
    emit(2);
    const std::string got = read_until(client, "\"s\":2");
    EXPECT_NE(got.find("\"s\":1"), std::string::npos) << got;
    client.close();
    EXPECT_TRUE(watchers(false)) << "a client that has left is noticed without an event";
    expect_alive();
}

TEST_F(AdminServerStream, AClientThatSendsMoreStillGetsEvents) {
    start();
    raw_client client = connect();
    client.send(get("/v1/events") + get_status);
    ASSERT_TRUE(watchers(true));
    emit(1);
    read_until(client, "\"s\":1");
    emit(2);
    EXPECT_NE(read_until(client, "\"s\":2").find("\"s\":2"), std::string::npos);
}

TEST_F(AdminServerStream, WhoDoesNotReadIsDropped) {
    server_limits limits;
    limits.write_timeout = milliseconds(300);
    start(limits);
    std::vector<raw_client> deaf;
    for (int i = 0; i < 4; ++i) {
        deaf.push_back(connect());
        deaf.back().send(get("/v1/events?payload=1"));
    }
    ASSERT_TRUE(watchers(true));
    EXPECT_TRUE(becomes([this](const server_counters& c) {
        emit(20, 15000);
        return c.slow_readers == 4;
    }));
    EXPECT_TRUE(watchers(false));
    expect_alive();
}

TEST_F(AdminServerStream, FiguresComeAtOnce) {
    start();
    raw_client client = connect();
    client.send(get("/v1/stats"));
    EXPECT_NE(read_until(client, "\n\n\r\n").find("\"totals\""), std::string::npos);
}

TEST_F(AdminServerStream, StoppingEndsEveryStream) {
    start();
    raw_client tail = connect(), stats = connect();
    tail.send(get("/v1/events"));
    stats.send(get("/v1/stats"));
    read_until(tail, "retry");
    read_until(stats, "retry");
    on_loop([this] {
        core_->stop();
        return 0;
    });
    static_cast<void>(tail.read_to_end());
    static_cast<void>(stats.read_to_end());
    EXPECT_EQ(on_loop([this] { return view_.watcher; }), nullptr);
}

}  // namespace
}  // namespace shardgate::admin
