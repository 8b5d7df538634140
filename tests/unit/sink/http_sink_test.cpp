// SPDX-License-Identifier: Apache-2.0
// The sink against real sockets: what reaches the handler, which connections carry it.
#include <filesystem>

#include "http_sink_fixture.hpp"

namespace shardgate {
namespace {

using testing::peer;
using testing::sample_event;
using testing::sample_request;
using testing::scripted_server;
class HttpSink : public testing::sink_fixture {};

TEST_F(HttpSink, AnEventArrivesAndItsStatusComesBack) {
    scripted_server server(io);
    make_sink({server.url("/hook")});
    post(1);
    run_until_posted(1);

    EXPECT_EQ(status(1), 204U);
    ASSERT_EQ(server.seen.size(), 1U);
    EXPECT_TRUE(server.seen[0].head.starts_with("POST /hook HTTP/1.1\r\n"));
    EXPECT_EQ(server.seen[0].body,
              R"({"shardId":3,"data":{"t":"MESSAGE_CREATE","s":1,"op":0,"d":{"a":1}}})");
    const auto stats = sink->stats();
    EXPECT_EQ(stats.connections_opened, 1U);
    EXPECT_EQ(stats.open, 1U);
    EXPECT_GT(stats.bytes_sent, 100U);
    EXPECT_EQ(stats.bytes_received, 27U);
}

TEST_F(HttpSink, AConnectionIsUsedAgain) {
    scripted_server server(io);
    make_sink({server.url()});
    then = [this](std::uint64_t id) {
        if (id < 200) sink->post(sample_request(id + 1), clock::now());
    };
    post(1);
    run_until_posted(200);
    EXPECT_EQ(server.peers.size(), 1U);
    EXPECT_EQ(sink->stats().connections_opened, 1U);
}

TEST_F(HttpSink, RequestsInFlightEachHaveAConnectionUpToTheLimit) {
    scripted_server server(io);
    std::vector<peer*> waiting;
    server.on_request = [&](peer& p, const auto&) { waiting.push_back(&p); };
    handler.connections = 4;
    make_sink({server.url()});
    for (std::uint64_t id = 1; id <= 6; ++id)
        post(id);
    run_until([&] { return waiting.size() == 4; });
    EXPECT_EQ(sink->stats().open, 4U);

    server.on_request = [](peer& p, const auto&) { p.ok(); };
    for (auto* p : waiting)
        p->ok();
    run_until_posted(6);
    EXPECT_EQ(server.peers.size(), 4U);
}

TEST_F(HttpSink, ANewSecretIsSentOnAConnectionThatIsOpen) {
    scripted_server server(io);
    handler.authorization = secret("old");
    make_sink({server.url()});
    post(1);
    run_until_posted(1);
    handler.authorization = secret("a new and longer one");
    handler.signing_keys.emplace_back("key");
    sink->reconfigure(handler);
    post(2);
    run_until_posted(2);
    ASSERT_EQ(server.seen.size(), 2U);
    EXPECT_NE(server.seen[0].head.find("Authorization: old\r\n"), std::string::npos);
    EXPECT_EQ(server.seen[0].head.find("X-Shardgate-Signature"), std::string::npos);
    EXPECT_NE(server.seen[1].head.find("Authorization: a new and longer one\r\n"),
              std::string::npos);
    EXPECT_NE(server.seen[1].head.find("X-Shardgate-Signature: v1="), std::string::npos);
    EXPECT_EQ(server.peers.size(), 1U);
}

TEST_F(HttpSink, MoreConnectionsMayBeOpenedAfterAReload) {
    scripted_server server(io);
    std::vector<peer*> waiting;
    server.on_request = [&](peer& p, const auto&) { waiting.push_back(&p); };
    handler.connections = 1;
    make_sink({server.url()});
    post(1);
    run_until([&] { return waiting.size() == 1; });
    handler.connections = 3;
    sink->reconfigure(handler);
    post(2);
    post(3);
    run_until([&] { return waiting.size() == 3; });
    for (auto* p : waiting)
        p->ok();
    run_until_posted(3);
    EXPECT_EQ(server.peers.size(), 3U);
}

TEST_F(HttpSink, AnInteractionMayHaveAConnectionBeyondTheLimit) {
    scripted_server server(io);
    server.on_request = [](peer& p, const auto& r) {
        if (r.head.find("INTERACTION") != std::string::npos) p.ok();
    };
    handler.connections = 1;
    make_sink({server.url()});
    post(1);
    auto reserved = sample_request(2, sample_event(2, "INTERACTION_CREATE"));
    reserved.reserved = true;
    post(std::move(reserved));
    run_until_posted(1);
    EXPECT_EQ(status(2), 204U);
    EXPECT_EQ(sink->stats().open, 2U);
}

TEST_F(HttpSink, TheLastUsedConnectionGoesFirst) {
    scripted_server server(io);
    make_sink({server.url()});
    for (std::uint64_t id = 1; id <= 3; ++id)
        post(id);
    run_until_posted(3);
    ASSERT_EQ(server.peers.size(), 3U);
    const std::size_t before = server.seen.size();
    std::size_t last = 99;
    server.on_request = [&](peer& p, const auto&) {
        p.ok();
        last = p.number;
    };
    std::set<std::size_t> used;
    for (std::uint64_t id = 4; id <= 9; ++id) {
        post(id);
        run_until_posted(id);
        used.insert(last);
    }
    EXPECT_EQ(server.seen.size(), before + 6);
    EXPECT_EQ(used.size(), 1U);
}

TEST_F(HttpSink, PipelinedRequestsShareAConnectionInOrder) {
    scripted_server server(io);
    std::vector<peer*> waiting;
    server.on_request = [&](peer& p, const auto&) { waiting.push_back(&p); };
    handler.connections = 1;
    handler.pipelining = 4;
    make_sink({server.url()});
    for (std::uint64_t id = 1; id <= 4; ++id)
        post(id);
    run_until([&] { return waiting.size() == 4; });
    EXPECT_EQ(server.peers.size(), 1U);
    for (std::size_t i = 0; i < 4; ++i)
        EXPECT_NE(server.seen[i].body.find("\"s\":" + std::to_string(i + 1)), std::string::npos);

    server.peers[0]->send(
        "HTTP/1.1 204 A\r\n\r\nHTTP/1.1 500 B\r\nContent-Length: 2\r\n\r\nxx"
        "HTTP/1.1 422 C\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 D\r\nContent-Length: 0\r\n\r\n");
    run_until_posted(4);
    EXPECT_EQ(status(1), 204U);
    EXPECT_EQ(status(2), 500U);
    EXPECT_EQ(status(3), 422U);
    EXPECT_EQ(status(4), 200U);
    EXPECT_LT(outcomes[1].order, outcomes[4].order);
}

// A write is the dearest thing about a request: those of one turn go together.
TEST_F(HttpSink, PipelinedRequestsOfOneTurnShareAConnection) {
    scripted_server server(io);
    std::vector<std::size_t> taken_by;
    server.on_request = [&](peer& p, const auto&) {
        taken_by.push_back(p.number);
        p.ok();
    };
    handler.connections = 8;
    handler.pipelining = 4;
    make_sink({server.url()});
    for (std::uint64_t id = 1; id <= 8; ++id)
        post(id);  // nothing is connected yet: each gets a connection of its own
    run_until_posted(8);
    EXPECT_EQ(server.peers.size(), 8U);
    taken_by.clear();
    for (std::uint64_t id = 9; id <= 14; ++id)
        post(id);
    run_until_posted(14);
    ASSERT_EQ(taken_by.size(), 6U);
    EXPECT_EQ(std::count(taken_by.begin(), taken_by.end(), taken_by[0]), 4);
    EXPECT_EQ(std::count(taken_by.begin(), taken_by.end(), taken_by[5]), 2);
}

// Not before that, and without another turn of the loop.
TEST_F(HttpSink, CorkedRequestsAreWrittenWhenTheCorkIsDrawn) {
    scripted_server server(io);
    server.on_request = [](peer& p, const auto&) { p.ok(); };
    handler.connections = 1;
    handler.pipelining = 8;
    make_sink({server.url()});
    post(1);
    run_until_posted(1);
    const auto before = sink->stats().bytes_sent;
    sink->cork();
    for (std::uint64_t id = 2; id <= 6; ++id)
        post(id);
    EXPECT_EQ(sink->stats().bytes_sent, before);
    sink->uncork();
    EXPECT_GE(sink->stats().bytes_sent, before * 6);
    run_until_posted(6);
    for (std::uint64_t id = 1; id <= 6; ++id)
        EXPECT_EQ(status(id), 204U);
    EXPECT_EQ(server.peers.size(), 1U);
}

TEST_F(HttpSink, AnswersAreForetold) {
    scripted_server server(io);
    std::vector<peer*> waiting;
    server.on_request = [&](peer& p, const auto&) { waiting.push_back(&p); };
    handler.connections = 1;
    handler.pipelining = 4;
    make_sink({server.url()});
    for (std::uint64_t id = 1; id <= 4; ++id)
        post(id);
    run_until([&] { return waiting.size() == 4; });
    std::string answers;
    for (int i = 0; i < 4; ++i)
        answers += "HTTP/1.1 204 No Content\r\n\r\n";
    server.peers[0]->send(answers);
    run_until_posted(4);
    // Once, all of them before the first one is told.
    std::vector<std::pair<std::uint64_t, unsigned>> expected;
    for (unsigned step = 0; step < 3; ++step)
        for (std::uint64_t id = 1; id <= 4; ++id)
            expected.emplace_back(id, step);
    EXPECT_EQ(foretold, expected);
}

TEST_F(HttpSink, ManyPipelinedRequestsOfManyEventsArriveWhole) {
    scripted_server server(io);
    handler.connections = 2;
    handler.pipelining = 50;
    handler.batch_events = 30;
    make_sink({server.url()});
    for (std::uint64_t id = 1; id <= 100; ++id) {
        auto r = sample_request(id);
        for (std::uint64_t more = 1; more < 30; ++more)
            r.items.push_back(sample_request(id).items[0]);
        post(std::move(r));
    }
    run_until_posted(100);
    for (const auto& [id, o] : outcomes)
        EXPECT_EQ(o.outcome.status, 204U) << id;
    EXPECT_EQ(server.peers.size(), 2U);
}

TEST_F(HttpSink, ALargeEventArrivesWhole) {
    scripted_server server(io);
    make_sink({server.url()});
    const std::string d = R"({"x":")" + std::string(12U << 20, 'y') + "\"}";
    post(sample_request(1, sample_event(1, "GUILD_CREATE", d)));
    run_until_posted(1);
    EXPECT_EQ(status(1), 204U);
    ASSERT_EQ(server.seen.size(), 1U);
    EXPECT_NE(server.seen[0].body.find(d), std::string::npos);
}

TEST_F(HttpSink, UnixSocketsWork) {
    const auto path = std::filesystem::temp_directory_path() /
                      ("shardgate-sink-" + std::to_string(::getpid()) + ".sock");
    std::filesystem::remove(path);
    {
        scripted_server server(io, path.string());
        make_sink({server.url("/hook")});
        post(1);
        run_until_posted(1);
        EXPECT_EQ(status(1), 204U);
        EXPECT_NE(server.seen[0].head.find("Host: localhost\r\n"), std::string::npos);
    }
    std::filesystem::remove(path);
    make_sink({"unix:" + path.string() + ":/"});
    post(2);
    run_until_posted(2);
    EXPECT_TRUE(outcomes[2].outcome.connection_refused) << "no socket: nobody listens";
}

TEST_F(HttpSink, HttpsIsVerified) {
    const testing::test_ca ca, other;
    scripted_server server(io);
    server.use_tls(testing::server_context(ca.issue("IP:127.0.0.1")));
    tls = testing::client_trusting(ca);
    make_sink({server.url()});
    for (std::uint64_t id = 1; id <= 3; ++id)
        post(id);
    run_until_posted(3);
    EXPECT_EQ(status(1), 204U);
    EXPECT_EQ(status(3), 204U);

    tls = testing::client_trusting(other);
    make_sink({server.url()});
    post(4);
    run_until_posted(4);
    EXPECT_EQ(status(4), 0U);
    EXPECT_FALSE(outcomes[4].outcome.maybe_received);
    EXPECT_FALSE(outcomes[4].outcome.connection_refused);
    EXPECT_FALSE(outcomes[4].detail.empty());
    EXPECT_EQ(sink->stats().connections_failed, 1U);
}

TEST_F(HttpSink, ALargeEventArrivesWholeOverTls) {
    const testing::test_ca ca;
    scripted_server server(io);
    server.use_tls(testing::server_context(ca.issue("IP:127.0.0.1")));
    tls = testing::client_trusting(ca);
    handler.pipelining = 3;
    handler.connections = 1;
    make_sink({server.url()});
    const std::string d = R"({"x":")" + std::string(3U << 20, 'y') + "\"}";
    for (std::uint64_t id = 1; id <= 3; ++id)
        post(sample_request(id, sample_event(id, "GUILD_CREATE", d)));
    run_until_posted(3);
    EXPECT_EQ(server.seen.size(), 3U);
    EXPECT_EQ(server.peers.size(), 1U);
}

