// SPDX-License-Identifier: Apache-2.0
// The server over loopback, with real bytes.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "admin/server_core.hpp"
#include "raw_client.hpp"
#include "server_fixture.hpp"

namespace shardgate::admin {
namespace {

using std::chrono::milliseconds;
using test::get_status;
using test::raw_client;
using AdminServer = test::server_fixture;

TEST_F(AdminServer, AnswersOverKeepAlive) {
    start();
    raw_client client = connect();

    for (int i = 0; i < 3; ++i) {
        client.send(get_status);
        const std::string answer = client.read_answer();
        EXPECT_EQ(answer.rfind("HTTP/1.1 200 OK\r\n", 0), 0U);
        EXPECT_NE(answer.find("\"version\":\"1.2.3\""), std::string::npos);
    }
    EXPECT_EQ(counters().requests, 3U);
    EXPECT_EQ(counters().connections, 1U);
}

TEST_F(AdminServer, PipelinedRequestsAreAnsweredInOrder) {
    start();
    raw_client client = connect();
    std::string many;
    for (int i = 0; i < 50; ++i)
        many += "GET /v1/shards/" + std::to_string(i % 4) + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
    client.send(many);

    for (int i = 0; i < 50; ++i) {
        const std::string answer = client.read_answer();
        if (i % 4 == 3)
            EXPECT_EQ(answer.rfind("HTTP/1.1 404", 0), 0U) << i;
        else
            EXPECT_NE(answer.find("{\"id\":" + std::to_string(i % 4) + ","), std::string::npos);
    }
}

TEST_F(AdminServer, ClosesWhenAskedTo) {
    start();
    raw_client client = connect();
    client.send("GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");

    const std::string answer = client.read_to_end();
    EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos);
    EXPECT_NE(answer.find("{\"status\":\"ok\"}"), std::string::npos);
    EXPECT_TRUE(becomes([](const server_counters& c) { return c.connections == 0; }));
}

TEST_F(AdminServer, HeadHasNoBody) {
    start();
    raw_client client = connect();
    client.send("HEAD /v1/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");

    const std::string answer = client.read_to_end();
    EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
    EXPECT_EQ(answer.find("Content-Length: 0"), std::string::npos);
}

TEST_F(AdminServer, AClientThatStoppedSendingStillGetsItsAnswer) {
    start();
    raw_client client = connect();
    client.send(get_status);
    client.shutdown_write();

    EXPECT_EQ(client.read_to_end().rfind("HTTP/1.1 200", 0), 0U);
}

TEST_F(AdminServer, BodiesAreReadAndContinueIsSaid) {
    start();
    raw_client client = connect();
    client.send(
        "POST /v1/status HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n"
        "Expect: 100-continue\r\n\r\n");
    EXPECT_EQ(client.read_answer(), "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("abcd");
    EXPECT_EQ(client.read_answer().rfind("HTTP/1.1 405", 0), 0U);
}

TEST_F(AdminServer, GarbageIsAnsweredAndClosed) {
    start();
    for (const std::string& bytes :
         {std::string("\x16\x03\x01\x02\r\n\r\n"), std::string("hello\r\n\r\n"),
          std::string("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n"
                      "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")}) {
        raw_client client = connect();
        client.send(bytes);
        EXPECT_EQ(client.read_to_end().rfind("HTTP/1.1 400 Bad Request\r\n", 0), 0U) << bytes;
    }
    EXPECT_EQ(counters().bad_requests, 3U);
    expect_alive();
}

TEST_F(AdminServer, HugeHeadersAndBodiesAreCutOff) {
    start();
    {
        raw_client client = connect();
        client.send("GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(100000, 'x'));
        EXPECT_EQ(client.read_to_end().rfind("HTTP/1.1 431", 0), 0U);
    }
    {
        raw_client client = connect();
        client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n" +
                    std::string(100000, 'x'));
        EXPECT_EQ(client.read_to_end().rfind("HTTP/1.1 413", 0), 0U);
    }
    expect_alive();
}

TEST_F(AdminServer, AClientThatFloodsAfterARefusalIsCutOff) {
    server_limits limits;
    limits.linger = std::chrono::seconds(9);  // the bytes end it, not the time
    start(limits);
    raw_client client = connect();
    client.send("nonsense\r\n\r\n");
    const std::string block(65536, 'x');
    int sent = 0;
    while (sent < 1000 && client.send(block))
        ++sent;

    EXPECT_LT(sent, 1000);
    expect_alive();
}

TEST_F(AdminServer, AHeaderThatDripsInIsTimedOut) {
    server_limits limits;
    limits.header_timeout = milliseconds(150);
    start(limits);
    raw_client client = connect();
    const std::string slow = "GET /v1/status HTTP/1.1\r\nHost: localhost\r\nX: yyyyyyyyyyyyyyyyyy";
    std::thread dripping([&] {
        // One byte at a time, for as long as the server listens.
        for (std::size_t i = 0; i < 1000; ++i) {
            if (!client.send(i < slow.size() ? slow.substr(i, 1) : "z")) return;
            pollfd p{client.descriptor(), POLLIN, 0};
            if (::poll(&p, 1, 10) == 1) return;
        }
    });
    dripping.join();

    EXPECT_EQ(client.read_to_end().rfind("HTTP/1.1 408", 0), 0U);
    EXPECT_EQ(counters().timeouts, 1U);
    expect_alive();
}

TEST_F(AdminServer, ABodyThatDoesNotComeIsTimedOut) {
    server_limits limits;
    limits.body_timeout = milliseconds(50);
    start(limits);
    raw_client client = connect();
    client.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc");

    EXPECT_EQ(client.read_to_end().rfind("HTTP/1.1 408", 0), 0U);
}

TEST_F(AdminServer, SilentConnectionsAreClosedQuietly) {
    server_limits limits;
    limits.header_timeout = limits.idle_timeout = milliseconds(50);
    start(limits);
    raw_client mute = connect();
    EXPECT_EQ(mute.read_to_end(), "");

    raw_client client = connect();
    client.send(get_status);
    EXPECT_EQ(client.read_answer().rfind("HTTP/1.1 200", 0), 0U);
    EXPECT_EQ(client.read_to_end(), "");
    EXPECT_EQ(counters().timeouts, 0U);
}

TEST_F(AdminServer, AClientThatDoesNotReadIsDropped) {
    server_limits limits;
    limits.write_timeout = milliseconds(100);
    start(limits);
    raw_client client = connect();
    std::string many;
    for (int i = 0; i < 200; ++i)
        many += "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
    // Enough answers to fill every buffer between us: the sends stop once the server has gone.
    bool open = true;
    for (int i = 0; i < 2000 && open; ++i) {
        pollfd p{client.descriptor(), POLLOUT, 0};
        if (::poll(&p, 1, 200) == 1)
            open = client.send(many);
        else if (counters().connections == 0)
            open = false;
    }

    EXPECT_TRUE(becomes([](const server_counters& c) { return c.connections == 0; }));
    expect_alive();
}

TEST_F(AdminServer, ConnectionsOverTheLimitAre503) {
    server_limits limits;
    limits.connections = 2;
    start(limits);
    raw_client first = connect(), second = connect();
    ASSERT_TRUE(becomes([](const server_counters& c) { return c.connections == 2; }));

    EXPECT_EQ(connect().read_to_end().rfind("HTTP/1.1 503", 0), 0U);
    EXPECT_EQ(counters().refused, 1U);

    first.close();
    ASSERT_TRUE(becomes([](const server_counters& c) { return c.connections == 1; }));
    expect_alive();
}

TEST_F(AdminServer, ClientsThatCrashLeaveNothingBehind) {
    start();
    for (int i = 0; i < 100; ++i) {
        raw_client client = connect();
        if (i % 4 == 1) client.send("GET /v1/st");
        if (i % 4 == 2) client.send(get_status + get_status);
        if (i % 4 == 3) client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nab");
        client.abort();
    }
    EXPECT_TRUE(becomes([](const server_counters& c) { return c.connections == 0; }));
    expect_alive();
}

TEST_F(AdminServer, AViewThatThrowsIsAnErrorOfOneRequest) {
    start();
    on_loop([this] { view_.broken = true; });
    const std::string answer = ask(get_status);
    EXPECT_EQ(answer.rfind("HTTP/1.1 500", 0), 0U);
    EXPECT_EQ(answer.find("the view is broken"), std::string::npos);
    on_loop([this] { view_.broken = false; });
    expect_alive();
}

TEST_F(AdminServer, TheTokenIsAskedFor) {
    guard_rules rules;
    rules.token = secret("right");
    start({}, rules);

    EXPECT_EQ(ask(get_status).rfind("HTTP/1.1 401", 0), 0U);
    EXPECT_EQ(ask("GET /v1/status HTTP/1.1\r\nHost: bot.example\r\n"
                  "Authorization: Bearer right\r\n\r\n")
                  .rfind("HTTP/1.1 200", 0),
              0U);
}

TEST_F(AdminServer, StopDropsWhatIsOpenAndAsksTheViewNothing) {
    start();
    raw_client idle = connect(), half = connect();
    half.send("GET /v1/status HT");
    ASSERT_TRUE(becomes([](const server_counters& c) { return c.connections == 2; }));
    on_loop([this] {
        core_->stop();
        core_->stop();
        view_.asked = 0;
    });
    half.send("TP/1.1\r\nHost: localhost\r\n\r\n");

    EXPECT_EQ(idle.read_to_end(), "");
    EXPECT_EQ(half.read_to_end(), "");
    EXPECT_TRUE(becomes([](const server_counters& c) { return c.connections == 0; }));
    EXPECT_EQ(on_loop([this] { return core_->tasks().size(); }), 0U);
    EXPECT_EQ(on_loop([this] { return view_.asked; }), 0);
}

TEST_F(AdminServer, AServerDestroyedWithItsLoopLeaksNothing) {
    start();
    raw_client half = connect();
    half.send("GET /v1/status HT");
    ASSERT_TRUE(becomes([](const server_counters& c) { return c.connections == 1; }));
    on_loop([this] { io_.stop(); });
    thread_.join();
    core_.reset();
}

}  // namespace
}  // namespace shardgate::admin
