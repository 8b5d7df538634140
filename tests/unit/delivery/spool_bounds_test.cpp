// SPDX-License-Identifier: Apache-2.0
// What happens when memory or the spool is full, or an event too old.
#include "unit/delivery/spool_fixture.hpp"

namespace shardgate::testing {
namespace {

class SpoolBounds : public spool_fixture {};

TEST_F(SpoolBounds, ADeepLaneGoesToDiskAndComesBackInOrder) {
    queue.max_events = 100;
    open();
    const auto first = [&] {
        push("MESSAGE_CREATE", 1);
        return pull().at(0);
    }();
    for (int i = 0; i < 300; ++i) {
        push("MESSAGE_CREATE", 1);
        write();
    }
    EXPECT_GT(core->snapshot().spooled_events, 200U);
    EXPECT_LE(core->snapshot().events, 100U);
    EXPECT_EQ(core->snapshot().shed[2], 0U);
    std::vector<std::uint64_t> order{seq_of(first)};
    answer(first, 204);
    for (int i = 0; i < 2000 && !core->idle(); ++i) {
        read();
        for (const auto& r : pull()) {
            order.push_back(seq_of(r));
            answer(r, 204);
        }
        write();
    }
    ASSERT_EQ(order.size(), 301U);
    EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
    write();
    EXPECT_TRUE(disk.empty());
}

TEST_F(SpoolBounds, AHungGuildDoesNotPushOthersToTheDisk) {
    queue.max_events = 400;
    open();
    push("MESSAGE_CREATE", 1);
    const auto hung = pull().at(0);
    for (int i = 0; i < 2000; ++i) {
        push("MESSAGE_CREATE", 1);
        write();
        const std::uint64_t other = push("MESSAGE_CREATE", 2);
        const auto sent = pull();
        ASSERT_EQ(sent.size(), 1U);
        EXPECT_EQ(seq_of(sent[0]), other);
        answer(sent[0], 204);
    }
}

// A burst comes faster than the disk takes it, while what fills memory has long been on disk.
TEST_F(SpoolBounds, WhatIsOnDiskAnywayMakesRoomBeforeAnythingIsShed) {
    queue.max_events = 80;
    open();
    std::map<std::uint64_t, std::vector<std::uint64_t>> pushed, taken;
    const auto some = [&](int events) {
        for (int i = 0; i < events; ++i) {
            const std::uint64_t guild = 1 + static_cast<std::uint64_t>(i) % 7;
            pushed[guild].push_back(push("MESSAGE_CREATE", guild));
        }
    };
    some(70);
    pass(1s);
    write();
    ASSERT_EQ(core->snapshot().stored_events + core->snapshot().spooled_events, 70U);
    const spool_changes slow = core->next_changes(false, now, wall());
    EXPECT_TRUE(slow.empty());
    some(60);  // none of these is on disk yet
    const delivery_snapshot full = core->snapshot();
    EXPECT_LE(full.events, 80U);
    EXPECT_EQ(full.shed[2], 0U);
    EXPECT_GE(full.evicted, 20U);
    for (int i = 0; i < 2000 && !core->idle(); ++i) {
        for (const auto& r : pull()) {
            taken[r.items.at(0).event->guild.value].push_back(seq_of(r));
            answer(r, 204);
        }
        write();
        read();
    }
    EXPECT_EQ(taken, pushed);
    write();
    EXPECT_TRUE(disk.empty());
    EXPECT_EQ(core->snapshot().shed[2], 0U);
}

// What the lane's retries hang on is known in memory alone.
TEST_F(SpoolBounds, WhatWasTriedStaysInMemory) {
    handler.connections = 8;
    queue.max_events = 40;
    open();
    for (std::uint64_t guild = 1; guild <= 30; ++guild)
        push("MESSAGE_CREATE", guild);
    std::vector<delivery_request> tried = pull();
    ASSERT_FALSE(tried.empty());
    ASSERT_LT(tried.size(), 20U);
    pass(1s);
    write();
    for (int i = 0; i < 30; ++i)
        push("MESSAGE_CREATE", 50);
    EXPECT_EQ(core->snapshot().shed[2], 0U);
    EXPECT_GT(core->snapshot().evicted, 10U);
    EXPECT_LE(core->snapshot().evicted, 30U - tried.size());
    std::map<std::uint64_t, std::uint32_t> attempts;
    for (const auto& r : tried) {
        ++attempts[seq_of(r)];
        answer(r, 503);
    }
    for (int i = 0; i < 100 && !core->idle(); ++i) {
        pass(1min);
        for (const auto& r : pull()) {
            EXPECT_EQ(r.items.at(0).attempt, ++attempts[seq_of(r)]);
            answer(r, 204);
        }
        write();
        read();
    }
    EXPECT_TRUE(core->idle());
    EXPECT_EQ(attempts.size(), 60U);
}

// Its bound is reached: what is given up there must not get company, the cheapest here goes.
TEST_F(SpoolBounds, NothingIsEvictedIntoASpoolThatGivesEventsUp) {
    queue.max_events = 40;
    queue.spill_max_bytes = 100;
    open();
    for (std::uint64_t guild = 1; guild <= 30; ++guild)
        push("TYPING_START", guild);
    for (int i = 0; i < 9; ++i)
        push("MESSAGE_CREATE", 50);
    pass(1s);
    write();
    ASSERT_GT(core->snapshot().spooled_bytes, 100U);
    ASSERT_EQ(core->snapshot().events + core->snapshot().spooled_events, 39U);
    for (int i = 0; i < 20; ++i)
        push("MESSAGE_CREATE", 50);
    EXPECT_EQ(core->snapshot().evicted, 0U);
    EXPECT_GT(core->snapshot().shed[0], 5U);
    EXPECT_EQ(core->snapshot().shed[2], 0U);
}

// The spool gives up a class only when memory has nothing cheaper.
TEST_F(SpoolBounds, WhatIsCheaperInMemoryGoesBeforeWhatIsInAFullSpool) {
    queue.max_events = 600;
    queue.spill_max_bytes = 100;
    open();
    for (std::uint64_t guild = 1; guild <= 40; ++guild) {
        push("TYPING_START", guild);
        push("MESSAGE_UPDATE", guild);
        push("GUILD_DELETE", 100 + guild);
    }
    for (int i = 0; i < 300; ++i)
        push("MESSAGE_CREATE", 500);
    pass(1s);
    write();
    ASSERT_GT(core->snapshot().spooled_bytes, 100U);
    ASSERT_EQ(core->snapshot().shed[0] + core->snapshot().shed[1], 0U);
    const auto ask = core->next_candidates(now, wall());
    ASSERT_TRUE(ask.has_value());
    EXPECT_EQ(ask->rank, shed_class::other);
    EXPECT_EQ(core->snapshot().shed[0], 40U);
    EXPECT_EQ(core->snapshot().shed[1], 40U);
    EXPECT_EQ(core->snapshot().shed[2] + core->snapshot().shed[3], 0U);
}

// Nothing replays them, so a full spool is no reason to wait.
TEST_F(SpoolBounds, WhatTheOldSessionLeftIsStoredAlthoughTheSpoolIsFull) {
    queue.max_events = 16;
    queue.spill_max_bytes = 1;
    open();
    for (int i = 0; i < 15; ++i)
        push("MESSAGE_CREATE", 1);
    pass(1s);
    write();  // the spilled ones of them fill it
    const std::uint64_t left = push("MESSAGE_CREATE", 1);
    pass(1s);
    write();
    ASSERT_EQ(unsafe(), left);
    session = std::make_shared<const std::string>("another");
    push("READY", 0);
    write();
    EXPECT_TRUE(std::any_of(disk.begin(), disk.end(),
                            [&](const auto& row) { return row.second.event->seq.value == left; }));
}

TEST_F(SpoolBounds, WhatIsTooOldIsShedAndTold) {
    queue.spill_max_age = 1h;
    open();
    push("MESSAGE_CREATE", 1);
    write(true);
    pass(2h);
    EXPECT_FALSE(core->next_candidates(now, wall()).has_value());  // it was in memory
    EXPECT_EQ(core->snapshot().shed[2], 1U);
    EXPECT_EQ(core->snapshot().events, 0U);
}

TEST_F(SpoolBounds, OldRowsAreListedAndShed) {
    queue.spill_max_age = 1h;
    open();
    push("MESSAGE_CREATE", 1);
    write(true);
    const spool_contents left = contents();
    core.reset();
    pass(2h);
    open(left);
    const auto ask = core->next_candidates(now, wall());
    ASSERT_TRUE(ask.has_value());
    EXPECT_TRUE(ask->any_rank);
    const spool_row& row = disk.begin()->second;
    const queued_event& e = *row.event;
    core->on_candidates(true,
                        {{row.position, row.lane, row.epoch, e.gen, e.shard, e.shards, e.event,
                          false, false, e.id, e.received_wall, e.weight()}},
                        now, wall());
    EXPECT_EQ(core->snapshot().shed[2], 1U);
    EXPECT_EQ(core->snapshot().spooled_events, 0U);
    EXPECT_EQ(write().done, std::vector<std::uint64_t>{row.position});
}

}  // namespace
}  // namespace shardgate::testing