TEST_F(HttpSink, UrlsAreSwitchedWhileRequestsFinishAtTheOldOne) {
    scripted_server blue(io), green(io);
    peer* waiting = nullptr;
    blue.on_request = [&](peer& p, const auto&) { waiting = &p; };
    make_sink({blue.url()});
    post(1);
    run_until([&] { return waiting != nullptr; });
    sink->set_urls({green.url()});
    post(2);
    run_until_posted(1);
    EXPECT_EQ(status(2), 204U);
    EXPECT_EQ(green.seen.size(), 1U);

    waiting->ok();
    run_until_posted(2);
    EXPECT_EQ(status(1), 204U);
    run_until([&] { return sink->stats().open == 1; });
    EXPECT_EQ(blue.seen.size(), 1U);
}

TEST_F(HttpSink, AnUrlThatStaysKeepsItsConnections) {
    scripted_server one(io), two(io);
    make_sink({one.url()});
    post(1);
    run_until_posted(1);
    sink->set_urls({two.url(), one.url()});
    post(2, 1);
    run_until_posted(2);
    EXPECT_EQ(one.peers.size(), 1U);
    EXPECT_EQ(one.seen.size(), 2U);
}

TEST_F(HttpSink, AnUrlThatIsNotThereOrCannotBeReadIsAnOutcomeNotACrash) {
    make_sink({"http://bad host/"});
    post(1);
    post(2, 7);
    run_until_posted(2);
    for (const std::uint64_t id : {1, 2}) {
        EXPECT_EQ(status(id), 0U);
        EXPECT_FALSE(outcomes[id].outcome.maybe_received);
        EXPECT_FALSE(outcomes[id].detail.empty());
    }
}

