// SPDX-License-Identifier: Apache-2.0
// The event handler's reading: requests off a buffer, events out of bodies, numbers out of events.
#include "sim/handler_body.hpp"

#include <gtest/gtest.h>

#include <random>

namespace shardgate::sim {
namespace {

std::string request(const std::string& body, const std::string& headers = {}) {
    return "POST /hook HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\n" + headers + "\r\n" + body;
}

const std::string event_headers =
    "Idempotency-Key: abc-41\r\nX-Shardgate-Event: MESSAGE_CREATE\r\nX-Shardgate-Shard: 3/16\r\n"
    "x-shardgate-attempt: 2\r\nX-Shardgate-Guild: loaded\r\nX-Shardgate-Interaction: deferred\r\n"
    "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n";
const std::string frame = R"({"t":"MESSAGE_CREATE","s":41,"op":0,"d":{"a":1,"_n":77}})";

post read(const std::string& text) {
    post out;
    std::size_t needed = 0;
    EXPECT_EQ(read_post(text, 1U << 20, out, needed), post_state::whole);
    return out;
}

TEST(PostReader, ReadsTheDaemonsHeadersInAnyCase) {
    const std::string text = request("{}", event_headers);
    const std::string followed = text + "next";
    const post p = read(followed);
    EXPECT_EQ(p.head.method, "POST");
    EXPECT_EQ(p.head.target, "/hook");
    EXPECT_EQ(p.head.key, "abc-41");
    EXPECT_EQ(p.head.event, "MESSAGE_CREATE");
    EXPECT_EQ(p.head.shard, "3/16");
    EXPECT_EQ(p.head.attempt, 2U);
    EXPECT_EQ(p.head.guild, "loaded");
    EXPECT_EQ(p.head.interaction, "deferred");
    EXPECT_EQ(p.body, "{}");
    EXPECT_EQ(p.size, text.size());
}

TEST(PostReader, EveryPrefixNeedsMoreAndSaysAtLeastHowMuch) {
    const std::string text = request(frame, event_headers);
    for (std::size_t size = 0; size < text.size(); ++size) {
        post p;
        std::size_t needed = 0;
        ASSERT_EQ(read_post(std::string_view(text).substr(0, size), 1U << 20, p, needed),
                  post_state::need_more);
        EXPECT_GT(needed, size);
        EXPECT_LE(needed, text.size());
    }
}

TEST(PostReader, BoundsHold) {
    post p;
    std::size_t needed = 0;
    const std::string endless = "POST / HTTP/1.1\r\nA: " + std::string(20000, 'x');
    EXPECT_EQ(read_post(endless, 100, p, needed), post_state::bad);
    const std::string large = "POST / HTTP/1.1\r\nContent-Length: 101\r\n\r\n";
    EXPECT_EQ(read_post(large, 100, p, needed), post_state::too_large);
    for (const auto* wrong :
         {"GET\r\n\r\n", "POST / HTTP/2\r\n\r\n", "POST / HTTP/1.1\r\nno colon\r\n\r\n",
          "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
          "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
          "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
          "POST / HTTP/1.1\r\nX-Shardgate-Attempt: x\r\n\r\n"})
        EXPECT_EQ(read_post(wrong, 100, p, needed), post_state::bad) << wrong;
}

TEST(HandlerBody, EveryEnvelopeGivesItsEvent) {
    for (const std::string& body :
         {R"({"shardId":3,"data":)" + frame + "}", R"({"payload":)" + frame + R"(,"shardId":3})",
          R"({"message":)" + frame + R"(,"shardId":3})", frame}) {
        const std::string text = request(body, event_headers);
        std::vector<posted_event> events;
        ASSERT_TRUE(read_events(read(text), events)) << body;
        ASSERT_EQ(events.size(), 1U);
        EXPECT_EQ(events[0].n, 77U);
        EXPECT_EQ(events[0].name, "MESSAGE_CREATE");
        EXPECT_EQ(events[0].attempt, 2U);
        EXPECT_EQ(check_body(read(text)), "");
    }
}

TEST(HandlerBody, BatchesGiveTheirEventsFromTheirMeta) {
    const std::string meta =
        R"("meta":{"key":"abc-41","attempt":3,"guild":null,"interaction":"deferred"})";
    const std::string other = R"({"t":"TYPING_START","s":42,"op":0,"d":{"x":"}],[{","_n":78}})";
    for (const std::string& body :
         {R"([{"shardId":3,"data":)" + frame + "," + meta + R"(}, {"shardId":3,"data":)" + other +
              "," + meta + "}]",
          "[{" + meta + "," + frame.substr(1) + ",{" + meta + "," + other.substr(1) + "]"}) {
        const std::string text = request(body, "traceparent: " + std::string(55, '0') + "\r\n");
        std::vector<posted_event> events;
        ASSERT_TRUE(read_events(read(text), events)) << body;
        ASSERT_EQ(events.size(), 2U);
        EXPECT_EQ(events[0].n, 77U);
        EXPECT_EQ(events[1].n, 78U);
        EXPECT_EQ(events[1].name, "TYPING_START");
        EXPECT_EQ(events[1].key, "abc-41");
        EXPECT_EQ(events[1].attempt, 3U);
        EXPECT_EQ(events[1].guild, "");
        EXPECT_EQ(events[1].interaction, "deferred");
        EXPECT_EQ(check_body(read(text)), "");
    }
}

TEST(HandlerBody, NumbersAreMembersNotTexts) {
    EXPECT_EQ(number_of(R"({"d":{"_n":5}})"), 5U);
    EXPECT_EQ(number_of(R"({"d":{"_n":5,"content":"\"_n\":9"}})"), 5U);
    EXPECT_EQ(number_of(R"({"d":{"a":"_n"}})"), 0U);
    EXPECT_EQ(number_of(R"({"d":{"_n":"x"}})"), 0U);
    EXPECT_EQ(number_of(""), 0U);
}

TEST(HandlerBody, WrongBodiesAreRefused) {
    for (const auto* body :
         {"", "x", "[]", "[1]", "[{}]", "[{\"meta\":{}}]", "{", "[{]", "[,]", "[{\"t\":\"X\"}]"}) {
        std::vector<posted_event> events;
        const std::string text = request(body, event_headers);
        EXPECT_FALSE(read_events(read(text), events)) << body;
    }
    std::vector<posted_event> events;
    const std::string bare = request(frame);
    EXPECT_FALSE(read_events(read(bare), events)) << "no headers";
}

TEST(HandlerBody, TheFullCheckSeesWhatTheQuickOneSkips) {
    const auto problem = [](const std::string& body) {
        const std::string text = request(body, event_headers);
        return check_body(read(text));
    };
    EXPECT_NE(problem(R"({"shardId":3,"data":{"t":"MESSAGE_CREATE","s":1,"op":0,"d":{]}})"), "");
    EXPECT_NE(problem(R"({"shardId":4,"data":)" + frame + "}"), "") << "another shard";
    EXPECT_NE(problem(R"({"data":)" + frame + "}"), "") << "no shard";
    EXPECT_NE(problem(R"({"t":"OTHER","s":1,"op":0,"d":{}})"), "") << "another name";
    EXPECT_NE(problem(R"({"t":"MESSAGE_CREATE","op":0,"d":{}})"), "") << "no s";
    EXPECT_NE(problem("[" + frame + "]"), "") << "no meta";
    EXPECT_EQ(problem(R"({"t":"MESSAGE_CREATE","s":1,"op":0,"d":{"x":"\ud800"}})"), "")
        << "Discord lets lone surrogates through";
}

TEST(HandlerBody, PlainEventsAreReadFromTheBodyAlone) {
    const auto names = [](const std::string& body) -> std::string {
        const std::string text = request(body);
        std::vector<posted_event> events;
        if (!read_plain(read(text), events)) return "none";
        EXPECT_EQ(events.size(), 1U);
        EXPECT_EQ(events[0].key, "");
        return std::string(events[0].name) + " " + std::to_string(events[0].n) + " " +
               std::string(events[0].shard);
    };
    EXPECT_EQ(names(R"({"shardId":3,"data":)" + frame + "}"), "MESSAGE_CREATE 77 3");
    EXPECT_EQ(names(R"({"data":)" + frame + R"(,"shardId":12})"), "MESSAGE_CREATE 77 12");
    EXPECT_EQ(names(frame), "MESSAGE_CREATE 77 ");
    EXPECT_EQ(names(R"({"shardId":0,"data":{"op":0,"t":"READY","s":1,"d":{"v":10}}})"),
              "READY 0 0");
    for (const char* bad : {"", "{", "[]", "{}", R"({"shardId":3,"data":{"t":null,"d":{}}})",
                            R"({"shardId":3,"data":[]})", R"("t")", R"({"t":7})"})
        EXPECT_EQ(names(bad), "none") << bad;
}

TEST(HandlerBody, DamagedBatchesEndProperty) {
    const std::uint64_t seed = std::random_device{}();
    std::mt19937_64 random(seed);
    const std::string good = R"([{"shardId":3,"data":)" + frame +
                             R"(,"meta":{"key":"k","attempt":1,"guild":null}},{"t":"A"}])";
    for (int round = 0; round < 20000; ++round) {
        std::string body = good;
        for (auto hits = random() % 4 + 1; hits > 0; --hits)
            body[random() % body.size()] = "{}[]\",:\\ "[random() % 9];
        const std::string text = request(body, event_headers);
        std::vector<posted_event> events;
        (void)read_events(read(text), events);
        for (const posted_event& e : events)
            EXPECT_LE(e.text.size(), body.size()) << seed;
    }
}

}  // namespace
}  // namespace shardgate::sim
