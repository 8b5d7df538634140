// SPDX-License-Identifier: Apache-2.0
// The sink and handlers that are away, silent, wrong or malicious.
#include "http_sink_fixture.hpp"

namespace shardgate {
namespace {

using testing::peer;
namespace asio = boost::asio;
using testing::sample_request;
using testing::scripted_server;
class HttpSinkFailure : public testing::sink_fixture {
protected:
    // One request to a handler that answers `text`; with what came of it.
    seen_outcome answer_with(const std::string& text, bool then_close = false) {
        scripted_server server(io);
        server.on_request = [&](peer& p, const auto&) {
            p.send(text);
            if (then_close) p.close();
        };
        make_sink({server.url()});
        outcomes.clear();
        post(1);
        run_until_posted(1);
        return outcomes[1];
    }
};

TEST_F(HttpSinkFailure, NobodyListensIsToldAtOnce) {
    std::string url;
    {
        scripted_server gone(io);
        url = gone.url();
    }
    handler.pipelining = 4;
    handler.connections = 1;
    make_sink({url});
    for (std::uint64_t id = 1; id <= 3; ++id)
        post(id);
    run_until_posted(3);
    for (const auto& [id, o] : outcomes) {
        EXPECT_TRUE(o.outcome.connection_refused) << id;
        EXPECT_FALSE(o.outcome.maybe_received) << id;
        EXPECT_FALSE(o.outcome.timed_out) << id;
    }
}

TEST_F(HttpSinkFailure, AnIdleConnectionThatTheHandlerClosedIsNoFailure) {
    scripted_server server(io);
    make_sink({server.url()});
    post(1);
    run_until_posted(1);
    server.peers[0]->close();
    post(2);  // before the loop has heard of the close
    run_until_posted(2);
    EXPECT_EQ(status(2), 204U);
    EXPECT_EQ(sink->stats().stale_retries, 1U);
    EXPECT_EQ(server.peers.size(), 2U);
}

TEST_F(HttpSinkFailure, AReusedConnectionThatIsResetBeforeAnAnswerIsNoFailure) {
    scripted_server server(io);
    server.on_request = [](peer& p, const auto&) {
        if (p.requests == 1)
            p.ok();
        else
            p.reset();
    };
    make_sink({server.url()});
    post(1);
    run_until_posted(1);
    post(2);
    run_until_posted(2);
    EXPECT_EQ(status(2), 204U);
    EXPECT_EQ(sink->stats().stale_retries, 1U);
}

TEST_F(HttpSinkFailure, PipelinedFollowersOfAStaleConnectionAreSentAgainToo) {
    scripted_server server(io);
    std::size_t unanswered = 0;
    server.on_request = [&](peer& p, const auto&) {
        if (p.number == 0 && p.requests > 1) {
            if (++unanswered == 3) p.reset();
        } else {
            p.ok();
        }
    };
    handler.connections = 1;
    handler.pipelining = 3;
    make_sink({server.url()});
    post(1);
    run_until_posted(1);
    for (std::uint64_t id = 2; id <= 4; ++id)
        post(id);
    run_until_posted(4);
    for (const auto& [id, o] : outcomes)
        EXPECT_EQ(o.outcome.status, 204U) << id;
    EXPECT_EQ(sink->stats().stale_retries, 3U);
}

TEST_F(HttpSinkFailure, ANewConnectionThatBreaksIsAFailure) {
    scripted_server server(io);
    server.on_request = [](peer& p, const auto&) { p.close(); };
    make_sink({server.url()});
    post(1);
    run_until_posted(1);
    EXPECT_EQ(status(1), 0U);
    EXPECT_TRUE(outcomes[1].outcome.maybe_received);
    EXPECT_FALSE(outcomes[1].outcome.timed_out);
    EXPECT_EQ(sink->stats().stale_retries, 0U);
}

TEST_F(HttpSinkFailure, AStaleConnectionOfAHandlerThatIsGoneEndsInOneFailure) {
    auto server = std::make_unique<scripted_server>(io);
    make_sink({server->url()});
    post(1);
    run_until_posted(1);
    server.reset();
    post(2);
    run_until_posted(2);
    EXPECT_EQ(status(2), 0U);
    EXPECT_TRUE(outcomes[2].outcome.connection_refused);
}

TEST_F(HttpSinkFailure, AConnectionThatBreaksInTheMiddleOfAnAnswerIsAFailure) {
    scripted_server server(io);
    server.on_request = [](peer& p, const auto&) {
        if (p.requests == 1) return p.ok();
        p.send("HTTP/1.1 20");
        p.stop_reading();
    };
    make_sink({server.url()});
    post(1);
    run_until_posted(1);
    const auto before = sink->stats().bytes_received;
    post(2);
    run_until([&] { return sink->stats().bytes_received > before; });
    server.peers[0]->close();
    run_until_posted(2);
    EXPECT_EQ(status(2), 0U);
    EXPECT_TRUE(outcomes[2].outcome.maybe_received);
}

TEST_F(HttpSinkFailure, ASilentHandlerTimesOut) {
    handler.timeout = std::chrono::milliseconds(100);
    scripted_server server(io);
    server.on_request = [](peer&, const auto&) {};
    make_sink({server.url()});
    const auto start = std::chrono::steady_clock::now();
    post(1);
    run_until_posted(1);
    const auto took = std::chrono::steady_clock::now() - start;
    EXPECT_TRUE(outcomes[1].outcome.timed_out);
    EXPECT_TRUE(outcomes[1].outcome.maybe_received);
    EXPECT_GE(took, std::chrono::milliseconds(100));
    EXPECT_EQ(sink->stats().open, 0U);
}

TEST_F(HttpSinkFailure, HalfAHeaderTimesOut) {
    handler.timeout = std::chrono::milliseconds(100);
    const auto o = answer_with("HTTP/1.1 200 OK\r\nContent-Le");
    EXPECT_EQ(o.outcome.status, 0U);
    EXPECT_TRUE(o.outcome.timed_out);
}

TEST_F(HttpSinkFailure, APipelinedRequestsTimeStartsWhenItIsTheOldest) {
    handler.timeout = std::chrono::milliseconds(300);
    handler.connections = 1;
    handler.pipelining = 2;
    scripted_server server(io);
    server.on_request = [](peer&, const auto&) {};
    make_sink({server.url()});
    post(1);
    post(2);
    run_until([&] { return server.seen.size() == 2; });
    // Answered late, but in time: request 2 then has all of its own time.
    asio::steady_timer timer(io, std::chrono::milliseconds(200));
    timer.async_wait([&](auto) { server.peers[0]->ok(); });
    run_until_posted(1);
    const auto second_from = std::chrono::steady_clock::now();
    run_until_posted(2);
    EXPECT_EQ(status(1), 204U);
    EXPECT_TRUE(outcomes[2].outcome.timed_out);
    EXPECT_GE(std::chrono::steady_clock::now() - second_from, std::chrono::milliseconds(290));
}

TEST_F(HttpSinkFailure, WhenTheOldestFailsItsFollowersMayHaveBeenReceived) {
    handler.timeout = std::chrono::milliseconds(100);
    handler.connections = 1;
    handler.pipelining = 3;
    scripted_server server(io);
    server.on_request = [](peer&, const auto&) {};
    make_sink({server.url()});
    for (std::uint64_t id = 1; id <= 3; ++id)
        post(id);
    run_until_posted(3);
    EXPECT_TRUE(outcomes[1].outcome.timed_out);
    for (const std::uint64_t id : {2, 3}) {
        EXPECT_EQ(status(id), 0U);
        EXPECT_FALSE(outcomes[id].outcome.timed_out);
        EXPECT_TRUE(outcomes[id].outcome.maybe_received);
        EXPECT_GT(outcomes[id].order, outcomes[1].order);
    }
}

TEST_F(HttpSinkFailure, ConnectingCountsInTheTimeout) {
    handler.timeout = std::chrono::milliseconds(100);
    // Accepts nothing: TLS's handshake never comes.
    scripted_server server(io);
    server.on_accept = [](peer& p) { p.stop_reading(); };
    const auto url = "https" + server.url().substr(4);
    make_sink({url});
    post(1);
    run_until_posted(1);
    EXPECT_TRUE(outcomes[1].outcome.timed_out);
    EXPECT_FALSE(outcomes[1].outcome.maybe_received);
    EXPECT_EQ(sink->stats().connections_failed, 1U);
}

TEST_F(HttpSinkFailure, WaitingForAConnectionCountsInTheTimeout) {
    handler.timeout = std::chrono::milliseconds(150);
    handler.connections = 1;
    scripted_server server(io);
    server.on_request = [](peer&, const auto&) {};
    make_sink({server.url()});
    post(1);
    post(2);
    post(3);
    run_until_posted(3);
    for (const auto& [id, o] : outcomes)
        EXPECT_TRUE(o.outcome.timed_out) << id;
}

TEST_F(HttpSinkFailure, NonsenseIsAFailureWithAReason) {
    for (const std::string& text :
         {std::string("\x16\x03\x01\x02\x00\x01", 6), std::string("SSH-2.0-OpenSSH\r\n"),
          std::string("HTTP/1.1 OK\r\n\r\n"), std::string(100, '\0')}) {
        const auto o = answer_with(text);
        EXPECT_EQ(o.outcome.status, 0U);
        EXPECT_FALSE(o.outcome.timed_out);
        EXPECT_FALSE(o.detail.empty());
        EXPECT_EQ(sink->stats().open, 0U);
    }
}

TEST_F(HttpSinkFailure, AnEndlessHeaderIsCutOff) {
    const auto o = answer_with("HTTP/1.1 200 OK\r\nX: " + std::string(1U << 20, 'x'));
    EXPECT_EQ(o.outcome.status, 0U);
    EXPECT_NE(o.detail.find("16 KiB"), std::string::npos);
    EXPECT_LT(sink->stats().bytes_received, 100000U);
}

TEST_F(HttpSinkFailure, AGigabyteOfBodyIsNotRead) {
    const auto o = answer_with("HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n" +
                               std::string(4U << 20, 'x'));
    EXPECT_EQ(o.outcome.status, 200U);
    EXPECT_EQ(sink->stats().open, 0U);
    EXPECT_LT(sink->stats().bytes_received, 200000U);
}

TEST_F(HttpSinkFailure, ABodyThatDripsIsGivenUpAndItsOutcomeStands) {
    handler.timeout = std::chrono::milliseconds(100);
    const auto o = answer_with("HTTP/1.1 202 OK\r\nContent-Length: 100\r\n\r\nab");
    EXPECT_EQ(o.outcome.status, 202U);
    EXPECT_EQ(sink->stats().open, 1U);
    run_until([&] { return sink->stats().open == 0; });
    EXPECT_EQ(outcomes.size(), 1U);
}

TEST_F(HttpSinkFailure, ADrippingBodyHoldsNobodyUp) {
    scripted_server server(io);
    server.on_request = [](peer& p, const auto&) {
        p.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nab");
    };
    handler.connections = 1;
    make_sink({server.url()});
    for (std::uint64_t id = 1; id <= 5; ++id) {
        post(id);
        run_until_posted(id);
        EXPECT_EQ(status(id), 200U);
    }
    EXPECT_EQ(server.peers.size(), 5U);
}

TEST_F(HttpSinkFailure, ConnectionCloseIsHonoured) {
    scripted_server server(io);
    server.on_request = [](peer& p, const auto&) {
        p.send("HTTP/1.1 204 X\r\nConnection: close\r\n\r\n");
    };
    make_sink({server.url()});
    for (std::uint64_t id = 1; id <= 3; ++id) {
        post(id);
        run_until_posted(id);
        EXPECT_EQ(status(id), 204U);
    }
    EXPECT_EQ(server.peers.size(), 3U);
    EXPECT_EQ(sink->stats().open, 0U);
}

TEST_F(HttpSinkFailure, WhatWasPipelinedBehindACloseGoesElsewhere) {
    scripted_server server(io);
    server.on_request = [](peer& p, const auto&) {
        if (p.requests == 1) p.send("HTTP/1.1 204 X\r\nConnection: close\r\n\r\n");
    };
    handler.connections = 1;
    handler.pipelining = 3;
    make_sink({server.url()});
    for (std::uint64_t id = 1; id <= 3; ++id)
        post(id);
    run_until_posted(3);
    for (const auto& [id, o] : outcomes)
        EXPECT_EQ(o.outcome.status, 204U) << id;
    EXPECT_EQ(server.peers.size(), 3U);
}

TEST_F(HttpSinkFailure, AServerOfHttp10IsSpokenTo) {
    const auto o = answer_with("HTTP/1.0 200 OK\r\n\r\nbody without a length", true);
    EXPECT_EQ(o.outcome.status, 200U);
    EXPECT_EQ(sink->stats().open, 0U);
}

TEST_F(HttpSinkFailure, KeepAliveTimeoutIsHonouredASecondEarly) {
    scripted_server server(io);
    server.on_request = [](peer& p, const auto&) {
        p.send("HTTP/1.1 204 X\r\nKeep-Alive: timeout=1\r\n\r\n");
    };
    make_sink({server.url()});
    post(1);
    run_until_posted(1);
    post(2);
    run_until_posted(2);
    EXPECT_EQ(server.peers.size(), 2U) << "the first was not to be trusted any more";
    run_until([&] { return sink->stats().open == 0; });
    EXPECT_EQ(sink->stats().idle_closed, 2U);
    EXPECT_EQ(sink->stats().stale_retries, 0U);
}

TEST_F(HttpSinkFailure, RetryAfterIsHandedOn) {
    const auto o = answer_with("HTTP/1.1 429 X\r\nRetry-After: 3\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(o.outcome.status, 429U);
    EXPECT_EQ(o.outcome.retry_after, duration(std::chrono::seconds(3)));
    const auto past = answer_with(
        "HTTP/1.1 503 X\r\nRetry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
        "Content-Length: 0\r\n\r\n");
    EXPECT_EQ(past.outcome.retry_after, duration::zero());
}

TEST_F(HttpSinkFailure, AnUnaskedAnswerEndsTheConnectionNotTheNextRequest) {
    scripted_server server(io);
    server.on_request = [](peer& p, const auto&) {
        p.send("HTTP/1.1 204 X\r\n\r\nHTTP/1.1 500 Smuggled\r\nContent-Length: 0\r\n\r\n");
    };
    make_sink({server.url()});
    then = [this](std::uint64_t id) {
        if (id < 3) sink->post(sample_request(id + 1), clock::now());
    };
    post(1);
    run_until_posted(3);
    for (const auto& [id, o] : outcomes)
        EXPECT_EQ(o.outcome.status, 204U) << id;
    EXPECT_EQ(server.peers.size(), 3U);
}

TEST_F(HttpSinkFailure, ARequestTimeoutAnswerThatCrossedOurRequestIsNoFailure) {
    scripted_server server(io);
    server.on_request = [](peer& p, const auto&) {
        if (p.number == 0 && p.requests == 2)
            p.send("HTTP/1.1 408 X\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        else
            p.ok();
    };
    make_sink({server.url()});
    post(1);
    run_until_posted(1);
    post(2);
    run_until_posted(2);
    EXPECT_EQ(status(2), 204U);
    EXPECT_EQ(sink->stats().stale_retries, 1U);
}

TEST_F(HttpSinkFailure, AnAnswerBeforeTheRequestIsWholeStandsAndEndsTheConnection) {
    scripted_server server(io);
    server.on_accept = [](peer& p) {
        p.send("HTTP/1.1 413 Too much\r\nContent-Length: 0\r\n\r\n");
        p.stop_reading();
    };
    make_sink({server.url()});
    const std::string d = R"({"x":")" + std::string(30U << 20, 'y') + "\"}";
    post(sample_request(1, testing::sample_event(1, "GUILD_CREATE", d)));
    run_until_posted(1);
    EXPECT_EQ(status(1), 413U);
    EXPECT_EQ(sink->stats().open, 0U);
}

}  // namespace
}  // namespace shardgate
