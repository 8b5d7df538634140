// SPDX-License-Identifier: Apache-2.0
// The interaction desk: the end of an interaction's life, bounds, counters.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "delivery/interaction_desk.hpp"
#include "interaction_desk_fixture.hpp"

namespace shardgate {
namespace {

using namespace interaction_test;

TEST(InteractionDesk, AnAnsweredInteractionLeavesTheQueueAfterItsFifteenMinutes) {
    fixture f;
    const event_ptr e = f.answered();
    EXPECT_EQ(f.desk.deadline(), t0 + 15min);
    EXPECT_TRUE(f.leaving(t0 + 15min - 1ms).empty());
    EXPECT_EQ(f.leaving(t0 + 15min), std::vector<snowflake>{e->id});
    EXPECT_TRUE(f.leaving(t0 + 30min).empty());
    EXPECT_EQ(f.desk.deadline(), never);
    EXPECT_EQ(f.desk.size(), 0u);
}

TEST(InteractionDesk, OneTheHandlerTookDoesNot) {
    fixture f;
    const event_ptr e = f.answered();
    f.desk.on_accepted(e->id, true, t0 + 3s);
    EXPECT_TRUE(f.leaving(t0 + 20min).empty());
}

TEST(InteractionDesk, AnExpiredOneStaysForTheHandlerToSee) {
    fixture f;
    const event_ptr e = f.answered({}, callback_result::too_late);
    EXPECT_TRUE(f.leaving(t0 + 20min).empty());
    EXPECT_EQ(f.desk.mark_of(*e, t0 + 20min), answer::expired);
}

TEST(InteractionDesk, ACallbackWhoseResultNeverCameGivesItsPlaceBack) {
    fixture f;
    f.track();
    ASSERT_EQ(f.due(t0 + 2s).size(), 1u);
    EXPECT_EQ(f.desk.under_way(), 1u);
    EXPECT_TRUE(f.leaving(t0 + 15min).empty());
    EXPECT_EQ(f.desk.under_way(), 0u);
    EXPECT_EQ(f.desk.counters().failed, 1u);
}

TEST(InteractionDesk, OtherEventsHaveNoMark) {
    fixture f;
    dispatch d;
    d.event = event_id::message_create;
    d.received = t0;
    EXPECT_EQ(f.desk.mark_of(*queued_event::from(d), t0 + 1h), answer::none);
}

TEST(InteractionDesk, OnlySoManyCallbacksAreUnderWay) {
    interaction_limits limits;
    limits.under_way = 2;
    fixture f({}, limits);
    std::vector<event_ptr> all;
    for (std::uint64_t i = 1; i <= 5; ++i) {
        sample s;
        s.id = id_made_at(100s, i);
        all.push_back(f.track(s));
    }
    const auto first = f.due(t0 + 2s);
    EXPECT_EQ(first.size(), 2u);
    EXPECT_EQ(f.desk.deadline(), t0 + 3s) << "no busy loop while no place is free";
    (void)f.desk.on_callback(first[0].id, callback_result::answered, t0 + 2100ms);
    EXPECT_EQ(f.due(t0 + 2100ms).size(), 1u);
    EXPECT_TRUE(f.due(t0 + 3s).empty());
    EXPECT_EQ(f.desk.counters().expired, 2u) << "never after the three seconds";
    (void)f.desk.on_callback(first[1].id, callback_result::answered, t0 + 3s);
    EXPECT_TRUE(f.due(t0 + 3s).empty());
}

TEST(InteractionDesk, TheOldestIsAnsweredFirst) {
    interaction_limits limits;
    limits.under_way = 1;
    fixture f({}, limits);
    sample young;
    young.received = 101s;
    young.id = id_made_at(101s);
    const event_ptr second = f.track(young);
    const event_ptr first = f.track();
    const auto calls = f.due(time_point(103s) - 1ms);
    ASSERT_EQ(calls.size(), 1u);
    EXPECT_EQ(calls[0].id, first->id);
}

TEST(InteractionDesk, BeyondItsBoundItTracksNothingMore) {
    interaction_limits limits;
    limits.tracked = 3;
    fixture f({}, limits);
    std::vector<event_ptr> all;
    for (std::uint64_t i = 1; i <= 5; ++i) {
        sample s;
        s.id = id_made_at(100s, i);
        all.push_back(f.track(s));
    }
    EXPECT_EQ(f.desk.size(), 3u);
    EXPECT_EQ(f.desk.counters().untracked, 2u);
    EXPECT_EQ(f.due(t0 + 2s).size(), 3u);
    EXPECT_EQ(f.desk.mark_of(*all[4], t0 + 2s), answer::none);
    EXPECT_EQ(f.desk.mark_of(*all[4], t0 + 3s), answer::expired);
}

TEST(InteractionDesk, WhatIsDoneWithMakesRoom) {
    interaction_limits limits;
    limits.tracked = 3;
    fixture f({}, limits);
    for (std::uint64_t i = 1; i <= 50; ++i) {
        sample s;
        s.id = id_made_at(100s, i);
        f.desk.on_accepted(f.track(s)->id, false, t0);
    }
    EXPECT_EQ(f.desk.size(), 3u);
    EXPECT_EQ(f.desk.counters().untracked, 0u);
    EXPECT_EQ(f.desk.counters().taken, 50u);
}

TEST(InteractionDesk, OnlySoManyAreRemembered) {
    interaction_limits limits;
    limits.remembered = 4;
    fixture f({}, limits);
    for (std::uint64_t i = 1; i <= 50; ++i) {
        sample s;
        s.id = id_made_at(100s, i);
        f.desk.on_accepted(f.track(s)->id, false, t0);
    }
    EXPECT_EQ(f.desk.size(), 4u);
    sample last;
    last.id = id_made_at(100s, 50);
    EXPECT_FALSE(f.desk.track(*make(last), t0)) << "the newest are";
}

TEST(InteractionDesk, ExpiredOnesInTheQueueDoNotFillTheBooks) {
    interaction_limits limits;
    limits.remembered = 4;
    config::interactions settings;
    settings.auto_defer = false;
    fixture f(settings, limits);
    std::vector<event_ptr> all;
    for (std::uint64_t i = 1; i <= 50; ++i) {
        sample s;
        s.id = id_made_at(100s, i);
        all.push_back(f.track(s));
    }
    EXPECT_TRUE(f.due(t0 + 3s).empty());
    EXPECT_EQ(f.desk.size(), 4u);
    EXPECT_EQ(f.desk.counters().expired, 50u);
    for (const event_ptr& e : all)
        EXPECT_EQ(f.desk.mark_of(*e, t0 + 3s), answer::expired);
}

TEST(InteractionDesk, AnsweredOnesInTheQueueAreNeverForgottenForRoom) {
    interaction_limits limits;
    limits.tracked = 3;
    limits.remembered = 0;
    fixture f({}, limits);
    std::vector<event_ptr> all;
    for (std::uint64_t i = 1; i <= 3; ++i) {
        sample s;
        s.id = id_made_at(100s, i);
        all.push_back(f.answered(s));
    }
    sample more;
    more.id = id_made_at(100s, 9);
    f.track(more);
    EXPECT_EQ(f.desk.counters().untracked, 1u);
    for (const event_ptr& e : all)
        EXPECT_EQ(f.desk.mark_of(*e, t0 + 1min), answer::deferred);
    EXPECT_EQ(f.leaving(t0 + 15min).size(), 3u);
}

TEST(InteractionDesk, TheSnapshotHasTheCounters) {
    fixture f(with_message());
    std::uint64_t serial = 0;
    const auto one = [&](std::uint32_t type, callback_result how) {
        sample s;
        s.type = type;
        s.id = id_made_at(100s, ++serial);
        f.answered(s, how);
    };
    one(2, callback_result::answered);
    one(4, callback_result::answered);
    one(5, callback_result::answered);
    one(2, callback_result::already_answered);
    one(2, callback_result::too_late);
    one(2, callback_result::refused);
    sample unknown;
    unknown.type = 9;
    unknown.id = id_made_at(100s, ++serial);
    f.track(unknown);
    EXPECT_TRUE(f.due(t0 + 2100ms).empty());
    sample taken;
    taken.id = id_made_at(100s, ++serial);
    f.desk.on_accepted(f.track(taken)->id, false, t0);
    delivery_snapshot s;
    f.desk.fill(s);
    EXPECT_EQ(s.interactions_taken, 1u);
    EXPECT_EQ(s.interactions_deferred, 1u);
    EXPECT_EQ(s.interactions_messaged, 2u);
    EXPECT_EQ(s.interactions_already, 1u);
    EXPECT_EQ(s.interactions_too_late, 1u);
    EXPECT_EQ(s.interactions_failed, 1u);
    EXPECT_EQ(s.interactions_expired, 0u);
    EXPECT_EQ(s.interactions_unknown_type, 1u);
}

}  // namespace
}  // namespace shardgate
