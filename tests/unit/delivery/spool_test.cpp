// SPDX-License-Identifier: Apache-2.0
// The spool's rules one by one; the disk is a map. Everything at once: no_loss_property_test.cpp.
#include <map>

#include "unit/delivery/fixture.hpp"

namespace shardgate::testing {
namespace {

class Spool : public delivery_fixture {
protected:
    Spool() { queue.overflow = config::overflow_policy::spill; }

    void open(const spool_contents& contents = {}) {
        make();
        core->restore(contents, now, wall());
    }
    // One batch, from the core to the disk.
    spool_changes write(bool everything = false) {
        const spool_changes batch = core->next_changes(everything, now, wall());
        if (batch.empty()) return batch;
        for (const spool_row& row : batch.rows)
            disk[row.position] = row;
        for (const std::uint64_t position : batch.done)
            disk.erase(position);
        core->on_changes_stored(now);
        return batch;
    }
    void read() {
        while (const auto what = core->next_read(now)) {
            std::vector<spool_row> rows;
            for (const auto& [position, row] : disk)
                if (row.lane == what->lane && position >= what->from && rows.size() < what->rows)
                    rows.push_back(row);
            core->on_read(what->lane, true, rows, now);
        }
    }
    // What a process after this one finds.
    [[nodiscard]] spool_contents contents() const {
        spool_contents c;
        std::map<std::uint64_t, spool_lane> lanes;
        std::map<std::uint64_t, std::uint64_t> epochs;
        for (const auto& [position, row] : disk) {
            c.last_position = position;
            ++c.rows;
            c.bytes += row.event->weight();
            ++c.by_class[static_cast<std::size_t>(shed_class_of(row.event->event))];
            spool_lane& l = lanes[row.lane.id];
            if (l.rows++ == 0) l.lane = row.lane, l.first = position;
            ++epochs[row.epoch];
        }
        for (const auto& [id, l] : lanes)
            c.lanes.push_back(l);
        for (const auto& [epoch, n] : epochs)
            c.epochs.push_back({generation{1}, shard_id{0}, epoch, n});
        return c;
    }
    [[nodiscard]] std::uint64_t unsafe(bool after_batch = false) const {
        const auto seq = core->first_unsafe(generation{1}, shard_id{0}, after_batch);
        return seq ? seq->value : 0;
    }

