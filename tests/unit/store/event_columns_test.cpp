// SPDX-License-Identifier: Apache-2.0
// What is stored comes back as it was: every field of every kind of event.
#include "fixture.hpp"

namespace shardgate {
namespace {

using namespace testing;

class StoredEvent : public store_fixture {
public:
    // Stored, read back from the running storage and after a restart.
    void round_trip(const event_ptr& e) {
        spool_row r;
        r.position = 7;
        r.lane = {lane_key::kind::channel, 0xffffffffffffffff};
        r.epoch = 3;
        r.attempts = 4000000000;
        r.tells_gap = true;
        r.event = e;
        open();
        store_rows({r});
        for (int round = 0; round < 2; ++round) {
            const auto rows = lane(r.lane);
            ASSERT_EQ(rows.size(), 1U);
            EXPECT_EQ(rows[0].position, 7U);
            EXPECT_EQ(rows[0].lane, r.lane);
            EXPECT_EQ(rows[0].epoch, 3U);
            EXPECT_EQ(rows[0].attempts, 4000000000U);
            EXPECT_TRUE(rows[0].tells_gap);
            expect_same_event(*rows[0].event, *e);
            reopen();
        }
    }
};

dispatch plain_dispatch(const session_handle& session) {
    dispatch d;
    d.shard = shard_id{3};
    d.shards = shard_count{4000000000};
    d.gen = generation{2};
    d.session = &session;
    d.seq = seq_no{123456789012345};
    d.received = clock::now();
    d.received_wall = wall_now();
    d.name = "MESSAGE_CREATE";
    d.event = event_id::message_create;
    d.frame = R"({"op":0,"t":"MESSAGE_CREATE","s":5,"d":{"id":"1"}})";
    d.d = d.frame.substr(41, 10);
    return d;
}

TEST_F(StoredEvent, OfDiscordKeepsEveryField) {
    const auto session = std::make_shared<const std::string>("abc");
    dispatch d = plain_dispatch(session);
    d.mark = guild_mark::unavailable;
    d.fields.guild = snowflake{0xfffffffffffffffe};  // more than SQLite's own numbers hold
    d.fields.channel = snowflake{1};
    d.fields.id = snowflake{0x8000000000000000};
    round_trip(queued_event::from(d));
}

TEST_F(StoredEvent, OfAnInteractionKeepsItsToken) {
    const auto session = std::make_shared<const std::string>("abc");
    dispatch d = plain_dispatch(session);
    d.name = "INTERACTION_CREATE";
    d.event = event_id::interaction_create;
    d.fields.interaction_type = 3;
    d.fields.interaction_has_message = true;
    d.fields.interaction_token = "a-token";
    round_trip(queued_event::from(d));
}

TEST_F(StoredEvent, WithAnUnknownNameKeepsIt) {
    const auto session = std::make_shared<const std::string>("abc");
    dispatch d = plain_dispatch(session);
    d.name = "SOMETHING_NEW";
    d.event = event_id::unknown;
    round_trip(queued_event::from(d));
}

TEST_F(StoredEvent, ForwardedUnderAnotherNameKeepsBoth) {
    const auto session = std::make_shared<const std::string>("abc");
    dispatch d = plain_dispatch(session);
    d.name = "GUILD_CREATE";
    d.event = event_id::guild_create;
    d.forward_as = "GUILD_LOADED_DD";
    const event_ptr e = queued_event::from(d);
    ASSERT_EQ(e->name(), "GUILD_LOADED_DD");
    round_trip(e);
}

TEST_F(StoredEvent, OfTheDaemonKeepsItsKeyAndHasNoSession) {
    const event_ptr e = queued_event::own("SHARDGATE_GAP", R"({"reason":"shed"})", "own-key-1",
                                          shard_id{1}, shard_count{2}, generation{1}, clock::now(),
                                          wall_now(), snowflake{5}, snowflake{6});
    ASSERT_EQ(e->session, nullptr);
    round_trip(e);
}

TEST_F(StoredEvent, WithAnEmptySessionIsNotOneWithout) {
    event_spec spec;
    spec.session = "";
    round_trip(spec.make());
}

TEST_F(StoredEvent, WithBytesThatAreNoTextKeepsThem) {
    event_spec spec;
    spec.session = std::string("a\0b\xff'\"", 6);
    spec.name = "\xc3\x28'; DROP TABLE events; --";
    spec.frame = std::string("\0\x01\xfe\0", 4);
    round_trip(spec.make());
}

TEST_F(StoredEvent, OfAMegabyteComesBackWhole) {
    event_spec spec;
    spec.frame = std::string(1 << 20, 'x');
    for (std::size_t i = 0; i < spec.frame.size(); i += 7)
        spec.frame[i] = static_cast<char>(i * 31);
    round_trip(spec.make());
}

TEST_F(StoredEvent, AgesByTheWallWhileTheDaemonIsAway) {
    event_spec old;
    old.age = 20s;
    event_spec from_the_future;
    from_the_future.age = -1h;
    const event_ptr plain = event_spec{}.make();
    open();
    store_rows({row_of(1, old), row_of(2, from_the_future)});
    event_parts p = plain->parts();
    p.received_wall = wall_ms::min();
    spool_row r = row_of(3, {});
    r.event = queued_event::restore(p);
    store_rows({r});
    reopen();
    const auto rows = lane(guild_lane(1));
    ASSERT_EQ(rows.size(), 3U);
    const duration age = clock::now() - rows[0].event->received;
    EXPECT_GE(age, 19s);
    EXPECT_LT(age, 60s);
    EXPECT_LE(rows[1].event->received, clock::now());
    EXPECT_EQ(rows[2].event->received, time_point{});
}

TEST_F(StoredEvent, SharesItsSessionWithTheOthersOfIt) {
    open();
    event_spec other;
    other.session = "session-b";
    store_rows({row_of(1, {}), row_of(2, {}), row_of(3, other)});
    const auto rows = lane(guild_lane(1));
    ASSERT_EQ(rows.size(), 3U);
    EXPECT_EQ(rows[0].event->session, rows[1].event->session);
    EXPECT_NE(rows[0].event->session, rows[2].event->session);
}

}  // namespace
}  // namespace shardgate
