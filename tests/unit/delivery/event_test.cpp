// SPDX-License-Identifier: Apache-2.0
// Queued events: bytes kept as they are, views, keys of hostile session ids, weight.
#include "shardgate/delivery/event.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace shardgate {
namespace {

using namespace std::chrono_literals;

session_handle session(std::string_view id) {
    return std::make_shared<const std::string>(id);
}

struct sample {
    std::string frame = R"({"t":"INTERACTION_CREATE","s":7,"op":0,"d":{"token":"tok","id":"5"}})";
    session_handle owner = session("abc");
    dispatch event;

    sample() {
        event.shard = shard_id(3);
        event.shards = shard_count(16);
        event.gen = generation(2);
        event.session = &owner;
        event.seq = seq_no(7);
        event.event = event_id::interaction_create;
        event.name = "INTERACTION_CREATE";
        event.frame = frame;
        event.d = std::string_view(frame).substr(frame.find("{\"token"));
        event.d.remove_suffix(1);
        event.fields.guild = snowflake(11);
        event.fields.channel = snowflake(12);
        event.fields.id = snowflake(5);
        event.fields.interaction_type = 2;
        event.fields.interaction_has_message = true;
        event.fields.interaction_token = std::string_view(frame).substr(frame.find("tok\""), 3);
        event.received = time_point(5s);
        event.received_wall = wall_ms(9ms);
        event.mark = guild_mark::joined;
    }
};

std::string key_of(const event_ptr& e) {
    std::string key;
    e->append_key(key);
    return key;
}

TEST(Event, KeepsTheFrameByteForByteAndWhatIsKnownOfIt) {
    event_ptr kept;
    std::string expected;
    {
        sample s;
        expected = s.frame;
        kept = queued_event::from(s.event);
        s.frame.assign(s.frame.size(), 'x');  // nothing may point into the old buffer
    }
    EXPECT_EQ(kept->frame(), expected);
    EXPECT_EQ(kept->name(), "INTERACTION_CREATE");
    EXPECT_EQ(kept->interaction_token(), "tok");
    EXPECT_EQ(kept->shard, shard_id(3));
    EXPECT_EQ(kept->shards, shard_count(16));
    EXPECT_EQ(kept->gen, generation(2));
    EXPECT_EQ(kept->seq, seq_no(7));
    EXPECT_EQ(*kept->session, "abc");
    EXPECT_EQ(kept->event, event_id::interaction_create);
    EXPECT_EQ(kept->guild, snowflake(11));
    EXPECT_EQ(kept->channel, snowflake(12));
    EXPECT_EQ(kept->id, snowflake(5));
    EXPECT_EQ(kept->interaction_type, 2u);
    EXPECT_TRUE(kept->interaction_has_message);
    EXPECT_EQ(kept->received, time_point(5s));
    EXPECT_EQ(kept->received_wall, wall_ms(9ms));
    EXPECT_EQ(kept->mark, guild_mark::joined);
    EXPECT_FALSE(kept->is_own());
}

TEST(Event, TheTokenIsAViewIntoTheFrameWhenItStandsThere) {
    sample s;
    const event_ptr kept = queued_event::from(s.event);
    const std::string_view frame = kept->frame();
    const std::string_view token = kept->interaction_token();
    EXPECT_GE(token.data(), frame.data());
    EXPECT_LE(token.data() + token.size(), frame.data() + frame.size());
}

TEST(Event, ATokenOutsideTheFrameIsCopied) {
    sample s;
    std::string unescaped = "other-token";  // as from the scanner's buffer
    s.event.fields.interaction_token = unescaped;
    const event_ptr kept = queued_event::from(s.event);
    unescaped.assign(unescaped.size(), 'x');
    EXPECT_EQ(kept->interaction_token(), "other-token");
    EXPECT_EQ(kept->frame(), s.frame);
}

TEST(Event, ANameOutsideTheTableTravelsAsText) {
    sample s;
    std::string name = "BRAND_NEW_EVENT";
    s.event.name = name;
    s.event.event = event_id::unknown;
    const event_ptr kept = queued_event::from(s.event);
    name.assign(name.size(), 'x');
    EXPECT_EQ(kept->name(), "BRAND_NEW_EVENT");
    EXPECT_EQ(kept->event, event_id::unknown);
}

TEST(Event, ForwardAsWritesTheFrameAnewAroundTheUnchangedD) {
    sample s;
    s.event.forward_as = "GUILD_LOADED_DD";
    const event_ptr kept = queued_event::from(s.event);
    EXPECT_EQ(kept->frame(),
              R"({"op":0,"t":"GUILD_LOADED_DD","s":7,"d":{"token":"tok","id":"5"}})");
    EXPECT_EQ(kept->name(), "GUILD_LOADED_DD");
    EXPECT_EQ(kept->interaction_token(), "tok");
    EXPECT_EQ(kept->event, event_id::interaction_create);
}

TEST(Event, ForwardAsMayBeANameOutsideTheTable) {
    sample s;
    s.event.forward_as = "MY_NAME";
    s.event.seq = seq_no(18446744073709551615u);
    const event_ptr kept = queued_event::from(s.event);
    EXPECT_EQ(kept->frame(),
              R"({"op":0,"t":"MY_NAME","s":18446744073709551615,"d":{"token":"tok","id":"5"}})");
    EXPECT_EQ(kept->name(), "MY_NAME");
}

TEST(Event, AnEmptyDispatchGivesEmptyViews) {
    const event_ptr kept = queued_event::from(dispatch{});
    EXPECT_EQ(kept->frame(), "");
    EXPECT_EQ(kept->name(), "");
    EXPECT_EQ(kept->interaction_token(), "");
    EXPECT_EQ(key_of(kept), "none.0.0-0");
}

TEST(Event, TheKeyIsSessionAndSeq) {
    sample s;
    s.owner = session("Az09._~-");
    const event_ptr kept = queued_event::from(s.event);
    std::string key = "before ";
    kept->append_key(key);
    EXPECT_EQ(key, "before Az09._~--7");
}

TEST(Event, AHostileSessionIdCannotBreakOutOfAHeader) {
    sample s;
    s.owner = session("a\r\nX: \"\\%\xff");
    EXPECT_EQ(key_of(queued_event::from(s.event)), "a%0D%0AX%3A%20%22%5C%25%FF-7");
}

TEST(Event, AnIdOfTheBoundIsKeptWhole) {
    sample s;
    s.owner = session(std::string(128, 'a'));
    EXPECT_EQ(key_of(queued_event::from(s.event)), std::string(128, 'a') + "-7");
}

TEST(Event, ALongIdIsCutAndToldApartByItsHash) {
    sample s;
    s.owner = session(std::string(129, 'a') + "1");
    const std::string one = key_of(queued_event::from(s.event));
    s.owner = session(std::string(129, 'a') + "2");
    const std::string two = key_of(queued_event::from(s.event));
    EXPECT_EQ(one.size(), 96 + 1 + 16 + 2u);
    EXPECT_EQ(one.substr(0, 97), std::string(96, 'a') + "-");
    EXPECT_NE(one, two);
    EXPECT_EQ(one.substr(one.size() - 2), "-7");
}

TEST(Event, ALongIdIsNeverCutInsideAnEscape) {
    for (std::size_t lead = 0; lead < 3; ++lead) {
        sample s;
        s.owner = session(std::string(lead, 'a') + std::string(500, '\n'));
        const std::string key = key_of(queued_event::from(s.event));
        EXPECT_LE(key.size(), 160u);
        const std::size_t dash = key.find('-');
        ASSERT_NE(dash, std::string::npos);
        EXPECT_EQ(dash, lead + (96 - lead) / 3 * 3);
        EXPECT_EQ(key.substr(dash - 3, 3), "%0A");
    }
}

TEST(Event, TheKeyOfALongIdIsTheSameInEveryRelease) {
    sample s;
    s.owner = session(std::string(200, 'z'));
    std::uint64_t fnv = 0xcbf29ce484222325ULL;  // FNV-1a, written out once more
    for (int i = 0; i < 200; ++i) {
        fnv ^= static_cast<std::uint64_t>('z');
        fnv *= 1099511628211ULL;
    }
    std::string hex;
    for (int i = 0; i < 16; ++i) {
        hex.insert(hex.begin(), "0123456789ABCDEF"[fnv % 16]);
        fnv /= 16;
    }
    EXPECT_EQ(key_of(queued_event::from(s.event)), std::string(96, 'z') + "-" + hex + "-7");
}

TEST(Event, OwnEventsHaveTheirKeyNameAndLane) {
    std::string name = "SHARDGATE_GAP";
    std::string key = "shardgate-x-1";
    const event_ptr e =
        queued_event::own(name, R"({"a":1})", key, shard_id(1), shard_count(4), generation(3),
                          time_point(1s), wall_ms(2ms), snowflake(77), snowflake(78));
    name.assign(name.size(), 'x');
    key.assign(key.size(), 'x');
    EXPECT_EQ(e->frame(), R"({"op":0,"t":"SHARDGATE_GAP","s":null,"d":{"a":1}})");
    EXPECT_EQ(e->name(), "SHARDGATE_GAP");
    EXPECT_EQ(key_of(e), "shardgate-x-1");
    EXPECT_TRUE(e->is_own());
    EXPECT_EQ(e->session, nullptr);
    EXPECT_EQ(e->seq, seq_no(0));
    EXPECT_EQ(e->event, find_event("SHARDGATE_GAP"));
    EXPECT_EQ(shed_class_of(e->event), shed_class::vital);
    EXPECT_EQ(e->shard, shard_id(1));
    EXPECT_EQ(e->shards, shard_count(4));
    EXPECT_EQ(e->gen, generation(3));
    EXPECT_EQ(e->guild, snowflake(77));
    EXPECT_EQ(e->channel, snowflake(78));
    EXPECT_EQ(e->received, time_point(1s));
    EXPECT_EQ(e->received_wall, wall_ms(2ms));
}

TEST(Event, AnOwnEventOutsideTheTableKeepsNameAndKeyApart) {
    const event_ptr e = queued_event::own("SOMETHING_ELSE", "null", "k", shard_id(0),
                                          shard_count(1), generation(1), time_point{}, wall_ms{});
    EXPECT_EQ(e->name(), "SOMETHING_ELSE");
    EXPECT_EQ(key_of(e), "k");
    EXPECT_EQ(e->guild, snowflake(0));
}

TEST(Event, WeightIsTheAllocation) {
    sample s;
    const std::size_t plain = queued_event::from(s.event)->weight();
    EXPECT_EQ(plain, sizeof(queued_event) + s.frame.size());
    const std::string_view text = "0123456789";
    s.event.fields.interaction_token = text;
    EXPECT_EQ(queued_event::from(s.event)->weight(), plain + text.size());
}

TEST(Event, ReferencesShareOneObject) {
    sample s;
    const long before = s.owner.use_count();
    {
        const event_ptr one = queued_event::from(s.event);
        const event_ptr two = one;
        EXPECT_EQ(one.get(), two.get());
        EXPECT_EQ(one->use_count(), 2u);
        EXPECT_EQ(s.owner.use_count(), before + 1);
    }
    EXPECT_EQ(s.owner.use_count(), before);  // the object was destroyed, not only freed
}

// A writer of the spool holds events on another thread.
TEST(Event, ReferencesAreCountedFromEveryThread) {
    sample s;
    const long before = s.owner.use_count();
    for (int round = 0; round < 50; ++round) {
        event_ptr shared = queued_event::from(s.event);
        std::vector<std::thread> threads;
        for (int i = 0; i < 3; ++i)
            threads.emplace_back([mine = shared] {
                for (int copy = 0; copy < 1000; ++copy) {
                    const event_ptr another = mine;
                    ASSERT_GE(another->use_count(), 2U);
                }
            });
        shared.reset();  // whoever is last destroys it
        for (std::thread& t : threads)
            t.join();
    }
    EXPECT_EQ(s.owner.use_count(), before);
}

TEST(Event, ASessionsIdIsTheBeginningOfItsKeys) {
    for (const std::string id : {"abc", "a b", "", "x\r\ny"}) {
        sample s;
        s.owner = session(id);
        const event_ptr e = queued_event::from(s.event);
        ASSERT_TRUE(e->has_session_key());
        std::string key, begin;
        e->append_key(key);
        append_session_id(begin, id);
        EXPECT_EQ(key, begin + '-' + std::to_string(e->seq.value));
    }
}

}  // namespace
}  // namespace shardgate
