// SPDX-License-Identifier: Apache-2.0
// The interaction desk: races with the handler, copies of an interaction, events that have gone.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "delivery/interaction_desk.hpp"
#include "interaction_desk_fixture.hpp"

namespace shardgate {
namespace {

using namespace interaction_test;

TEST(InteractionDesk, AcceptedWhileACallbackIsUnderWayIsAnnouncedOnceKnown) {
    for (const std::uint32_t type : {2u, 3u, 4u}) {
        fixture f;
        sample s;
        s.type = type;
        event_ptr e = f.track(s);
        const snowflake id = e->id;
        ASSERT_EQ(f.due(t0 + 2s).size(), 1u);
        EXPECT_FALSE(f.desk.on_accepted(id, false, t0 + 2050ms).now);
        e.reset();  // the queue has let it go
        const auto v = f.desk.on_callback(id, callback_result::answered, t0 + 2100ms);
        EXPECT_TRUE(v.announce);
        EXPECT_FALSE(v.drop_event) << "it has left the queue already";
        EXPECT_EQ(v.mark, type == 2   ? answer::deferred
                          : type == 3 ? answer::deferred_update
                                      : answer::acknowledged);
        ASSERT_NE(v.event, nullptr);
        EXPECT_EQ(v.event->id, id);
        EXPECT_EQ(v.event->guild, snowflake(7));
        EXPECT_EQ(v.event->channel, snowflake(8));
        EXPECT_EQ(v.event->shard, shard_id(3));
        EXPECT_EQ(v.event->shards, shard_count(4));
        EXPECT_EQ(v.event->frame(), "") << "the text counts for the queue's bound only";
        EXPECT_TRUE(f.leaving(t0 + 20min).empty());
    }
}

TEST(InteractionDesk, AcceptedAfterTheAnswerByARequestThatDidNotSayItIsAnnouncedAtOnce) {
    fixture f;
    const event_ptr e = f.answered();
    const auto told = f.desk.on_accepted(e->id, false, t0 + 2200ms);
    EXPECT_TRUE(told.now);
    EXPECT_EQ(told.how, answer::deferred);
    EXPECT_FALSE(f.desk.on_accepted(e->id, false, t0 + 2300ms).now) << "once";
    EXPECT_EQ(f.desk.counters().taken, 0u);
}

TEST(InteractionDesk, AcceptedByARequestThatSaidItNeedsNoAnnouncement) {
    fixture f;
    const event_ptr e = f.answered();
    EXPECT_FALSE(f.desk.on_accepted(e->id, true, t0 + 2200ms).now);
}

TEST(InteractionDesk, WhatIsNotAnAnswerIsNotAnnounced) {
    for (const callback_result how : {callback_result::refused, callback_result::too_late,
                                      callback_result::unknown, callback_result::not_sent}) {
        fixture f;
        const event_ptr e = f.track();
        ASSERT_EQ(f.due(t0 + 2s).size(), 1u);
        EXPECT_FALSE(f.desk.on_accepted(e->id, false, t0 + 2050ms).now);
        EXPECT_FALSE(f.desk.on_callback(e->id, how, t0 + 2100ms).announce);
        EXPECT_TRUE(f.due(t0 + 2900ms).empty()) << "the handler has it: nothing is repeated";

        fixture g;
        const event_ptr later = g.answered({}, how);
        EXPECT_FALSE(g.desk.on_accepted(later->id, false, t0 + 2110ms).now);
    }
}

TEST(InteractionDesk, AcceptedDuringACallbackThatWasNotSentItWasTaken) {
    fixture f;
    const event_ptr e = f.track();
    ASSERT_EQ(f.due(t0 + 2s).size(), 1u);
    f.desk.on_accepted(e->id, false, t0 + 2050ms);
    (void)f.desk.on_callback(e->id, callback_result::not_sent, t0 + 2100ms);
    EXPECT_EQ(f.desk.deadline(), t0 + 15min) << "no repetition is planned";
    EXPECT_EQ(f.desk.counters().taken, 1u);
}

TEST(InteractionDesk, AnUnknownThatProvesOursIsAnnouncedToAHandlerThatAccepted) {
    fixture f;
    const event_ptr e = f.answered({}, callback_result::unknown);
    EXPECT_FALSE(f.desk.on_accepted(e->id, false, t0 + 2200ms).now);
    const auto v = f.desk.on_callback(e->id, callback_result::already_answered, t0 + 2300ms);
    EXPECT_TRUE(v.announce);
    EXPECT_EQ(v.mark, answer::deferred);
}

TEST(InteractionDesk, AcceptedAfterThreeSecondsIsExpired) {
    config::interactions settings;
    settings.auto_defer = false;
    fixture f(settings);
    const event_ptr e = f.track();
    EXPECT_FALSE(f.desk.on_accepted(e->id, true, t0 + 5s).now);
    EXPECT_EQ(f.desk.counters().taken, 0u);
    EXPECT_EQ(f.desk.counters().expired, 1u);
}

TEST(InteractionDesk, AcceptingWhatIsNotTrackedIsHarmless) {
    fixture f;
    EXPECT_FALSE(f.desk.on_accepted(snowflake(9), false, t0).now);
    f.desk.forget(snowflake(9));
    EXPECT_EQ(f.desk.size(), 0u);
}

TEST(InteractionDesk, SomebodyElsesAnswerDoesNotDropTheEvent) {
    for (const std::uint32_t type : {4u, 5u}) {
        fixture f(with_message());
        sample s;
        s.type = type;
        const event_ptr e = f.track(s);
        ASSERT_EQ(f.due(t0 + 2s).size(), 1u);
        const auto v = f.desk.on_callback(e->id, callback_result::already_answered, t0 + 2100ms);
        EXPECT_EQ(v.mark, answer::acknowledged);
        EXPECT_FALSE(v.drop_event);
    }
}

TEST(InteractionDesk, ADuplicateIsNotAnsweredASecondTime) {
    fixture f;
    const event_ptr e = f.answered();
    const event_ptr again = make({});
    EXPECT_FALSE(f.desk.track(*again, t0 + 2200ms));
    EXPECT_TRUE(f.due(t0 + 10s).empty());
    EXPECT_EQ(f.desk.mark_of(*again, t0 + 10s), answer::deferred);
    EXPECT_EQ(f.desk.counters().duplicates, 1u);
    EXPECT_EQ(f.desk.counters().tracked, 1u);
}

TEST(InteractionDesk, NorAfterTheHandlerTookTheFirst) {
    fixture f;
    const event_ptr e = f.track();
    f.desk.on_accepted(e->id, false, t0 + 100ms);
    const event_ptr again = make({});
    EXPECT_FALSE(f.desk.track(*again, t0 + 200ms));
    EXPECT_TRUE(f.due(t0 + 10s).empty());
    EXPECT_EQ(f.desk.mark_of(*again, t0 + 10s), answer::none) << "the handler has it";
}

TEST(InteractionDesk, TheFirstCopyToBeTakenCountsForAll) {
    fixture f;
    const event_ptr e = f.track();
    EXPECT_FALSE(f.desk.track(*make({}), t0));
    f.desk.forget(e->id);
    f.desk.on_accepted(e->id, false, t0 + 1s);
    EXPECT_TRUE(f.due(t0 + 10s).empty());
    EXPECT_EQ(f.desk.counters().taken, 1u);
}

TEST(InteractionDesk, ACopyIsAnnouncedToNobodyWhoWasTold) {
    fixture f;
    const event_ptr e = f.answered();
    EXPECT_FALSE(f.desk.track(*make({}), t0 + 2200ms));
    EXPECT_FALSE(f.desk.on_accepted(e->id, true, t0 + 2300ms).now);
    EXPECT_FALSE(f.desk.on_accepted(e->id, false, t0 + 2400ms).now);
}

TEST(InteractionDesk, ACopyThatIsLeftGoesAfterItsFifteenMinutes) {
    fixture f;
    const event_ptr e = f.answered();
    EXPECT_FALSE(f.desk.track(*make({}), t0 + 2200ms));
    f.desk.on_accepted(e->id, true, t0 + 2300ms);
    EXPECT_EQ(f.leaving(t0 + 15min), std::vector<snowflake>{e->id});
}

TEST(InteractionDesk, ACopyOfOneThatHasGoneIsAnnouncedToo) {
    fixture f;
    const event_ptr e = f.track();
    f.desk.forget(e->id);
    EXPECT_FALSE(f.desk.track(*make({}), t0));
    ASSERT_EQ(f.due(t0 + 2s).size(), 1u);
    f.desk.on_accepted(e->id, false, t0 + 2050ms);
    EXPECT_TRUE(f.desk.on_callback(e->id, callback_result::answered, t0 + 2100ms).announce);
}

TEST(InteractionDesk, WhenOneCopyGoesTheOtherIsStillAnnounced) {
    fixture f;
    const event_ptr e = f.track();
    EXPECT_FALSE(f.desk.track(*make({}), t0));
    f.desk.forget(e->id);
    ASSERT_EQ(f.due(t0 + 2s).size(), 1u);
    f.desk.on_accepted(e->id, false, t0 + 2050ms);
    EXPECT_TRUE(f.desk.on_callback(e->id, callback_result::answered, t0 + 2100ms).announce);
}

TEST(InteractionDesk, AnEventThatWasShedIsStillAnswered) {
    fixture f;
    event_ptr e = f.track();
    const snowflake id = e->id;
    f.desk.forget(id);
    EXPECT_EQ(e->use_count(), 1u) << "its memory belongs to the queue";
    e.reset();
    const auto calls = f.due(t0 + 2s);
    ASSERT_EQ(calls.size(), 1u);
    EXPECT_EQ(calls[0].token, "tok");
    const auto v = f.desk.on_callback(id, callback_result::answered, t0 + 2100ms);
    EXPECT_EQ(v.mark, answer::deferred);
    EXPECT_TRUE(f.leaving(t0 + 20min).empty()) << "not in the queue";
    EXPECT_EQ(f.desk.size(), 0u);
}

TEST(InteractionDesk, ShedDuringItsCallbackItMayStillBeRepeated) {
    fixture f;
    event_ptr e = f.track();
    const snowflake id = e->id;
    ASSERT_EQ(f.due(t0 + 2s).size(), 1u);
    f.desk.forget(id);
    e.reset();
    (void)f.desk.on_callback(id, callback_result::not_sent, t0 + 2s);
    const auto calls = f.due(t0 + 2200ms);
    ASSERT_EQ(calls.size(), 1u);
    EXPECT_EQ(calls[0].token, "tok");
}

TEST(InteractionDesk, TokensOfEventsThatHaveGoneAreBounded) {
    interaction_limits limits;
    limits.token_bytes = 25;
    fixture f({}, limits);
    std::vector<snowflake> ids;
    for (std::uint64_t i = 1; i <= 4; ++i) {
        sample s;
        s.id = id_made_at(100s, i);
        s.token = std::string(10, 't');
        const event_ptr e = f.track(s);
        f.desk.forget(e->id);
        ids.push_back(e->id);
    }
    EXPECT_EQ(f.due(t0 + 2s).size(), 2u);
    EXPECT_EQ(f.desk.counters().failed, 2u);
    for (const snowflake id : ids)
        (void)f.desk.on_callback(id, callback_result::answered, t0 + 2s);
    sample s;  // the room is there again
    s.id = id_made_at(100s, 9);
    s.token = std::string(25, 't');
    f.desk.forget(f.track(s)->id);
    EXPECT_EQ(f.due(t0 + 2s).size(), 1u);
}

TEST(InteractionDesk, ATokenThatDoesNotFitDuringACallbackEndsTheRepeating) {
    interaction_limits limits;
    limits.token_bytes = 2;
    fixture f({}, limits);
    const event_ptr e = f.track();
    ASSERT_EQ(f.due(t0 + 2s).size(), 1u);
    f.desk.forget(e->id);
    (void)f.desk.on_callback(e->id, callback_result::not_sent, t0 + 2s);
    EXPECT_TRUE(f.due(t0 + 2900ms).empty());
    EXPECT_EQ(f.desk.counters().failed, 1u);
    EXPECT_EQ(f.desk.counters().no_token, 0u);
}

TEST(InteractionDesk, AHostileTokenOfAnEventThatHasGoneIsNotKept) {
    fixture f;
    sample s;
    s.token = "a/b";
    f.desk.forget(f.track(s)->id);
    EXPECT_TRUE(f.due(t0 + 2s).empty());
    EXPECT_EQ(f.desk.counters().no_token, 1u);
}

}  // namespace
}  // namespace shardgate
