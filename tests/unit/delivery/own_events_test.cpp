// SPDX-License-Identifier: Apache-2.0
// The daemon's own events: fields, keys, lanes, hostile reasons.
#include "shardgate/delivery/own_events.hpp"

#include <gtest/gtest.h>

#include <string>

#include "shardgate/delivery/delivery.hpp"

namespace shardgate {
namespace {

using namespace std::chrono_literals;

constexpr shard_id shard{2};
constexpr shard_count shards{8};
constexpr generation gen{1};

std::string key_of(const event_ptr& e) {
    std::string key;
    e->append_key(key);
    return key;
}

TEST(OwnEvents, AGapSaysWhatAndWhen) {
    own_event_factory make("r1");
    const own_event_factory::event_counts counts = {{"TYPING_START", 4}, {"MESSAGE_UPDATE", 1}};
    const event_ptr e = make.gap(shard, shards, gen, "shed", wall_ms(1000ms), wall_ms(2500ms),
                                 &counts, time_point(3s), wall_ms(2600ms));
    EXPECT_EQ(e->frame(),
              R"({"op":0,"t":"SHARDGATE_GAP","s":null,"d":{"shard":2,"shards":8,"reason":"shed",)"
              R"("from":1000,"to":2500,"counts":{"TYPING_START":4,"MESSAGE_UPDATE":1}}})");
    EXPECT_EQ(e->received, time_point(3s));
    EXPECT_EQ(e->received_wall, wall_ms(2600ms));
    EXPECT_EQ(e->shard, shard);
    EXPECT_EQ(e->shards, shards);
    EXPECT_EQ(e->guild, snowflake(0));
}

TEST(OwnEvents, UnknownCountsAreNullAndNoCountsAnEmptyObject) {
    own_event_factory make("r1");
    const event_ptr lost = make.gap(shard, shards, gen, "session_lost", wall_ms(1ms), wall_ms(2ms),
                                    nullptr, time_point{}, wall_ms{});
    EXPECT_NE(lost->frame().find(R"("reason":"session_lost","from":1,"to":2,"counts":null}})"),
              std::string_view::npos);
    const own_event_factory::event_counts none;
    const event_ptr empty = make.gap(shard, shards, gen, "storage", wall_ms(1ms), wall_ms(2ms),
                                     &none, time_point{}, wall_ms{});
    EXPECT_NE(empty->frame().find(R"("counts":{}}})"), std::string_view::npos);
}

TEST(OwnEvents, NamesFromOutsideStayStrings) {
    own_event_factory make("r1");
    const own_event_factory::event_counts counts = {{"A\"B\n", 1}};
    const event_ptr e = make.gap(shard, shards, gen, "shed", wall_ms(1ms), wall_ms(2ms), &counts,
                                 time_point{}, wall_ms{});
    EXPECT_NE(e->frame().find(R"("counts":{"A\"B\n":1}})"), std::string_view::npos);
}

TEST(OwnEvents, GuildsLoadedCounts) {
    own_event_factory make("r1");
    const event_ptr e =
        make.guilds_loaded(shard, shards, gen, 120, 3, time_point(1s), wall_ms(5ms));
    EXPECT_EQ(e->frame(), R"({"op":0,"t":"SHARDGATE_GUILDS_LOADED","s":null,)"
                          R"("d":{"shard":2,"shards":8,"guilds":120,"unavailable":3}})");
}

TEST(OwnEvents, AnInteractionGoesIntoTheLaneOfItsEvent) {
    dispatch source;
    source.shard = shard_id(5);
    source.shards = shard_count(9);
    source.gen = generation(4);
    source.fields.guild = snowflake(42);
    source.fields.channel = snowflake(43);
    source.fields.id = snowflake(9007199254740993);  // more than a JSON number carries
    const event_ptr of = queued_event::from(source);
    own_event_factory make("r1");
    const event_ptr e =
        make.interaction(*of, interaction_answer::deferred_update, time_point(1s), wall_ms(5ms));
    EXPECT_EQ(e->frame(), R"({"op":0,"t":"SHARDGATE_INTERACTION","s":null,)"
                          R"("d":{"id":"9007199254740993","how":"deferred-update"}})");
    EXPECT_EQ(e->guild, snowflake(42));
    EXPECT_EQ(e->channel, snowflake(43));
    EXPECT_EQ(e->shard, shard_id(5));
    EXPECT_EQ(e->shards, shard_count(9));
    EXPECT_EQ(e->gen, generation(4));
}

TEST(OwnEvents, KeysCountUpOverAllKinds) {
    own_event_factory make("run-7");
    const event_ptr one = make.guilds_loaded(shard, shards, gen, 1, 0, time_point{}, wall_ms{});
    const event_ptr two = make.gap(shard, shards, gen, "shed", wall_ms{}, wall_ms{}, nullptr,
                                   time_point{}, wall_ms{});
    EXPECT_EQ(key_of(one), "shardgate-run-7-1");
    EXPECT_EQ(key_of(two), "shardgate-run-7-2");
}

TEST(OwnEvents, ARunIdCannotBreakOutOfAHeader) {
    own_event_factory make("a\r\n:b" + std::string(100, 'c'));
    const std::string key =
        key_of(make.guilds_loaded(shard, shards, gen, 1, 0, time_point{}, wall_ms{}));
    EXPECT_EQ(key, "shardgate-ab" + std::string(59, 'c') + "-1");
}

TEST(OwnEvents, TheWordsForAnswers) {
    EXPECT_EQ(name_of(interaction_answer::none), "");
    EXPECT_EQ(name_of(interaction_answer::deferred), "deferred");
    EXPECT_EQ(name_of(interaction_answer::deferred_update), "deferred-update");
    EXPECT_EQ(name_of(interaction_answer::acknowledged), "acknowledged");
    EXPECT_EQ(name_of(interaction_answer::expired), "expired");
}

}  // namespace
}  // namespace shardgate
