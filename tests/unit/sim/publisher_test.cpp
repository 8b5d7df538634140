// SPDX-License-Identifier: Apache-2.0
// Who gets which event, and what the truth book is told (S19, S23, S24, S28).
#include "sim/publisher.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "unit/sim/sim_fixture.hpp"

namespace shardgate::sim {
namespace {

using namespace testing;

options wide() {
    options o = small_options();
    o.gateway.max_concurrency = 16;
    return o;
}

std::uint64_t number_of(const std::string& frame) {
    return json::parse(frame).at("d").at("_n").to_number<std::uint64_t>();
}

TEST(Publisher, AGuildsEventsComeOnItsShardOfEverySet) {
    bench b(wide());
    std::vector<std::unique_ptr<client>> all;
    for (const std::uint32_t shards : {2U, 3U})
        for (std::uint32_t shard = 0; shard < shards; ++shard) {
            all.push_back(b.connect());
            b.ready(*all.back(), shard, shards);
            b.pass(6s);
        }
    for (std::uint32_t g = 0; g < 40; ++g) {
        b.p->events.happen(event_kind::typing, g, b.now);
        const std::uint64_t id = b.p->guilds.at(g).id;
        std::set<std::uint64_t> numbers;
        int got = 0;
        std::size_t at = 0;
        for (const std::uint32_t shards : {2U, 3U})
            for (std::uint32_t shard = 0; shard < shards; ++shard, ++at) {
                const auto frames = b.take(*all[at]);
                EXPECT_EQ(frames.size(), (id >> 22) % shards == shard ? 1U : 0U);
                for (const auto& f : frames)
                    numbers.insert(number_of(f)), ++got;
            }
        EXPECT_EQ(got, 2);
        EXPECT_EQ(numbers.size(), 1U) << "one event, one number";
    }
    EXPECT_EQ(b.p->out.events() + 0U, b.p->book.totals().sent);
}

TEST(Publisher, WhatHasNoGuildComesOnShardZero) {
    bench b(wide());
    const auto zero = b.connect();
    const auto one = b.connect();
    b.ready(*zero, 0, 2);
    b.ready(*one, 1, 2);
    EXPECT_TRUE(b.p->events.happen_in_dm(event_kind::message_create, 0, b.now));
    EXPECT_TRUE(b.p->events.ephemeral(0, b.now));
    EXPECT_TRUE(b.p->events.happen_in_dm(event_kind::interaction_command, 1, b.now));

    EXPECT_EQ(b.take(*zero).size(), 3U);
    EXPECT_EQ(b.take(*one).size(), 0U);
}

TEST(Publisher, TwoSessionsOfOneShardBothGetEverything) {
    bench b;
    const auto first = b.connect();
    b.ready(*first, 0, 1);
    b.pass(6s);
    const auto second = b.connect();
    b.ready(*second, 0, 1);
    b.p->events.happen(event_kind::typing, 0, b.now);

    EXPECT_EQ(b.take(*first).size(), 1U);
    EXPECT_EQ(b.take(*second).size(), 1U);
}

TEST(Publisher, IntentsDecide) {
    bench b;
    const auto c = b.connect();
    b.ready(*c, 0, 1, 1U | (1U << 9));

    EXPECT_FALSE(b.p->events.happen(event_kind::typing, 0, b.now));
    EXPECT_FALSE(b.p->events.happen(event_kind::presence, 0, b.now));
    EXPECT_FALSE(b.p->events.happen_in_dm(event_kind::message_create, 0, b.now));
    EXPECT_TRUE(b.p->events.happen(event_kind::message_create, 0, b.now));
    EXPECT_TRUE(b.p->events.happen(event_kind::interaction_command, 0, b.now));
    EXPECT_EQ(b.p->book.totals().expected, 2U);
}

TEST(Publisher, AnEventNobodyIsEntitledToDidNotHappen) {
    bench b;

    EXPECT_FALSE(b.p->events.happen(event_kind::message_create, 0, b.now));
    EXPECT_EQ(b.p->events.interact(2, false, place{&b.p->guilds.at(0), 5}, b.now), 0U);
    EXPECT_EQ(b.p->book.totals().sent, 0U);
    EXPECT_EQ(b.p->callbacks.totals()[2].created, 0U);
}

TEST(Publisher, DuplicatesComeTwiceWithDifferentSeqsAndOneNumber) {
    options o = small_options();
    o.encoding.duplicates = 1;
    bench b(o);
    const auto c = b.connect();
    b.ready(*c, 0, 1);
    b.p->events.happen(event_kind::typing, 0, b.now);
    const auto frames = b.take(*c);

    ASSERT_EQ(frames.size(), 2U);
    EXPECT_EQ(number_of(frames[0]), number_of(frames[1]));
    EXPECT_NE(frames[0], frames[1]);
}

TEST(Publisher, GapsUseUpASeq) {
    options o = small_options();
    o.encoding.gaps = 1;
    bench b(o);
    const auto c = b.connect();
    b.ready(*c, 0, 1);
    const std::uint64_t before = b.p->sessions.all().front()->seq();
    b.p->events.happen(event_kind::typing, 0, b.now);
    const auto frames = b.take(*c);

    ASSERT_EQ(frames.size(), 1U);
    EXPECT_EQ(json::parse(frames[0]).at("s").to_number<std::uint64_t>(), before + 2);
}

TEST(Publisher, WhatAnotherSetStillHasIsNotLost) {
    bench b(wide());
    const auto old = b.connect();
    b.ready(*old, 0, 1);
    const auto young = b.connect();
    b.ready(*young, 1, 2);
    std::uint32_t shared = 0;
    while ((b.p->guilds.at(shared).id >> 22) % 2 != 1)
        ++shared;
    std::uint32_t alone = 0;
    while ((b.p->guilds.at(alone).id >> 22) % 2 != 0)
        ++alone;
    b.heartbeat(*old, b.p->sessions.all().front()->written);
    b.p->events.happen(event_kind::typing, shared, b.now);
    b.p->events.happen(event_kind::typing, alone, b.now);
    b.hang_up(*old, 1000);

    EXPECT_EQ(b.p->book.totals().lost, 1U);
}

TEST(Publisher, ExpectationsFollowTheOrders) {
    bench b;
    b.p->out.expected().drop = {"TYPING_START"};
    const auto c = b.connect();
    b.ready(*c, 0, 1);
    b.p->events.happen(event_kind::typing, 0, b.now);
    EXPECT_EQ(b.p->book.totals().filtered_sent, 1U);
    b.p->out.expected().only = {"MESSAGE_CREATE"};
    b.p->events.happen(event_kind::presence, 0, b.now);

    EXPECT_EQ(b.p->book.totals().filtered_sent, 2U);
    EXPECT_EQ(b.p->book.totals().may_arrive_sent, 40U) << "the loading guilds";
}

TEST(Publisher, WithoutNumbersNothingIsAdded) {
    options o = small_options();
    o.encoding.numbers = false;
    bench b(o);
    const auto c = b.connect();
    b.ready(*c, 0, 1);
    b.p->events.happen(event_kind::typing, 0, b.now);
    const auto frames = b.take(*c);

    ASSERT_EQ(frames.size(), 1U);
    EXPECT_FALSE(json::parse(frames[0]).at("d").as_object().contains("_n"));
    EXPECT_EQ(b.p->book.totals().sent, 0U);
}

TEST(Director, AnUnfurlRepeatsTheMessageWithItsEmbed) {
    bench b;
    const auto c = b.connect();
    b.ready(*c, 0, 1);
    EXPECT_TRUE(b.p->events.happen(event_kind::message_unfurl, 3, b.now));
    const auto frames = b.take(*c);
    ASSERT_EQ(frames.size(), 2U);
    const json::object created = json::parse(frames[0]).at("d").as_object();
    const json::object updated = json::parse(frames[1]).at("d").as_object();

    EXPECT_EQ(json::parse(frames[1]).at("t").as_string(), "MESSAGE_UPDATE");
    EXPECT_TRUE(created.at("embeds").as_array().empty());
    EXPECT_EQ(updated.at("embeds").as_array().size(), 1U);
    EXPECT_TRUE(updated.at("edited_timestamp").is_null());
    for (const auto& member : created) {
        if (member.key() == "embeds" || member.key() == "_n") continue;
        EXPECT_EQ(updated.at(member.key()), member.value()) << member.key();
    }
    EXPECT_EQ(b.p->book.totals().unfurls_sent, 1U);
}

TEST(Director, AnEditChangesContentAndItsTimeAndMustArrive) {
    bench b;
    const auto c = b.connect();
    b.ready(*c, 0, 1);
    EXPECT_TRUE(b.p->events.happen(event_kind::message_edit, 3, b.now));
    const auto frames = b.take(*c);
    ASSERT_EQ(frames.size(), 2U);
    const json::object created = json::parse(frames[0]).at("d").as_object();
    const json::object updated = json::parse(frames[1]).at("d").as_object();

    EXPECT_EQ(created.at("id"), updated.at("id"));
    EXPECT_NE(created.at("content"), updated.at("content"));
    EXPECT_TRUE(updated.at("edited_timestamp").is_string());
    EXPECT_EQ(b.p->book.totals().expected, 2U);
}

TEST(Director, FollowUpsComeInTheirTime) {
    options o = small_options();
    o.encoding.unfurls = 1;
    o.encoding.edits = 1;
    bench b(o);
    const auto c = b.connect();
    b.ready(*c, 0, 1);
    b.p->events.happen(event_kind::message_create, 0, b.now);
    EXPECT_EQ(b.p->events.follow_ups(), 2U);
    b.run(1100ms);
    EXPECT_EQ(b.take(*c).size(), 2U);
    b.run(7s);

    EXPECT_EQ(b.take(*c).size(), 1U);
    EXPECT_EQ(b.p->events.follow_ups(), 0U);
}

TEST(Director, PartialUnfurlsSayOnlyTheirEmbeds) {
    options o = small_options();
    o.encoding.partial_updates = 1;
    bench b(o);
    const auto c = b.connect();
    b.ready(*c, 0, 1);
    b.p->events.happen(event_kind::message_unfurl, 0, b.now);
    const auto frames = b.take(*c);
    ASSERT_EQ(frames.size(), 2U);
    const json::object d = json::parse(frames[1]).at("d").as_object();

    EXPECT_EQ(d.size(), 5U);
    EXPECT_TRUE(d.contains("embeds"));
    EXPECT_FALSE(d.contains("content"));
}

TEST(Director, GuildsJoinLeaveGoAwayAndComeBack) {
    bench b;
    const auto c = b.connect();
    b.ready(*c, 0, 1);
    const std::uint64_t joined = b.p->events.join_guild(b.now);
    ASSERT_NE(joined, 0U);
    b.p->events.outage(0, b.now);
    EXPECT_FALSE(b.p->guilds.at(0).available);
    b.p->events.back(0, b.now);
    b.p->events.leave_guild(1, b.now);
    const auto frames = b.take(*c);

    ASSERT_EQ(frames.size(), 4U);
    EXPECT_FALSE(json::parse(frames[0]).at("d").as_object().contains("unavailable"));
    EXPECT_TRUE(json::parse(frames[1]).at("d").at("unavailable").as_bool());
    EXPECT_EQ(json::parse(frames[2]).at("t").as_string(), "GUILD_CREATE");
    EXPECT_EQ(json::parse(frames[3]).at("t").as_string(), "GUILD_DELETE");
    EXPECT_FALSE(json::parse(frames[3]).at("d").as_object().contains("unavailable"));
    EXPECT_EQ(b.p->guilds.present(), 40U);
}

TEST(Director, AGuildThatCameBackIsNotLoadedTwice) {
    options o = small_options();
    o.gateway.guild_rate = 1;
    bench b(o);
    const auto c = b.connect();
    b.identify(*c, 0, 1);
    b.p->events.outage(7, b.now);
    b.p->events.back(7, b.now);
    const auto& loading = b.p->sessions.all().front()->loading;

    EXPECT_EQ(std::count(loading.begin(), loading.end(), 7U), 0);
}

}  // namespace
}  // namespace shardgate::sim