TEST_F(HttpSink, DestroyingItDropsEverythingSilently) {
    scripted_server server(io);
    server.on_request = [](peer&, const auto&) {};
    make_sink({server.url(), "http://127.0.0.1:1/", "http://shardgate.invalid/"});
    for (std::uint64_t id = 1; id <= 6; ++id)
        post(id, id % 3);
    run_until([&] { return server.seen.size() == 2; });
    outcomes.clear();
    sink.reset();
    io.restart();
    io.poll();
    EXPECT_TRUE(outcomes.empty());
}

TEST_F(HttpSink, ItMayBeDestroyedFromItsOwnCallback) {
    scripted_server server(io);
    handler.pipelining = 3;
    handler.connections = 1;
    make_sink({server.url()});
    then = [this](std::uint64_t) { sink.reset(); };
    for (std::uint64_t id = 1; id <= 3; ++id)
        post(id);
    run_until_posted(1);
    io.restart();
    io.poll();
    EXPECT_EQ(outcomes.size(), 1U);
}

TEST_F(HttpSink, UrlsMayBeSwitchedFromItsOwnCallback) {
    scripted_server one(io), two(io);
    make_sink({one.url()});
    then = [&](std::uint64_t id) {
        if (id == 1) {
            sink->set_urls({two.url()});
            sink->post(sample_request(2), clock::now());
        }
    };
    post(1);
    run_until_posted(2);
    EXPECT_EQ(two.seen.size(), 1U);
}

}  // namespace
}  // namespace shardgate
