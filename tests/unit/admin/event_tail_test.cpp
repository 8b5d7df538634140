// SPDX-License-Identifier: Apache-2.0
#include "admin/event_tail.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fake_view.hpp"

namespace shardgate::admin {
namespace {

using std::chrono::seconds;

watched_event event(std::string_view name, std::uint32_t shard = 0, std::uint64_t guild = 41) {
    watched_event e;
    e.name = name;
    e.shard = shard;
    e.shards = 16;
    e.generation = 1;
    e.guild = guild;
    e.seq = 7;
    e.received = wall_ms(std::chrono::milliseconds(1700000000123));
    e.d = R"({"content":"hello"})";
    return e;
}

class EventTail : public testing::Test {
protected:
    static std::string read(body_stream& s, time_point now = {}) {
        std::string out;
        EXPECT_EQ(s.read(out, now), body_stream::next::wait);
        return out;
    }
    std::shared_ptr<body_stream> opened(tail_filter filter = {}) {
        auto stream = tail.open(std::move(filter));
        if (stream) static_cast<void>(read(*stream));  // its greeting
        return stream;
    }
    // Of every "data:" line that is an event.
    static std::vector<boost::json::value> events(const std::string& text) {
        std::vector<boost::json::value> out;
        for (std::size_t at = 0; (at = text.find("data: {\"t\"", at)) != std::string::npos;) {
            const std::size_t end = text.find("\n\n", at);
            out.push_back(boost::json::parse(text.substr(at + 6, end - at - 6)));
            at = end;
        }
        return out;
    }

