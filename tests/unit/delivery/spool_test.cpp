// SPDX-License-Identifier: Apache-2.0
// The spool's rules one by one. What happens at its bounds: spool_bounds_test.cpp. Everything at
// once: no_loss_property_test.cpp.
#include "unit/delivery/spool_fixture.hpp"

namespace shardgate::testing {
namespace {

class Spool : public spool_fixture {};

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
