// SPDX-License-Identifier: Apache-2.0
// Every way a connection ends, and what is on the wire then.
#include <string>

#include "unit/transport/websocket_fixture.hpp"

namespace shardgate {
namespace {

using namespace std::chrono_literals;

TEST_F(Websocket, TellsTheCloseCodeOfThePeer) {
    for (const unsigned code : {4009U, 4004U, 1000U, 1001U, 1014U, 1006U, 999U, 0U}) {
        testing::ws_server closing(loop, shared_server_context());
        closing.upgrade().close(code, code == 0 ? "" : "why \x01 not");
        seen.ends.clear();
        open(shared_client(), closing.address());

        ASSERT_TRUE(until_end());

        EXPECT_EQ(seen.why(), cause::closed_by_peer) << code;
        EXPECT_EQ(seen.ends[0].code, code);
        EXPECT_EQ(seen.ends[0].detail, code == 0 ? "" : "why ? not");
        client.reset();
    }
}

TEST_F(Websocket, AnswersAPeersCloseWithoutEndingTheSession) {
    for (const auto& [theirs, ours] :
         std::vector<std::pair<unsigned, unsigned>>{{4009, 4009},
                                                    {1000, close_to_resume},
                                                    {1001, close_to_resume},
                                                    {0, close_to_resume}}) {
        testing::ws_server closing(loop, shared_server_context());
        closing.upgrade().close(theirs);
        seen.ends.clear();
        open(shared_client(), closing.address());
        ASSERT_TRUE(until([&] { return closing.left == 1; }));

        ASSERT_EQ(closing.frames.size(), 1U);
        EXPECT_EQ(closing.frames[0].close_code(), ours);
        client.reset();
    }
}

TEST_F(Websocket, ACloseBehindMessagesIsStillHeard) {
    server.upgrade().text("last words").close(4000).shut_down();
    open();

    ASSERT_TRUE(until_end());

    EXPECT_EQ(seen.messages, std::vector<std::string>{"last words"});
    EXPECT_EQ(seen.ends[0].code, 4000);
}

TEST_F(Websocket, ACloseIsHeardAlsoWhenOurWritesFail) {
    server.upgrade().close(4004).reset();
    seen.at_open = [&] {
        for (int i = 0; i < 10; ++i)
            client->send("hello?");
    };
    open();

    ASSERT_TRUE(until_end());

    // The reset may outrun the frame; a close code that arrived must not be lost to it.
    if (seen.why() == cause::closed_by_peer)
        EXPECT_EQ(seen.ends[0].code, 4004);
    else
        EXPECT_EQ(seen.why(), cause::lost);
}

TEST_F(Websocket, AResetIsALoss) {
    server.upgrade().text("x").reset();
    open();

    ASSERT_TRUE(until_end());

    EXPECT_EQ(seen.why(), cause::lost);
    EXPECT_EQ(seen.ends[0].code, 0);
}

TEST_F(Websocket, TruncatedTlsIsALoss) {
    server.upgrade().text("x").truncate();
    open();

    ASSERT_TRUE(until_end());

    EXPECT_EQ(seen.messages.size(), 1U);
    EXPECT_EQ(seen.why(), cause::lost);
    EXPECT_NE(seen.ends[0].detail.find("truncated"), std::string::npos) << seen.ends[0].detail;
}

TEST_F(Websocket, AnOrderlyTlsEndWithoutACloseFrameIsALoss) {
    server.upgrade().text("x").shut_down();
    open();

    ASSERT_TRUE(until_end());

    EXPECT_EQ(seen.why(), cause::lost);
    EXPECT_EQ(seen.ends[0].code, 0);
}

TEST_F(Websocket, CloseSendsItsCodeAndWaitsForTheAnswer) {
    server.upgrade().expect(8).close(4200);
    seen.at_open = [&] { client->close(4200); };
    open();

    ASSERT_TRUE(until_end());

    EXPECT_EQ(seen.why(), cause::closed_by_us);
    EXPECT_EQ(server.frames.at(0).close_code(), 4200U);
}

TEST_F(Websocket, CloseWithoutAnAnswerIsBounded) {
    options.close_timeout = 30ms;
    server.upgrade().expect(8);
    seen.at_open = [&] { client->close(4200); };
    open();

    ASSERT_TRUE(until_end());

    EXPECT_EQ(seen.why(), cause::timed_out);
    EXPECT_NE(seen.ends[0].detail.find("close frame"), std::string::npos);
}

TEST_F(Websocket, ClosingDeliversNothingMore) {
    server.upgrade().text("one").expect(8).text("two").close(4200);
    seen.at_message = [&] { client->close(4200); };
    open();

    ASSERT_TRUE(until_end());

    EXPECT_EQ(seen.messages, std::vector<std::string>{"one"});
    EXPECT_EQ(seen.why(), cause::closed_by_us);
}

TEST_F(Websocket, NothingIsSentAfterClose) {
    server.upgrade().expect(8).close(4200);
    seen.at_open = [&] {
        client->close(4200);
        client->send("too late");
        client->close(1000);
    };
    open();
    ASSERT_TRUE(until_left());

    ASSERT_EQ(server.frames.size(), 1U);
    EXPECT_EQ(server.frames[0].close_code(), 4200U);
}

TEST_F(Websocket, ClosingAPeerThatLeavesIsStillOurClose) {
    server.upgrade().expect(8).reset();
    seen.at_open = [&] { client->close(4200); };
    open();

    ASSERT_TRUE(until_end());

    EXPECT_EQ(seen.why(), cause::closed_by_us);
}

TEST_F(Websocket, CloseBeforeItOpenedJustEnds) {
    server.upgrade();
    open();
    client->close(1000);
    EXPECT_TRUE(seen.ends.empty()) << "on_end from inside close";

    ASSERT_TRUE(until_end());

    EXPECT_EQ(seen.why(), cause::closed_by_us);
    EXPECT_EQ(seen.opened, 0);
}

TEST_F(Websocket, AbortSendsNoCloseFrame) {
    server.upgrade();
    open();
    ASSERT_TRUE(until_open());
    client->abort();
    EXPECT_TRUE(seen.ends.empty()) << "on_end from inside abort";

    ASSERT_TRUE(until_end());
    ASSERT_TRUE(until_left());

    EXPECT_EQ(seen.why(), cause::closed_by_us);
    EXPECT_TRUE(server.frames.empty());
}

TEST_F(Websocket, DestructionSendsNoCloseFrame) {
    server.upgrade();
    open();
    ASSERT_TRUE(until_open());

    client.reset();
    ASSERT_TRUE(until_left());

    EXPECT_TRUE(server.frames.empty());
    EXPECT_TRUE(seen.ends.empty()) << "destruction ends all callbacks";
}

TEST_F(Websocket, MayBeDestroyedInAnyCallback) {
    server.upgrade().raw(testing::server_frame(0x81, "one") + testing::server_frame(0x81, "two"));
    seen.at_open = [&] { client.reset(); };
    open();
    ASSERT_TRUE(until_open());
    ASSERT_TRUE(until_left());
    EXPECT_TRUE(seen.messages.empty());

    seen.at_open = [] {};
    seen.at_message = [&] { client.reset(); };
    open();
    ASSERT_TRUE(until([&] { return server.left == 2; }));
    EXPECT_EQ(seen.messages, std::vector<std::string>{"one"});

    seen.at_message = [&] { client->abort(); };
    seen.at_end = [&] { client.reset(); };
    open();
    ASSERT_TRUE(until_end());
    EXPECT_EQ(client, nullptr);
}

TEST_F(Websocket, MayBeDestroyedWhileConnecting) {
    server.upgrade();
    for (int steps = 0; steps < 12; ++steps) {
        open();
        for (int i = 0; i < steps; ++i) {
            loop.restart();
            loop.run_one_for(20ms);
        }
        client.reset();
    }
    testing::run_ready(loop);
    EXPECT_TRUE(seen.ends.empty());
}

TEST_F(Websocket, AnEndedConnectionLeavesNoWorkOnTheLoop) {
    boost::asio::io_context own{1};
    recorder quiet;
    options.connect_timeout = 1h;
    auto w =
        open_websocket(own.get_executor(), shared_client(), "wss://127.0.0.1:1/", options, quiet);

    own.run();  // returns although the deadline is an hour away

    EXPECT_EQ(quiet.why(), cause::connect_failed);
}

}  // namespace
}  // namespace shardgate
