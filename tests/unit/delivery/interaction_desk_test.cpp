// SPDX-License-Identifier: Apache-2.0
// The interaction desk: deadlines, age, results.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "delivery/interaction_desk.hpp"
#include "interaction_desk_fixture.hpp"

namespace shardgate {
namespace {

using namespace interaction_test;

TEST(InteractionDesk, TheHandlerHasUntilTheDeadline) {
    fixture f;
    const event_ptr e = f.track();
    EXPECT_EQ(f.desk.deadline(), t0 + 2s);
    EXPECT_TRUE(f.due(t0 + 1999ms).empty());
    const auto calls = f.due(t0 + 2s);
    ASSERT_EQ(calls.size(), 1u);
    EXPECT_EQ(calls[0].id, e->id);
    EXPECT_EQ(calls[0].token, "tok");
    EXPECT_EQ(calls[0].body, R"({"type":5})");
    EXPECT_EQ(calls[0].timeout, duration(1s)) << "the rest of Discord's three seconds";
    EXPECT_TRUE(f.due(t0 + 10s).empty()) << "one callback an interaction";
}

TEST(InteractionDesk, WhatTheHandlerTakesInTimeIsNotAnswered) {
    fixture f;
    const event_ptr e = f.track();
    const auto told = f.desk.on_accepted(e->id, false, t0 + 1s);
    EXPECT_FALSE(told.now);
    EXPECT_TRUE(f.due(t0 + 20min).empty());
    EXPECT_EQ(f.desk.counters().taken, 1u);
    EXPECT_EQ(f.desk.size(), 0u) << "after fifteen minutes nothing is left";
    EXPECT_EQ(f.desk.deadline(), never);
}

TEST(InteractionDesk, TheConfiguredDeadlineCounts) {
    config::interactions settings;
    settings.deadline = 500ms;
    fixture f(settings);
    f.track();
    EXPECT_EQ(f.desk.deadline(), t0 + 500ms);
    const auto calls = f.due(t0 + 700ms);
    ASSERT_EQ(calls.size(), 1u);
    EXPECT_EQ(calls[0].timeout, duration(2300ms));
}

TEST(InteractionDesk, EachKindHasItsAnswer) {
    fixture f(with_message());
    const std::vector<std::pair<std::uint32_t, std::string>> expected = {
        {2, R"({"type":5})"},
        {3, R"({"type":6})"},
        {4, R"({"type":8,"data":{"choices":[]}})"},
        {5,
         R"({"type":4,"data":{"content":"The bot is having a temporary issue, please try again."}})"}};
    for (const auto& [type, body] : expected) {
        sample s;
        s.id = id_made_at(100s, type);
        s.type = type;
        f.track(s);
        const auto calls = f.due(t0 + 2s);
        ASSERT_EQ(calls.size(), 1u);
        EXPECT_EQ(calls[0].body, body);
    }
}

TEST(InteractionDesk, UnknownKindsAreNeverAnsweredButCounted) {
    fixture f;
    for (const std::uint32_t type : {0u, 1u, 6u, 99u}) {
        sample s;
        s.id = id_made_at(100s, type + 1);
        s.type = type;
        const event_ptr e = f.track(s);
        EXPECT_TRUE(f.due(t0 + 2s).empty());
        EXPECT_EQ(f.desk.mark_of(*e, t0 + 2s), answer::none);
        EXPECT_EQ(f.desk.mark_of(*e, t0 + 3s), answer::expired);
    }
    EXPECT_TRUE(f.due(t0 + 4s).empty());
    EXPECT_EQ(f.desk.counters().unknown_type, 4u);
    EXPECT_EQ(f.desk.counters().expired, 0u) << "one outcome each";
}

TEST(InteractionDesk, WithoutAUsableTokenThereIsNoAnswer) {
    fixture f;
    for (const std::string_view token : {"", "..", "a/../b"}) {
        sample s;
        s.id = id_made_at(100s, token.size() + 1);
        s.token = token;
        f.track(s);
    }
    EXPECT_TRUE(f.due(t0 + 2s).empty());
    EXPECT_EQ(f.desk.counters().no_token, 3u);
}

TEST(InteractionDesk, SwitchedOffItOnlyKnowsWhatExpired) {
    config::interactions settings;
    settings.auto_defer = false;
    fixture f(settings);
    const event_ptr e = f.track();
    sample other;
    other.id = id_made_at(100s, 2);
    const event_ptr taken = f.track(other);
    f.desk.on_accepted(taken->id, false, t0 + 1s);
    EXPECT_TRUE(f.due(t0 + 2900ms).empty());
    EXPECT_EQ(f.desk.mark_of(*e, t0 + 2900ms), answer::none);
    EXPECT_TRUE(f.due(t0 + 3s).empty());
    EXPECT_EQ(f.desk.mark_of(*e, t0 + 3s), answer::expired);
    EXPECT_EQ(f.desk.counters().expired, 1u);
    EXPECT_EQ(f.desk.counters().taken, 1u);
    EXPECT_TRUE(f.leaving(t0 + 20min).empty()) << "nobody answered it: the handler sees it still";
}

void teach_clock(interaction_desk& desk, milliseconds skew = 0ms) {
    for (int i = 0; i < 2; ++i)
        desk.observe(id_made_at(99s), time_point(99s), wall_ms(discord_start + 99s + skew));
}

TEST(InteractionDesk, TheClockStartsAtCreationWhateverTheLocalClockSays) {
    for (const milliseconds skew : {-20min, 0min, 20min}) {
        fixture f;
        teach_clock(f.desk, skew);
        sample s;
        s.skew = skew;
        s.id = id_made_at(100s - 1500ms);
        f.track(s);
        EXPECT_EQ(f.desk.deadline(), t0 + 500ms);
        const auto calls = f.due(t0 + 500ms);
        ASSERT_EQ(calls.size(), 1u);
        EXPECT_EQ(calls[0].timeout, duration(1s));
    }
}

TEST(InteractionDesk, OneThatArrivesAfterItsDeadlineIsAnsweredAtOnce) {
    fixture f;
    teach_clock(f.desk);
    sample s;
    s.id = id_made_at(100s - 2600ms);
    f.track(s);
    EXPECT_LE(f.desk.deadline(), t0);
    const auto calls = f.due(t0);
    ASSERT_EQ(calls.size(), 1u);
    EXPECT_EQ(calls[0].timeout, duration(400ms));
}

TEST(InteractionDesk, OneThatArrivesAfterThreeSecondsIsNeverAnswered) {
    fixture f;
    teach_clock(f.desk);
    sample s;
    s.id = id_made_at(100s - 3s);
    const event_ptr e = f.track(s);
    EXPECT_TRUE(f.due(t0).empty());
    EXPECT_EQ(f.desk.mark_of(*e, t0), answer::expired);
    EXPECT_EQ(f.desk.counters().expired, 1u);
}

TEST(InteractionDesk, AStalledLoopDoesNotAnswerAfterThreeSeconds) {
    fixture f;
    f.track();
    EXPECT_FALSE(f.desk.next(t0 + 3s).has_value());
    EXPECT_EQ(f.desk.counters().expired, 1u);
    EXPECT_TRUE(f.due(t0 + 4s).empty());
    EXPECT_EQ(f.desk.counters().expired, 1u);
}

TEST(InteractionDesk, IdsFromAnywhereInTimeAreAnsweredByTheirReceipt) {
    fixture f;
    teach_clock(f.desk);
    const std::vector<std::uint64_t> hostile = {1, 1ULL << 22, ~0ULL, 1ULL << 63,
                                                id_made_at(100s + 2h).value};
    for (const std::uint64_t id : hostile) {
        sample s;
        s.id = snowflake(id);
        f.track(s);
    }
    EXPECT_TRUE(f.due(t0 + 1999ms).empty());
    EXPECT_EQ(f.due(t0 + 2s).size(), hostile.size());
}

TEST(InteractionDesk, AFutureIdDoesNotMakeLaterOnesExpire) {
    fixture f;
    teach_clock(f.desk);
    sample future;
    future.id = id_made_at(100s + 30min);
    f.track(future);
    f.track();
    EXPECT_TRUE(f.due(t0 + 1999ms).empty());
    EXPECT_EQ(f.due(t0 + 2s).size(), 2u);
}

TEST(InteractionDesk, WithoutAnIdThereIsNothingToAnswer) {
    fixture f;
    dispatch d;
    d.event = event_id::interaction_create;
    d.received = t0;
    const event_ptr e = queued_event::from(d);
    EXPECT_TRUE(f.desk.track(*e, t0));
    EXPECT_EQ(f.desk.counters().untracked, 1u);
    EXPECT_TRUE(f.due(t0 + 10s).empty());
    EXPECT_EQ(f.desk.mark_of(*e, t0 + 10s), answer::expired);
}

TEST(InteractionDesk, AnAnswerMarksLaterAttempts) {
    fixture f;
    const event_ptr e = f.track();
    EXPECT_EQ(f.desk.mark_of(*e, t0 + 1s), answer::none);
    ASSERT_EQ(f.due(t0 + 2s).size(), 1u);
    EXPECT_EQ(f.desk.mark_of(*e, t0 + 2s), answer::none) << "not known yet";
    const auto v = f.desk.on_callback(e->id, callback_result::answered, t0 + 2100ms);
    EXPECT_TRUE(v.known);
    EXPECT_EQ(v.mark, answer::deferred);
    EXPECT_FALSE(v.drop_event);
    EXPECT_FALSE(v.announce);
    EXPECT_EQ(f.desk.mark_of(*e, t0 + 5s), answer::deferred);
    EXPECT_EQ(f.desk.counters().deferred, 1u);
}

TEST(InteractionDesk, ADeferredUpdateIsMarkedAsOne) {
    fixture f;
    sample s;
    s.type = 3;
    const event_ptr e = f.answered(s);
    EXPECT_EQ(f.desk.mark_of(*e, t0 + 5s), answer::deferred_update);
    EXPECT_EQ(f.desk.counters().deferred, 1u);
}

TEST(InteractionDesk, AutocompleteAndMessagesEndTheEvent) {
    for (const std::uint32_t type : {4u, 5u}) {
        fixture f(with_message());
        sample s;
        s.type = type;
        const event_ptr e = f.track(s);
        ASSERT_EQ(f.due(t0 + 2s).size(), 1u);
        const auto v = f.desk.on_callback(e->id, callback_result::answered, t0 + 2100ms);
        EXPECT_TRUE(v.drop_event);
        EXPECT_FALSE(v.announce);
        f.desk.forget(e->id);
        EXPECT_EQ(f.desk.counters().no_choices, type == 4u ? 1u : 0u);
        EXPECT_EQ(f.desk.counters().messaged, type == 5u ? 1u : 0u);
        EXPECT_TRUE(f.leaving(t0 + 20min).empty()) << "it is no longer there";
    }
}

TEST(InteractionDesk, AutocompleteThatWasNotAnsweredStays) {
    for (const callback_result how : {callback_result::refused, callback_result::too_late,
                                      callback_result::unknown, callback_result::not_sent}) {
        fixture f;
        sample s;
        s.type = 4;
        const event_ptr e = f.track(s);
        ASSERT_EQ(f.due(t0 + 2s).size(), 1u);
        EXPECT_FALSE(f.desk.on_callback(e->id, how, t0 + 2900ms).drop_event);
    }
}

TEST(InteractionDesk, SomebodyElsesAnswerIsAcknowledged) {
    fixture f;
    const event_ptr e = f.answered({}, callback_result::already_answered);
    EXPECT_EQ(f.desk.mark_of(*e, t0 + 2200ms), answer::acknowledged);
    EXPECT_EQ(f.desk.counters().already, 1u);
    EXPECT_EQ(f.desk.counters().deferred, 0u);
}

TEST(InteractionDesk, TooLateIsTooLate) {
    fixture f;
    const event_ptr e = f.answered({}, callback_result::too_late);
    EXPECT_EQ(f.desk.mark_of(*e, t0 + 2200ms), answer::expired);
    EXPECT_TRUE(f.due(t0 + 4s).empty());
    EXPECT_EQ(f.desk.counters().too_late, 1u);
    EXPECT_EQ(f.desk.counters().expired, 0u);
}

TEST(InteractionDesk, ARefusalIsNotRepeatedAndExpiresInTime) {
    fixture f;
    const event_ptr e = f.answered({}, callback_result::refused);
    EXPECT_TRUE(f.due(t0 + 2900ms).empty());
    EXPECT_EQ(f.desk.mark_of(*e, t0 + 2900ms), answer::none) << "the handler may still answer";
    EXPECT_EQ(f.desk.mark_of(*e, t0 + 3s), answer::expired);
    EXPECT_EQ(f.desk.counters().failed, 1u);
}

TEST(InteractionDesk, WhatMayHaveBeenSentIsNotRepeated) {
    fixture f;
    const event_ptr e = f.answered({}, callback_result::unknown);
    EXPECT_TRUE(f.due(t0 + 2900ms).empty());
    EXPECT_EQ(f.desk.mark_of(*e, t0 + 2900ms), answer::acknowledged);
    EXPECT_TRUE(f.due(t0 + 4s).empty());
    EXPECT_EQ(f.desk.counters().failed, 1u);
}

TEST(InteractionDesk, AlreadyAnsweredAfterOurOwnUnknownWasOurs) {
    fixture f;
    const event_ptr e = f.answered({}, callback_result::unknown);
    const auto v = f.desk.on_callback(e->id, callback_result::already_answered, t0 + 2500ms);
    EXPECT_TRUE(v.known);
    EXPECT_EQ(v.mark, answer::deferred);
    EXPECT_EQ(f.desk.mark_of(*e, t0 + 4s), answer::deferred);
    EXPECT_TRUE(f.due(t0 + 4s).empty());
    EXPECT_EQ(f.desk.counters().deferred, 1u);
    EXPECT_EQ(f.desk.counters().already, 0u);
    EXPECT_EQ(f.desk.counters().failed, 0u);
}

TEST(InteractionDesk, WhatWasNotSentIsRepeatedWhileThereIsTime) {
    fixture f;
    const event_ptr e = f.track();
    time_point now = t0 + 2s;
    int tries = 0;
    std::vector<duration> waits;
    while (now < t0 + 3s) {
        const auto calls = f.due(now);
        ASSERT_LE(calls.size(), 1u);
        if (calls.size() == 1) {
            ++tries;
            EXPECT_EQ(calls[0].token, "tok");
            EXPECT_EQ(calls[0].timeout, t0 + 3s - now);
            const auto v = f.desk.on_callback(e->id, callback_result::not_sent, now);
            EXPECT_EQ(v.mark, answer::none);
            EXPECT_FALSE(v.drop_event);
        }
        const time_point next = f.desk.deadline();
        ASSERT_GT(next, now) << "no busy loop";
        waits.push_back(next - now);
        now = next;
    }
    EXPECT_GE(tries, 3);
    EXPECT_LE(tries, 6);
    EXPECT_GE(waits[0], duration(75ms));
    EXPECT_LE(waits[0], duration(125ms));
    EXPECT_GE(waits[1], duration(150ms)) << "it backs off";
    EXPECT_TRUE(f.due(now).empty());
    EXPECT_EQ(f.desk.mark_of(*e, now), answer::expired);
    EXPECT_EQ(f.desk.counters().failed, 1u);
    EXPECT_EQ(f.desk.counters().expired, 0u);
}

TEST(InteractionDesk, ARepeatedCallbackMaySucceed) {
    fixture f;
    const event_ptr e = f.answered({}, callback_result::not_sent);
    ASSERT_EQ(f.due(t0 + 2300ms).size(), 1u);
    const auto v = f.desk.on_callback(e->id, callback_result::answered, t0 + 2350ms);
    EXPECT_EQ(v.mark, answer::deferred);
    EXPECT_EQ(f.desk.counters().deferred, 1u);
}

TEST(InteractionDesk, AnAcceptanceEndsTheRepeating) {
    fixture f;
    const event_ptr e = f.answered({}, callback_result::not_sent);
    EXPECT_FALSE(f.desk.on_accepted(e->id, false, t0 + 2150ms).now);
    EXPECT_TRUE(f.due(t0 + 10s).empty());
    EXPECT_EQ(f.desk.counters().taken, 1u);
}

TEST(InteractionDesk, ResultsNobodyAskedForAreIgnored) {
    fixture f;
    EXPECT_FALSE(f.desk.on_callback(snowflake(5), callback_result::answered, t0).known);
    const event_ptr e = f.track();
    EXPECT_FALSE(f.desk.on_callback(e->id, callback_result::answered, t0).known);
    EXPECT_EQ(f.desk.under_way(), 0u);
    EXPECT_EQ(f.due(t0 + 2s).size(), 1u);
    (void)f.desk.on_callback(e->id, callback_result::answered, t0 + 2s);
    EXPECT_FALSE(f.desk.on_callback(e->id, callback_result::answered, t0 + 2s).known);
    EXPECT_EQ(f.desk.under_way(), 0u);
    EXPECT_EQ(f.desk.counters().deferred, 1u);
}

}  // namespace
}  // namespace shardgate