    test::fake_view view;
    tail_limits limits{3, 4096, 512, std::chrono::milliseconds(100), seconds(15)};
    event_tail tail{view, limits};
};

TEST_F(EventTail, TheDaemonIsAskedForEventsOnlyWhileSomebodyLooks) {
    EXPECT_EQ(view.watcher, nullptr);
    auto one = opened();
    EXPECT_EQ(view.watcher, &tail);
    auto two = opened();
    one.reset();
    EXPECT_EQ(view.watcher, &tail);
    two.reset();
    EXPECT_EQ(view.watcher, nullptr);
    EXPECT_EQ(view.watched, 2);
}

TEST_F(EventTail, AnEventIsOneMessageWithWhatIsKnownOfIt) {
    const auto client = opened();
    watched_event e = event("GUILD_CREATE", 3, 81384788765712384);
    e.channel = 9;
    e.mark = "joined";
    tail.on_event(e);
    const std::string text = read(*client);
    ASSERT_TRUE(text.ends_with("\n\n")) << text;
    const auto all = events(text);
    ASSERT_EQ(all.size(), 1U) << text;
    EXPECT_EQ(all[0].at("t"), "GUILD_CREATE");
    EXPECT_EQ(all[0].at("shard"), 3);
    EXPECT_EQ(all[0].at("shards"), 16);
    EXPECT_EQ(all[0].at("generation"), 1);
    EXPECT_EQ(all[0].at("s"), 7);
    EXPECT_EQ(all[0].at("guild"), "81384788765712384");
    EXPECT_EQ(all[0].at("channel"), "9");
    EXPECT_EQ(all[0].at("mark"), "joined");
    EXPECT_EQ(all[0].at("bytes"), e.d.size());
    EXPECT_EQ(all[0].at("at"), 1700000000123);
    EXPECT_FALSE(all[0].as_object().contains("d")) << "only when asked for";
}

TEST_F(EventTail, OwnEventsHaveNoSequenceNumber) {
    const auto client = opened();
    watched_event e = event("SHARDGATE_GAP", 0, 0);
    e.seq = 0;
    tail.on_event(e);
    const auto all = events(read(*client));
    ASSERT_EQ(all.size(), 1U);
    EXPECT_TRUE(all[0].at("s").is_null());
    EXPECT_FALSE(all[0].as_object().contains("guild"));
}

TEST_F(EventTail, AFilterLetsThroughWhatFitsAllOfIt) {
    const auto client = opened({{"MESSAGE_CREATE", "TYPING_START"}, {41, 42}, {0}, false});
    tail.on_event(event("MESSAGE_CREATE"));
    tail.on_event(event("TYPING_START", 0, 42));
    tail.on_event(event("MESSAGE_DELETE"));
    tail.on_event(event("MESSAGE_CREATE", 1));
    tail.on_event(event("MESSAGE_CREATE", 0, 43));
    EXPECT_EQ(events(read(*client)).size(), 2U);
    EXPECT_EQ(tail.dropped(), 0U) << "what was not wanted is not missed";
}

TEST_F(EventTail, APayloadComesWhenAskedForAndNeverWithATokenInIt) {
    const auto client = opened({{}, {}, {}, true});
    const std::string large = "{\"x\":\"" + std::string(600, 'y') + "\"}";
    std::vector<watched_event> all(5, event("MESSAGE_CREATE"));
    all[1].name = "READY";
    all[1].d = R"({"session_id":"s3cret"})";
    all[2].name = "INTERACTION_CREATE";
    all[2].d = R"({"id":"1","token":"s3cret"})";
    all[3].name = "SOMETHING_NEW";
    all[3].d = R"({"access_token":"s3cret"})";
    all[4].d = large;
    for (const watched_event& e : all)
        tail.on_event(e);
    const std::string text = read(*client);
    EXPECT_EQ(text.find("s3cret"), std::string::npos) << text;
    const auto got = events(text);
    ASSERT_EQ(got.size(), 5U) << text;
    EXPECT_EQ(got[0].at("d").at("content"), "hello");
    for (std::size_t i = 1; i < got.size(); ++i) {
        EXPECT_TRUE(got[i].at("d").is_null()) << text;
        EXPECT_EQ(got[i].at("withheld"), true);
    }
}

TEST_F(EventTail, NothingInAnEventCanEndItsMessage) {
    const auto client = opened({{}, {}, {}, true});
    watched_event e = event("EVIL\n\nevent: x\ndata: {\"t\":\"FORGED\"}\n\n");
    e.d = "{\"a\":\n\n1,\r\n\"b\":2}";
    tail.on_event(e);
    const std::string text = read(*client);
    EXPECT_EQ(text.find("\n\n"), text.size() - 2) << text;
    const auto got = events(text);
    ASSERT_EQ(got.size(), 1U);
    EXPECT_EQ(got[0].at("d").at("b"), 2);
}

TEST_F(EventTail, ASlowClientGetsFewerAndIsToldHowMany) {
    const auto slow = opened();
    const auto quick = opened();
    std::size_t seen = 0;
    for (int i = 0; i < 1000; ++i) {
        tail.on_event(event("MESSAGE_CREATE"));
        if (i % 10 == 0) seen += events(read(*quick)).size();
    }
    seen += events(read(*quick)).size();
    EXPECT_EQ(seen, 1000U);
    const std::string text = read(*slow);
    EXPECT_LE(text.size(), 4096U + 100U);
    const std::size_t got = events(text).size();
    EXPECT_GT(got, 10U);
    EXPECT_NE(
        text.find("event: dropped\ndata: {\"events\":" + std::to_string(1000 - got) + "}\n\n"),
        std::string::npos)
        << text.substr(text.size() - 200);
    EXPECT_EQ(tail.dropped(), 1000 - got);
    EXPECT_EQ(read(*slow), "") << "told once";
}

TEST_F(EventTail, PayloadsAreBoundedAsWell) {
    const auto client = opened({{}, {}, {}, true});
    watched_event e = event("MESSAGE_CREATE");
    const std::string d = "{\"x\":\"" + std::string(400, 'y') + "\"}";
    e.d = d;
    for (int i = 0; i < 100; ++i)
        tail.on_event(e);
    EXPECT_LE(read(*client).size(), 4096U + 100U);
    EXPECT_GT(tail.dropped(), 80U);
}

TEST_F(EventTail, ClientsOverTheLimitAreTurnedAway) {
    std::vector<std::shared_ptr<body_stream>> all{opened(), opened(), opened()};
    EXPECT_EQ(tail.open({}), nullptr);
    EXPECT_EQ(tail.clients(), 3U);
    all.pop_back();
    EXPECT_NE(tail.open({}), nullptr);
}

TEST_F(EventTail, WhoWaitsIsWokenAndASilentTailBeats) {
    const auto client = opened();
    int woken = 0;
    client->wake = [&] { ++woken; };
    tail.on_event(event("MESSAGE_CREATE"));
    EXPECT_EQ(woken, 1);
    const time_point now{seconds(100)};
    EXPECT_EQ(events(read(*client, now)).size(), 1U);
    EXPECT_EQ(client->deadline(), now + seconds(15));
    EXPECT_EQ(read(*client, now + seconds(14)), "");
    EXPECT_EQ(read(*client, now + seconds(15)), ":\n\n");
    EXPECT_EQ(client->deadline(), now + seconds(30));
}

TEST_F(EventTail, AfterClosingNobodyIsAskedAnyMore) {
    const auto client = opened();
    tail.close();
    EXPECT_EQ(view.watcher, nullptr);
    EXPECT_EQ(tail.open({}), nullptr);
    std::string text;
    EXPECT_EQ(client->read(text, {}), body_stream::next::end);
    const int before = view.watched;
    tail.close();
    EXPECT_EQ(view.watched, before);
}

TEST(EventTailAlone, AClientMayOutliveItsTail) {
    test::fake_view view;
    auto tail = std::make_unique<event_tail>(view);
    const auto client = tail->open({});
    tail.reset();
    std::string text;
    EXPECT_EQ(client->read(text, {}), body_stream::next::end);
}

}  // namespace
}  // namespace shardgate::admin
