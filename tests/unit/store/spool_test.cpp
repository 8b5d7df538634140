// SPDX-License-Identifier: Apache-2.0
// Lanes, candidates, batches, sums: what delivery asks of the spool.
#include "fixture.hpp"

namespace shardgate {
namespace {

using namespace testing;

class Spool : public store_fixture {};

event_spec in_guild(std::uint64_t guild, std::string name = "MESSAGE_CREATE") {
    event_spec s;
    s.guild = guild;
    s.name = std::move(name);
    return s;
}

TEST_F(Spool, IsEmptyAtFirst) {
    open();
    EXPECT_EQ(state.spool.rows, 0U);
    EXPECT_EQ(state.spool.last_position, 0U);
    EXPECT_TRUE(state.sessions.empty());
    EXPECT_TRUE(state.notices.empty());
    EXPECT_FALSE(state.spool_lost);
}

TEST_F(Spool, ReadsALaneInOrderAndNothingOfOthers) {
    open();
    store_rows({row_of(1, in_guild(1)), row_of(2, in_guild(2)), row_of(5, in_guild(1)),
                row_of(9, in_guild(1))});
    EXPECT_EQ(positions(lane(guild_lane(1))), (numbers{1, 5, 9}));
    EXPECT_EQ(positions(lane(guild_lane(1), 2)), (numbers{5, 9}));
    EXPECT_EQ(positions(lane(guild_lane(1), 1, 2)), (numbers{1, 5}));
    EXPECT_EQ(positions(lane({lane_key::kind::channel, 1})), numbers{});
    EXPECT_EQ(positions(lane(guild_lane(1), 0, 0)), numbers{});
}

TEST_F(Spool, StopsReadingAtTheBytesButGivesOneRow) {
    open();
    event_spec big = in_guild(1);
    big.frame = std::string(10000, 'x');
    store_rows({row_of(1, big), row_of(2, big), row_of(3, big)});
    EXPECT_EQ(positions(lane(guild_lane(1), 0, 10, 0)), (numbers{1}));
    EXPECT_EQ(positions(lane(guild_lane(1), 0, 10, 10001)), (numbers{1}));
    EXPECT_EQ(positions(lane(guild_lane(1), 0, 10, 15000)), (numbers{1, 2}));
}

TEST_F(Spool, FreesWhatIsDoneAndDoesNotMindWhatIsNot) {
    open();
    store_rows({row_of(1, in_guild(1)), row_of(2, in_guild(1))});
    store_batch b;
    b.spool.done = {1, 77};
    store(b);
    EXPECT_EQ(positions(lane(guild_lane(1))), numbers{2});
    EXPECT_EQ(disk->stats().rows_written, 2U);
    EXPECT_EQ(disk->stats().rows_freed, 1U);
    EXPECT_EQ(disk->stats().writes, 2U);
    EXPECT_GT(disk->stats().spool_file_bytes, 4096U);
    EXPECT_GT(disk->stats().last_write_seconds, 0.0);
}

TEST_F(Spool, TakesTheSameBatchTwice) {
    open();
    store_batch b;
    b.spool.rows = {row_of(1, in_guild(1)), row_of(2, in_guild(1))};
    b.spool.dead.push_back({4, 400, 1, wall_now(), "no", event_spec{}.make()});
    b.spool.done = {1};
    store(b);
    store(b);
    EXPECT_EQ(positions(lane(guild_lane(1))), numbers{2});
    reopen();
    EXPECT_EQ(state.spool.rows, 1U);
    EXPECT_EQ(state.spool.dead.size(), 1U);
}

TEST_F(Spool, KeepsCountingWhereItWasWhenNoRowIsLeft) {
    open();
    store_rows({row_of(41, in_guild(1)), row_of(42, in_guild(1))});
    store_batch b;
    b.spool.done = {41, 42};
    store(b);
    reopen();
    EXPECT_EQ(state.spool.rows, 0U);
    EXPECT_EQ(state.spool.last_position, 42U);
}

TEST_F(Spool, SumsUpWhatItHoldsAtStart) {
    open();
    event_spec other_epoch = in_guild(3);
    other_epoch.shard = 2;
    auto typing = row_of(1, in_guild(9, "TYPING_START"));
    auto message = row_of(2, in_guild(3));
    auto update = row_of(3, in_guild(9, "MESSAGE_UPDATE"));
    auto later_epoch = row_of(4, other_epoch);
    auto same_epoch = row_of(5, other_epoch);
    later_epoch.epoch = same_epoch.epoch = 6;
    const std::uint64_t bytes = typing.event->weight() + message.event->weight() +
                                update.event->weight() + 2 * later_epoch.event->weight();
    store_rows({typing, message, update, later_epoch, same_epoch});
    reopen();
    const spool_contents& s = state.spool;
    EXPECT_EQ(s.rows, 5U);
    EXPECT_EQ(s.bytes, bytes);
    EXPECT_EQ(s.last_position, 5U);
    EXPECT_EQ(s.by_class[static_cast<std::size_t>(shed_class::ephemeral)], 1U);
    EXPECT_EQ(s.by_class[static_cast<std::size_t>(shed_class::message_updates)], 1U);
    EXPECT_EQ(s.by_class[static_cast<std::size_t>(shed_class::other)], 3U);
    ASSERT_EQ(s.lanes.size(), 2U);
    EXPECT_EQ(s.lanes[0].lane, guild_lane(9));
    EXPECT_EQ(s.lanes[0].first, 1U);
    EXPECT_EQ(s.lanes[0].rows, 2U);
    EXPECT_EQ(s.lanes[1].lane, guild_lane(3));
    EXPECT_EQ(s.lanes[1].rows, 3U);
    ASSERT_EQ(s.epochs.size(), 2U);
    EXPECT_EQ(s.epochs[0].shard, shard_id{0});
    EXPECT_EQ(s.epochs[0].rows, 3U);
    EXPECT_EQ(s.epochs[1].shard, shard_id{2});
    EXPECT_EQ(s.epochs[1].epoch, 6U);
    EXPECT_EQ(s.epochs[1].rows, 2U);
}

TEST_F(Spool, ListsCandidatesOfAClassOrOfAll) {
    open();
    auto own = row_of(4, in_guild(2));
    own.tells_gap = true;
    own.event = queued_event::own("SHARDGATE_GAP", "{}", "k", shard_id{3}, shard_count{16},
                                  generation{1}, clock::now(), wall_now(), snowflake{2});
    store_rows({row_of(1, in_guild(1, "TYPING_START")), row_of(2, in_guild(1)),
                row_of(3, in_guild(2, "TYPING_START")), own});
    spool_candidates c;
    c.rank = shed_class::ephemeral;
    c.received_before = wall_ms::max();
    c.rows = 10;
    EXPECT_EQ(positions(list(c)), (numbers{1, 3}));
    c.after_position = 1;
    EXPECT_EQ(positions(list(c)), (numbers{3}));
    c.any_rank = true;
    c.rows = 2;
    EXPECT_EQ(positions(list(c)), (numbers{2, 3}));
    c.rows = 10;
    const auto all = list(c);
    ASSERT_EQ(all.size(), 3U);
    EXPECT_FALSE(all[0].own);
    EXPECT_EQ(all[0].event, event_id::message_create);
    EXPECT_EQ(all[2].lane, guild_lane(2));
    EXPECT_TRUE(all[2].own);
    EXPECT_TRUE(all[2].tells_gap);
    EXPECT_EQ(all[2].shard, shard_id{3});
    EXPECT_EQ(all[2].bytes, own.event->weight());
    EXPECT_EQ(all[2].received_wall, own.event->received_wall);
}

TEST_F(Spool, ListsTheOldOnesWithoutReadingAllTheYoung) {
    open();
    event_spec old = in_guild(1);
    old.age = 2h;
    std::vector<spool_row> rows{row_of(1, old), row_of(2, in_guild(1)), row_of(3, old)};
    for (std::uint64_t i = 4; i < 400; ++i)
        rows.push_back(row_of(i, in_guild(1)));
    rows.push_back(row_of(400, old));  // behind so many young ones nobody looks for it yet
    store_rows(std::move(rows));
    spool_candidates c;
    c.any_rank = true;
    c.received_before = wall_now() - 1h;
    c.rows = 10;
    EXPECT_EQ(positions(list(c)), (numbers{1, 3}));
    c.after_position = 200;
    EXPECT_EQ(positions(list(c)), (numbers{400}));
}

TEST_F(Spool, GivesRowsTheLanesOfTheConfiguredOrder) {
    event_spec direct = in_guild(0);
    direct.channel = 8;
    event_spec neither = in_guild(0);
    neither.shard = 5;
    neither.gen = 2;
    const lane_key of_neither{lane_key::kind::shard, 2ULL << 32 | 5};
    open();
    auto a = row_of(1, in_guild(0xfffffffffffffff0));
    auto b = row_of(2, direct);
    auto c = row_of(3, neither);
    b.lane = {lane_key::kind::channel, 8};
    c.lane = of_neither;
    store_rows({a, b, c});

    options.ordering = config::ordering_mode::shard;
    reopen();
    EXPECT_EQ(positions(lane({lane_key::kind::shard, 1ULL << 32})), (numbers{1, 2}));
    EXPECT_EQ(positions(lane(of_neither)), numbers{3});
    EXPECT_EQ(state.spool.lanes.size(), 2U);

    options.ordering = config::ordering_mode::none;
    reopen();
    EXPECT_EQ(positions(lane({lane_key::kind::single, 0})), (numbers{1, 2, 3}));

    options.ordering = config::ordering_mode::guild;
    reopen();
    EXPECT_EQ(positions(lane(a.lane)), numbers{1});
    EXPECT_EQ(positions(lane(b.lane)), numbers{2});
    EXPECT_EQ(positions(lane(of_neither)), numbers{3});
    EXPECT_TRUE(state.facts.empty());  // it is nobody's business
}

TEST_F(Spool, GivesSpaceBackWhenMostOfItIsFree) {
    open();
    std::vector<spool_row> rows;
    store_batch done;
    event_spec big = in_guild(1);
    big.frame = std::string(60000, 'x');
    for (std::uint64_t i = 1; i <= 400; ++i) {
        rows.push_back(row_of(i, big));
        done.spool.done.push_back(i);
    }
    store_rows(std::move(rows));
    close();  // writes the log back
    const auto full = fs::file_size(file("spool.db"));
    ASSERT_GT(full, 20U << 20);
    open();
    for (int i = 0; i < 20; ++i)
        store(done);
    close();
    EXPECT_LT(fs::file_size(file("spool.db")), full / 2);
}

}  // namespace
}  // namespace shardgate