    std::map<std::uint64_t, spool_row> disk;
};

TEST_F(Spool, AnEventThatIsTakenInTimeCostsNoRow) {
    open();
    push("MESSAGE_CREATE");
    answer(pull().at(0), 204);
    pass(2s);
    EXPECT_TRUE(write().empty());
    EXPECT_EQ(unsafe(), 0U);
}

TEST_F(Spool, AfterASecondItIsStoredAndThenSafe) {
    open();
    push("MESSAGE_CREATE");
    const auto request = pull().at(0);
    pass(900ms);
    EXPECT_TRUE(write().empty());
    EXPECT_EQ(unsafe(), 1U);
    pass(100ms);
    EXPECT_LE(core->changes_due(), now);
    EXPECT_EQ(write().rows.size(), 1U);
    EXPECT_EQ(unsafe(), 0U);
    EXPECT_EQ(core->snapshot().stored_events, 1U);
    answer(request, 204);
    EXPECT_EQ(write().done.size(), 1U);
    EXPECT_TRUE(disk.empty());
}

TEST_F(Spool, ABatchUnderWayCountsOnlyForTheMarksItCarries) {
    open();
    push("MESSAGE_CREATE");
    pass(1s);
    EXPECT_FALSE(core->next_changes(false, now, wall()).empty());
    EXPECT_EQ(unsafe(true), 0U);
    EXPECT_EQ(unsafe(false), 1U);
    EXPECT_TRUE(core->next_changes(true, now, wall()).empty());  // one at a time
    core->on_changes_stored(now);
    EXPECT_EQ(unsafe(false), 0U);
}

TEST_F(Spool, ReadyIsStoredAtOnceForNothingReplaysIt) {
    open();
    push("READY", 0);
    EXPECT_EQ(write().rows.size(), 1U);
}

TEST_F(Spool, WhatTheOldSessionLeftIsStoredWhenANewOneBegins) {
    open();
    push("MESSAGE_CREATE", 1);
    push("MESSAGE_CREATE", 2);
    session = std::make_shared<const std::string>("another");
    push("READY", 0);
    EXPECT_EQ(write().rows.size(), 3U);
}

TEST_F(Spool, HoldStoresWhatIsYoung) {
    open();
    push("MESSAGE_CREATE");
    core->hold(generation{1}, shard_id{0});
    EXPECT_EQ(write().rows.size(), 1U);
    EXPECT_EQ(unsafe(), 0U);
}

TEST_F(Spool, ADeepLaneGoesToDiskAndComesBackInOrder) {
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

TEST_F(Spool, AHungGuildDoesNotPushOthersToTheDisk) {
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
TEST_F(Spool, WhatIsOnDiskAnywayMakesRoomBeforeAnythingIsShed) {
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
TEST_F(Spool, WhatWasTriedStaysInMemory) {
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
TEST_F(Spool, NothingIsEvictedIntoASpoolThatGivesEventsUp) {
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
TEST_F(Spool, WhatIsCheaperInMemoryGoesBeforeWhatIsInAFullSpool) {
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
TEST_F(Spool, WhatTheOldSessionLeftIsStoredAlthoughTheSpoolIsFull) {
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

TEST_F(Spool, ANewProcessGoesOnWhereTheOldOneWas) {
    open();
    push("MESSAGE_CREATE", 1);
    push("MESSAGE_CREATE", 1);
    write(true);
    const spool_contents left = contents();
    core.reset();
    open(left);
    core->restore_known(generation{1}, shard_id{0}, *session, {1, 2});
    last_seq = 0;  // Discord replays
    push("MESSAGE_CREATE", 1);
    push("MESSAGE_CREATE", 1);
    push("MESSAGE_CREATE", 1);
    EXPECT_EQ(core->snapshot().replayed_known, 2U);
    read();
    std::vector<std::uint64_t> order;
    for (int i = 0; i < 10; ++i) {
        write();
        read();
        for (const auto& r : pull()) {
            order.push_back(seq_of(r));
            // One attempt of the old process may have been under way.
            EXPECT_EQ(r.items[0].attempt, seq_of(r) < 3 ? 2U : 1U);
            answer(r, 204);
        }
    }
    EXPECT_EQ(order, (std::vector<std::uint64_t>{1, 2, 3}));
}

TEST_F(Spool, FencesHoldOverARestart) {
    open();
    push("MESSAGE_CREATE", 1);
    push("READY", 0);
    push("MESSAGE_CREATE", 2);
    write(true);
    const spool_contents left = contents();
    core.reset();
    open(left);
    push("MESSAGE_CREATE", 3);
    std::vector<std::string> order;
    for (int i = 0; i < 10; ++i) {
        read();
        const auto sent = pull();
        for (const auto& r : sent)
            order.push_back(std::string(r.items[0].event->name()) + "/" +
                            std::to_string(r.items[0].event->guild.value));
        for (const auto& r : sent)
            answer(r, 204);
    }
    ASSERT_EQ(order.size(), 4U);
    EXPECT_EQ(order[0], "MESSAGE_CREATE/1");
    EXPECT_EQ(order[1], "READY/0");
}

TEST_F(Spool, WhatIsTooOldIsShedAndTold) {
    queue.spill_max_age = 1h;
    open();
    push("MESSAGE_CREATE", 1);
    write(true);
    pass(2h);
    EXPECT_FALSE(core->next_candidates(now, wall()).has_value());  // it was in memory
    EXPECT_EQ(core->snapshot().shed[2], 1U);
    EXPECT_EQ(core->snapshot().events, 0U);
}

TEST_F(Spool, OldRowsAreListedAndShed) {
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

TEST_F(Spool, ALostSpoolIsToldAndWhatIsInMemoryIsWrittenAgain) {
    queue.max_events = 100;
    open();
    push("MESSAGE_CREATE", 1);
    const auto first = pull().at(0);
    for (int i = 0; i < 150; ++i) {
        push("MESSAGE_CREATE", 1);
        write();
    }
    const std::uint64_t lost = core->snapshot().spooled_events;
    ASSERT_GT(lost, 0U);
    disk.clear();
    core->on_spool_reset(now, wall());
    EXPECT_EQ(core->snapshot().spool_lost, lost);
    EXPECT_EQ(unsafe(), 1U);  // nothing is durable any more
    write();
    EXPECT_EQ(unsafe(), 0U);
    answer(first, 204);
    std::size_t gaps = 0;
    for (int i = 0; i < 1000 && !core->idle(); ++i) {
        for (const auto& r : pull()) {
            gaps += r.items[0].event->name() == "SHARDGATE_GAP" ? 1U : 0U;
            answer(r, 204);
        }
        write();
        read();
    }
    EXPECT_TRUE(core->idle());
    EXPECT_EQ(gaps, 1U);
}

TEST_F(Spool, ARetriedDeadLetterIsAmongTheEventsBeforeItLeavesTheDead) {
    open();
    push("MESSAGE_CREATE", 1);
    answer(pull().at(0), 422);
    EXPECT_EQ(unsafe(), 1U);
    EXPECT_EQ(write().dead.size(), 1U);
    EXPECT_EQ(unsafe(), 0U);
    EXPECT_EQ(core->retry_dead_letters({}, now), 1U);
    const spool_changes batch = write();
    EXPECT_EQ(batch.rows.size(), 1U);
    EXPECT_EQ(batch.dead_done.size(), 1U);
}

TEST_F(Spool, WhatWasShedAndNotToldIsToldByTheNextProcess) {
    queue.overflow = config::overflow_policy::drop_oldest;
    queue.max_events = 2;
    open();
    for (int i = 0; i < 5; ++i)
        push("TYPING_START", 1);
    const spool_changes batch = write();
    ASSERT_EQ(batch.notes.size(), 1U);
    core.reset();
    spool_contents left;
    left.notes = batch.notes;
    open(left);
    push("MESSAGE_CREATE", 1);
    answer(pull().at(0), 204);
    const auto gap = pull_later();
    ASSERT_EQ(gap.size(), 1U);
    EXPECT_NE(gap[0].items[0].event->frame().find("\"TYPING_START\":3"), std::string_view::npos)
        << gap[0].items[0].event->frame();
}

TEST_F(Spool, AnInteractionAnsweredForGoodIsNotDeliveredByAReplay) {
    open();
    token = "token";
    interaction_type = 4;  // autocomplete: answered with no choices, and dropped
    const std::uint64_t id = snowflake_made(0ms);
    push("INTERACTION_CREATE", 1, 0, id);
    pass(2s);
    const auto calls = callbacks();
    ASSERT_EQ(calls.size(), 1U);
    core->on_callback(calls[0].id, callback_result::answered, now, wall());
    spool_contents left;
    for (const interaction_row& row : write(true).interactions)
        left.interactions = {row};
    write(true);
    EXPECT_TRUE(disk.empty());
    core.reset();
    open(left);
    last_seq = 0;
    push("INTERACTION_CREATE", 1, 0, id);
    EXPECT_TRUE(pull().empty());
    EXPECT_EQ(core->snapshot().replayed_known, 1U);
    EXPECT_EQ(unsafe(), 0U);
}

// Killed in between, a process after us finds it in the replay and knows nothing of the answer.
TEST_F(Spool, NothingPassesAnInteractionAnsweredForGoodBeforeThatIsOnDisk) {
    open();
    token = "token";
    interaction_type = 4;
    core->pause(true, now);
    push("INTERACTION_CREATE", 1, 0, snowflake_made(0ms));
    pass(2s);
    const auto calls = callbacks();
    ASSERT_EQ(calls.size(), 1U);
    push("MESSAGE_CREATE", 1);
    core->on_callback(calls[0].id, callback_result::answered, now, wall());
    EXPECT_EQ(core->snapshot().events, 2U);
    const spool_changes batch = core->next_changes(false, now, wall());
    ASSERT_FALSE(batch.interactions.empty());
    EXPECT_EQ(batch.interactions.back().how, interaction_answer::for_good);
    EXPECT_EQ(core->snapshot().events, 2U);
    core->on_changes_stored(now);
    EXPECT_EQ(core->snapshot().events, 1U);
    core->pause(false, now);
    const auto requests = pull();
    ASSERT_EQ(requests.size(), 1U);
    EXPECT_EQ(requests[0].items[0].event->event, event_id::message_create);
}

TEST_F(Spool, ADiskThatFailsKeepsNoAnsweredInteraction) {
    open();
    token = "token";
    interaction_type = 4;
    core->pause(true, now);
    push("INTERACTION_CREATE", 1, 0, snowflake_made(0ms));
    pass(2s);
    const auto calls = callbacks();
    ASSERT_EQ(calls.size(), 1U);
    core->on_callback(calls[0].id, callback_result::answered, now, wall());
    (void)core->next_changes(false, now, wall());
    core->set_disk_fails(true, now);
    EXPECT_EQ(core->snapshot().events, 0U);
}

TEST_F(Spool, AnOldInteractionLeavesTheQueueWhenItIsReadBack) {
    open();
    token = "token";
    interaction_type = 2;
    push("INTERACTION_CREATE", 1, 0, snowflake_made(0ms));
    write(true);
    const spool_contents left = contents();
    core.reset();
    pass(20min);
    open(left);
    read();
    EXPECT_TRUE(pull().empty());
    EXPECT_EQ(count(settled_as::expired), 1U);
}

}  // namespace
}  // namespace shardgate::testing
