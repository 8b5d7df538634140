// SPDX-License-Identifier: Apache-2.0
// Messages on an open connection, in every shape a peer may send them.
#include <string>

#include "unit/transport/websocket_fixture.hpp"

namespace shardgate {
namespace {

using namespace std::chrono_literals;
using testing::server_frame;

std::string numbered(std::size_t size) {
    std::string text(size, 'x');
    for (std::size_t i = 0; i < size; ++i)
        text[i] = static_cast<char>('a' + i % 23);
    return text;
}

TEST_F(Websocket, DeliversManyMessagesOfOneRead) {
    std::string burst;
    for (int i = 0; i < 500; ++i)
        burst += server_frame(0x81, "message " + std::to_string(i));
    server.upgrade().raw(burst);
    open();

    ASSERT_TRUE(until([&] { return seen.messages.size() == 500; }));

    for (std::size_t i = 0; i < 500; ++i)
        ASSERT_EQ(seen.messages[i], "message " + std::to_string(i));
}

TEST_F(Websocket, JoinsFragments) {
    server.upgrade()
        .frame(0x02, "one,")
        .frame(0x00, "")
        .frame(0x89, "in between")  // a ping may come inside a message
        .frame(0x80, "two");
    open();

    ASSERT_TRUE(until([&] { return seen.messages.size() == 1; }));

    EXPECT_EQ(seen.messages[0], "one,two");
    EXPECT_TRUE(seen.binary[0]);
}

TEST_F(Websocket, ReadsADripOfSingleBytes) {
    const std::string text = numbered(300);
    server.upgrade().drip(server_frame(0x81, text)).drip(server_frame(0x81, "end"));
    open();

    ASSERT_TRUE(until([&] { return seen.messages.size() == 2; }));

    EXPECT_EQ(seen.messages[0], text);
}

TEST_F(Websocket, ReadsMessagesOfEverySizeAroundTheLimitsOfTheFormat) {
    std::vector<std::string> sent;
    for (const std::size_t size :
         {0U, 1U, 125U, 126U, 127U, 65535U, 65536U, 131072U, 200000U, 3000000U})
        sent.push_back(numbered(size));
    server.upgrade();
    for (const std::string& text : sent)
        server.text(text);
    open();

    ASSERT_TRUE(until([&] { return seen.messages.size() == sent.size(); }));

    EXPECT_EQ(seen.messages, sent);
}

TEST_F(Websocket, EndsAtAMessageAboveTheLimit) {
    options.max_message = 1000;
    server.upgrade().text(numbered(1000)).text(numbered(1001));
    open();

    ASSERT_TRUE(until_end());

    EXPECT_EQ(seen.messages.size(), 1U);
    EXPECT_EQ(seen.why(), cause::too_big);
}

TEST_F(Websocket, EndsAtFragmentsThatTogetherExceedTheLimit) {
    options.max_message = 1000;
    server.upgrade().frame(0x01, numbered(600)).frame(0x80, numbered(401));
    open();

    ASSERT_TRUE(until_end());

    EXPECT_EQ(seen.why(), cause::too_big);
    EXPECT_TRUE(seen.messages.empty());
}

TEST_F(Websocket, AnnouncedSizesAreNotReserved) {
    // 2^62 bytes announced: refused by the announcement.
    server.upgrade().raw(std::string("\x82\x7f\x40\0\0\0\0\0\0\0", 10));
    open();

    ASSERT_TRUE(until_end());

    EXPECT_EQ(seen.why(), cause::too_big);
}

TEST_F(Websocket, AnswersPings) {
    server.upgrade().frame(0x89, "are you there").expect(10).text("good");
    open();

    ASSERT_TRUE(until([&] { return seen.messages.size() == 1; }));

    ASSERT_EQ(server.frames.size(), 1U);
    EXPECT_EQ(server.frames[0].opcode, 10U);
    EXPECT_EQ(server.frames[0].payload, "are you there");
    EXPECT_TRUE(server.frames[0].masked);
}

TEST_F(Websocket, IgnoresPongs) {
    server.upgrade().frame(0x8A, "nobody asked").text("on");
    open();

    ASSERT_TRUE(until([&] { return seen.messages.size() == 1; }));

    EXPECT_TRUE(server.frames.empty());
    EXPECT_TRUE(seen.ends.empty());
}

TEST_F(Websocket, SendsMaskedTextInOrder) {
    server.upgrade().expect(1).expect(1).expect(1).text("thanks");
    seen.at_open = [&] {
        client->send("first");
        client->send(numbered(300));
        client->send(numbered(70000));
    };
    open();

    ASSERT_TRUE(until([&] { return seen.messages.size() == 1; }));

    ASSERT_EQ(server.frames.size(), 3U);
    EXPECT_EQ(server.frames[0].payload, "first");
    EXPECT_EQ(server.frames[1].payload, numbered(300));
    EXPECT_EQ(server.frames[2].payload, numbered(70000));
    for (const auto& f : server.frames)
        EXPECT_TRUE(f.masked);
}

TEST_F(Websocket, BreachesOfTheProtocolEndTheConnection) {
    const std::vector<std::string> breaches{
        server_frame(0xC1, "reserved bit"),
        server_frame(0x83, "unknown data opcode"),
        server_frame(0x8B, "unknown control opcode"),
        server_frame(0x80, "a continuation of nothing"),
        server_frame(0x01, "begun") + server_frame(0x81, "another"),
        server_frame(0x09, "a fragmented ping"),
        server_frame(0x89, numbered(126)),
        server_frame(0x88, "x"),
        std::string("\x81\x81\x01\x02\x03\x04x", 7),         // masked
        std::string("\x81\x7e\x00\x05hello", 9),             // not the shortest length
        std::string("\x81\x7f\0\0\0\0\0\0\0\x05hello", 15),  // nor this
        std::string("\x81\x7f\xff\0\0\0\0\0\0\0", 10),       // more than 63 bits
        "HTTP/1.1 200 OK\r\n\r\n",
    };
    for (const std::string& breach : breaches) {
        testing::ws_server rude(loop, shared_server_context());
        rude.upgrade().raw(breach).text("too late");
        seen.ends.clear();
        seen.messages.clear();
        open(shared_client(), rude.address());

        ASSERT_TRUE(until_end()) << breach;

        EXPECT_EQ(seen.why(), cause::lost) << breach;
        EXPECT_NE(seen.ends[0].detail.find("protocol"), std::string::npos) << breach;
        EXPECT_TRUE(seen.messages.empty()) << breach;
        client.reset();
    }
}

TEST_F(Websocket, APeerThatDoesNotReadIsGivenUp) {
    server.upgrade();
    open();
    ASSERT_TRUE(until_open());
    // The loop does not run meanwhile, so the server reads nothing.
    for (int i = 0; i < 200 && seen.ends.empty(); ++i)
        client->send(std::string(100000, 'x'));
    EXPECT_TRUE(seen.ends.empty()) << "on_end from inside send";

    ASSERT_TRUE(until_end());

    EXPECT_EQ(seen.why(), cause::lost);
    EXPECT_NE(seen.ends[0].detail.find("does not read"), std::string::npos);
}

TEST_F(Websocket, FloodingPeersDoNotStarveOthers) {
    std::string burst;
    while (burst.size() < (4U << 20))
        burst += server_frame(0x82, numbered(1000));
    server.upgrade().raw(burst);
    testing::ws_server calm(loop, shared_server_context());
    calm.upgrade().text("calm");
    recorder other;
    std::size_t heard_before_calm = 0;
    other.at_message = [&] { heard_before_calm = seen.messages.size(); };
    open();
    auto second =
        open_websocket(loop.get_executor(), shared_client(), calm.address(), options, other);

    ASSERT_TRUE(until([&] { return seen.messages.size() == burst.size() / 1004; }));

    EXPECT_EQ(other.messages.size(), 1U);
    EXPECT_LT(heard_before_calm, burst.size() / 1004);
    second.reset();
}

}  // namespace
}  // namespace shardgate
