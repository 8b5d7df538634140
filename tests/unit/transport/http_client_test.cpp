// SPDX-License-Identifier: Apache-2.0
#include "shardgate/transport/http_client.hpp"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <optional>
#include <string>

#include "shardgate/transport/resolver.hpp"
#include "support/http_peer.hpp"
#include "support/run_until.hpp"
#include "support/test_tls.hpp"
#include "unit/transport/websocket_fixture.hpp"

namespace shardgate {
namespace {

using namespace std::chrono_literals;
using testing::http_ok;
using testing::http_peer;
using testing::http_reply;
using then = http_reply::then;

class HttpClient : public ::testing::Test {
protected:
    boost::asio::io_context loop{1};
    std::unique_ptr<http_client> client = std::make_unique<http_client>(
        loop.get_executor(), shared_client(), "DiscordBot (https://example.com, 1)");

    HttpClient() {
        resolver::of(loop.get_executor())
            .replace(
                [](const std::string&, resolver::addresses& found) {
                    found.push_back(boost::asio::ip::make_address("127.0.0.1"));
                    return error_code();
                },
                5s);
    }

    using answer = std::shared_ptr<std::optional<http_outcome>>;
    answer start(http_request r) {
        auto got = std::make_shared<std::optional<http_outcome>>();
        client->start(std::move(r), [got](http_outcome o) {
            EXPECT_FALSE(got->has_value()) << "called twice";
            *got = std::move(o);
        });
        EXPECT_FALSE(got->has_value()) << "called from inside start";
        return got;
    }
    http_outcome finish(const answer& got) {
        EXPECT_TRUE(testing::run_until(loop, [&] { return got->has_value(); }));
        testing::run_ready(loop);
        return got->value_or(http_outcome());
    }
    http_outcome fetch(http_request r) { return finish(start(std::move(r))); }
    http_outcome get(const std::string& url) { return fetch({"GET", url}); }
    http_outcome post(const std::string& url) {
        http_request r("POST", url);
        r.body = "{}";
        return fetch(std::move(r));
    }
};

TEST_F(HttpClient, FetchesOverPlainTcp) {
    http_peer server(loop, [](const std::string&, int) { return http_reply(http_ok("hello")); });

    const http_outcome o = get(server.url("/path?q=1"));

    ASSERT_TRUE(o.ok) << o.failed.detail;
    EXPECT_EQ(o.response.status, 200U);
    EXPECT_EQ(o.response.body, "hello");
    EXPECT_EQ(server.requests.at(0).rfind("GET /path?q=1 HTTP/1.1\r\n", 0), 0U);
    EXPECT_NE(server.requests.at(0).find("User-Agent: DiscordBot (https://example.com, 1)\r\n"),
              std::string::npos);
}

TEST_F(HttpClient, FetchesOverTls) {
    http_peer server(
        loop, [](const std::string&, int) { return http_reply(http_ok("safe")); },
        &shared_server_context());

    EXPECT_EQ(get(server.url()).response.body, "safe");
    EXPECT_EQ(get(server.url()).response.body, "safe");
    EXPECT_EQ(server.connections, 1);
}

TEST_F(HttpClient, RefusesAServerItDoesNotTrust) {
    const testing::test_ca other;
    auto context = testing::server_context(other.issue("DNS:localhost"));
    http_peer server(
        loop, [](const std::string&, int) { return http_reply(http_ok("")); }, &context);

    const http_outcome o = post(server.url("/webhooks/1/secret-token"));

    ASSERT_FALSE(o.ok);
    EXPECT_FALSE(o.failed.maybe_sent);
    EXPECT_NE(o.failed.detail.find("certificate"), std::string::npos);
    EXPECT_EQ(o.failed.detail.find("secret-token"), std::string::npos);
    EXPECT_TRUE(server.requests.empty());
    client.reset();
}

TEST_F(HttpClient, KeepsConnections) {
    http_peer server(loop, [](const std::string&, int) { return http_reply(http_ok("x")); });
    for (int i = 0; i < 5; ++i)
        EXPECT_TRUE(get(server.url()).ok);

    EXPECT_EQ(server.connections, 1);
    EXPECT_EQ(client->stats().idle, 1U);
    EXPECT_EQ(client->stats().requests, 5U);
}

TEST_F(HttpClient, DoesNotKeepWhatTheServerCloses) {
    http_peer server(loop, [](const std::string&, int) {
        return http_reply("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
                          then::close);
    });
    EXPECT_TRUE(get(server.url()).ok);
    EXPECT_TRUE(get(server.url()).ok);

    EXPECT_EQ(server.connections, 2);
    EXPECT_EQ(client->stats().idle, 0U);
}

TEST_F(HttpClient, AnIdleCloseIsNoticedAndCostsNothing) {
    http_peer server(loop, [](const std::string&, int) { return http_reply(http_ok("x")); });
    ASSERT_TRUE(get(server.url()).ok);
    server.drop_all();
    // The loop has not run: the client finds out by looking before it sends.
    const http_outcome o = post(server.url());

    EXPECT_TRUE(o.ok) << o.failed.detail;
    EXPECT_EQ(server.connections, 2);
    EXPECT_EQ(client->stats().retried, 0U);
}

TEST_F(HttpClient, AGetOnAConnectionThatDiesUnheardIsRepeatedOnce) {
    int seen = 0;
    http_peer server(loop, [&](const std::string&, int connection) {
        if (connection == 1 && ++seen == 2) return http_reply("", then::reset);
        return http_reply(http_ok("x"));
    });
    ASSERT_TRUE(get(server.url()).ok);

    const http_outcome o = get(server.url());

    EXPECT_TRUE(o.ok) << o.failed.detail;
    EXPECT_EQ(server.connections, 2);
    EXPECT_EQ(client->stats().retried, 1U);
}

TEST_F(HttpClient, APostOnAConnectionThatDiesMayHaveBeenSent) {
    int seen = 0;
    http_peer server(loop, [&](const std::string&, int) {
        return ++seen == 2 ? http_reply("", then::close) : http_reply(http_ok("x"));
    });
    ASSERT_TRUE(post(server.url()).ok);

    const http_outcome o = post(server.url());

    ASSERT_FALSE(o.ok);
    EXPECT_TRUE(o.failed.maybe_sent);
    EXPECT_EQ(server.connections, 1) << "not repeated";
}

TEST_F(HttpClient, AFirstUseThatDiesIsNotRepeated) {
    http_peer server(loop, [](const std::string&, int) { return http_reply("", then::close); });

    const http_outcome o = get(server.url());

    ASSERT_FALSE(o.ok);
    EXPECT_TRUE(o.failed.maybe_sent);
    EXPECT_EQ(server.connections, 1);
}

TEST_F(HttpClient, AnAnswerBegunIsNotAskedForAgain) {
    int seen = 0;
    http_peer server(loop, [&](const std::string&, int) {
        return ++seen == 2 ? http_reply("HTTP/1.1 200 OK\r\nConte", then::close)
                           : http_reply(http_ok("x"));
    });
    ASSERT_TRUE(get(server.url()).ok);

    const http_outcome o = get(server.url());

    EXPECT_FALSE(o.ok);
    EXPECT_EQ(seen, 2);
}

TEST_F(HttpClient, ARefusedConnectionWasNotSent) {
    std::string url;
    {
        http_peer gone(loop, [](const std::string&, int) { return http_reply(""); });
        url = gone.url("/interactions/1/secret-token/callback?x=secret-query");
    }

    const http_outcome o = post(url);

    ASSERT_FALSE(o.ok);
    EXPECT_FALSE(o.failed.maybe_sent);
    EXPECT_EQ(o.failed.code, boost::asio::error::connection_refused);
    EXPECT_NE(o.failed.detail.find("localhost"), std::string::npos);
    EXPECT_EQ(o.failed.detail.find("secret"), std::string::npos);
}

TEST_F(HttpClient, SilenceMeetsTheTimeout) {
    int seen = 0;
    http_peer server(loop, [&](const std::string&, int) {
        return ++seen == 1 ? http_reply(http_ok("x")) : http_reply("");
    });
    ASSERT_TRUE(get(server.url()).ok);  // connected: what follows is written at once
    http_request r("POST", server.url());
    r.timeout = 50ms;

    const http_outcome o = fetch(std::move(r));

    ASSERT_FALSE(o.ok);
    EXPECT_EQ(o.failed.code, boost::asio::error::timed_out);
    EXPECT_TRUE(o.failed.maybe_sent);
    EXPECT_EQ(client->stats().idle, 0U);
}

TEST_F(HttpClient, HalfAHeaderMeetsTheTimeout) {
    http_peer server(loop,
                     [](const std::string&, int) { return http_reply("HTTP/1.1 200 OK\r\nX"); });
    http_request r("GET", server.url());
    r.timeout = 50ms;

    EXPECT_EQ(fetch(std::move(r)).failed.code, boost::asio::error::timed_out);
}

TEST_F(HttpClient, TheTimeoutCoversConnecting) {
    http_peer server(
        loop, [](const std::string&, int) { return http_reply(""); }, nullptr);
    // TLS to a server that speaks none and says nothing.
    http_request r("POST", "https" + server.url().substr(4));
    r.timeout = 50ms;

    const http_outcome o = fetch(std::move(r));

    EXPECT_EQ(o.failed.code, boost::asio::error::timed_out);
    EXPECT_FALSE(o.failed.maybe_sent);
}

TEST_F(HttpClient, ABodyOfAGibibyteIsRefused) {
    http_peer server(loop, [](const std::string&, int) {
        return http_reply("HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n" +
                          std::string(100000, 'x'));
    });

    const http_outcome o = get(server.url());

    ASSERT_FALSE(o.ok);
    EXPECT_NE(o.failed.detail.find("body limit"), std::string::npos) << o.failed.detail;
    EXPECT_EQ(client->stats().idle, 0U);
}

TEST_F(HttpClient, AnEndlessBodyIsRefused) {
    http_peer server(loop, [](const std::string&, int) {
        return http_reply("HTTP/1.1 200 OK\r\n\r\n" + std::string(3U << 20, 'x'));
    });

    EXPECT_FALSE(get(server.url()).ok);
}

TEST_F(HttpClient, ReadsChunksAndNoContent) {
    http_peer server(loop, [](const std::string& request, int) {
        if (request.find("/none") != std::string::npos)
            return http_reply("HTTP/1.1 204 No Content\r\n\r\n");
        return http_reply(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n");
    });

    EXPECT_EQ(get(server.url("/chunks")).response.body, "hi");
    EXPECT_EQ(post(server.url("/none")).response.status, 204U);
    EXPECT_EQ(get(server.url("/chunks")).response.body, "hi");
    EXPECT_EQ(server.connections, 1);
}

TEST_F(HttpClient, ReadsABodyThatTheConnectionEnds) {
    http_peer server(loop, [](const std::string&, int) {
        return http_reply("HTTP/1.1 200 OK\r\n\r\nto the end", then::close);
    });

    EXPECT_EQ(get(server.url()).response.body, "to the end");
}

TEST_F(HttpClient, BytesNobodyAskedForEndAKeptConnection) {
    http_peer server(loop, [](const std::string&, int) {
        return http_reply(http_ok("x") + "HTTP/1.1 408 Request Timeout\r\n\r\n");
    });
    ASSERT_TRUE(get(server.url()).ok);
    ASSERT_TRUE(get(server.url()).ok);

    EXPECT_EQ(server.connections, 2);
}

TEST_F(HttpClient, RequestsBeyondTheConnectionsWaitTheirTurn) {
    bool hold = true;
    http_peer server(loop, [&](const std::string&, int) {
        return hold ? http_reply("") : http_reply(http_ok("x"));
    });
    std::vector<answer> first, second;
    for (int i = 0; i < 32; ++i)
        first.push_back(start({"GET", server.url("/held")}));
    for (int i = 0; i < 10; ++i)
        second.push_back(start({"GET", server.url("/later")}));
    ASSERT_TRUE(testing::run_until(loop, [&] { return server.requests.size() == 32; }));
    EXPECT_EQ(client->stats().waiting, 10U);
    hold = false;
    server.drop_all();

    for (const answer& a : first)
        EXPECT_FALSE(finish(a).ok);
    for (const answer& a : second)
        EXPECT_TRUE(finish(a).ok);
    EXPECT_EQ(client->stats().waiting, 0U);
}

TEST_F(HttpClient, AWaitingRequestTimesOutUnsent) {
    http_peer server(loop, [&](const std::string&, int) { return http_reply(""); });
    std::vector<answer> busy;
    for (int i = 0; i < 32; ++i)
        busy.push_back(start({"GET", server.url()}));
    http_request r("POST", server.url());
    r.timeout = 50ms;

    const http_outcome o = fetch(std::move(r));

    EXPECT_EQ(o.failed.code, boost::asio::error::timed_out);
    EXPECT_FALSE(o.failed.maybe_sent);
    EXPECT_NE(o.failed.detail.find("no free connection"), std::string::npos);
    client.reset();
}

TEST_F(HttpClient, BadRequestsFailLaterAndQuietly) {
    for (const char* url : {"", "wss://localhost/", "http://user:secret@localhost/", "nonsense"}) {
        const http_outcome o = get(url);
        EXPECT_FALSE(o.ok) << url;
        EXPECT_FALSE(o.failed.maybe_sent);
        EXPECT_EQ(o.failed.detail.find("secret"), std::string::npos);
    }
    http_request r("GET", "http://localhost/");
    r.headers.emplace_back("X", "a\r\nY: b");
    EXPECT_FALSE(fetch(std::move(r)).ok);
}

TEST_F(HttpClient, DestructionCallsNobody) {
    http_peer server(loop, [](const std::string&, int) { return http_reply(""); });
    const answer under_way = start({"GET", server.url()});
    const answer bad = start({"GET", ""});
    ASSERT_TRUE(testing::run_until(loop, [&] { return server.requests.size() == 1; }));

    client.reset();
    testing::run_ready(loop);

    EXPECT_FALSE(under_way->has_value());
    static_cast<void>(bad);
}

TEST_F(HttpClient, TheCallbackMayDestroyTheClient) {
    http_peer server(loop, [](const std::string&, int) { return http_reply(http_ok("x")); });
    bool called = false;
    client->start({"GET", server.url()}, [&](http_outcome o) {
        called = o.ok;
        client.reset();
    });

    EXPECT_TRUE(testing::run_until(loop, [&] { return called; }));
}

boost::asio::awaitable<void> request_into(http_client* client, std::string url,
                                          std::optional<http_outcome>* got) {
    co_await boost::asio::this_coro::throw_if_cancelled(false);
    http_request r("GET", url);
    http_outcome o = co_await client->request(std::move(r));
    *got = std::move(o);
}

TEST_F(HttpClient, IsAwaitable) {
    http_peer server(loop, [](const std::string&, int) { return http_reply(http_ok("awaited")); });
    std::optional<http_outcome> got;
    boost::asio::co_spawn(loop, request_into(client.get(), server.url(), &got),
                          boost::asio::detached);

    ASSERT_TRUE(testing::run_until(loop, [&] { return got.has_value(); }));

    EXPECT_EQ(got->response.body, "awaited");
}

TEST_F(HttpClient, ACancelledAwaitIsAnOutcome) {
    http_peer server(loop, [](const std::string&, int) { return http_reply(""); });
    std::optional<http_outcome> got;
    boost::asio::cancellation_signal signal;
    boost::asio::co_spawn(
        loop, request_into(client.get(), server.url(), &got),
        boost::asio::bind_cancellation_slot(signal.slot(), boost::asio::detached));
    ASSERT_TRUE(testing::run_until(loop, [&] { return server.requests.size() == 1; }));

    signal.emit(boost::asio::cancellation_type::terminal);
    ASSERT_TRUE(testing::run_until(loop, [&] { return got.has_value(); }));

    EXPECT_EQ(got->failed.code, boost::asio::error::operation_aborted);
    EXPECT_TRUE(got->failed.maybe_sent);
}

TEST_F(HttpClient, DestructionTakesTheAwaitingCoroutineWithIt) {
    http_peer server(loop, [](const std::string&, int) { return http_reply(""); });
    std::optional<http_outcome> got;
    boost::asio::co_spawn(loop, request_into(client.get(), server.url(), &got),
                          boost::asio::detached);
    ASSERT_TRUE(testing::run_until(loop, [&] { return server.requests.size() == 1; }));

    client.reset();
    testing::run_ready(loop);

    EXPECT_FALSE(got.has_value());
}

}  // namespace
}  // namespace shardgate
