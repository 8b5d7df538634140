// SPDX-License-Identifier: Apache-2.0
// The interaction desk: deadlines, results, races, bounds, in virtual time.
#include "delivery/interaction_desk.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace shardgate {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using answer = interaction_answer;

constexpr milliseconds discord_start = 1'700'000'000'000ms;  // Discord's unix time at steady zero

snowflake id_made_at(milliseconds steady, std::uint64_t serial = 1) {
    const auto since_epoch = (discord_start + steady).count() - 1420070400000;
    return snowflake((static_cast<std::uint64_t>(since_epoch) << 22) | serial);
}

// An interaction of type 2 unless changed, received now.
struct sample {
    snowflake id{};
    std::uint32_t type = 2;
    std::string token = "tok";
    milliseconds received = 100s;
    milliseconds skew{};
};

event_ptr make(const sample& s) {
    dispatch d;
    d.shard = shard_id(3);
    d.shards = shard_count(4);
    d.event = event_id::interaction_create;
    d.name = "INTERACTION_CREATE";
    d.frame = "{}";
    d.d = d.frame;
    d.fields.id = s.id.value != 0 ? s.id : id_made_at(s.received);
    d.fields.guild = snowflake(7);
    d.fields.channel = snowflake(8);
    d.fields.interaction_type = s.type;
    d.fields.interaction_token = s.token;
    d.received = time_point(s.received);
    d.received_wall = wall_ms(discord_start + s.received + s.skew);
    return queued_event::from(d);
}

constexpr time_point t0(100s);  // when samples are received

struct fixture {
    interaction_desk desk;

    explicit fixture(const config::interactions& settings = {}, interaction_limits limits = {})
        : desk(settings, limits) {}

    event_ptr track(const sample& s = {}) {
        event_ptr e = make(s);
        EXPECT_TRUE(desk.track(*e, e->received));
        return e;
    }
    // All that is due, as the daemon would ask.
    std::vector<interaction_callback> due(time_point now) {
        std::vector<interaction_callback> all;
        while (desk.next_expired(now)) {
        }
        while (auto one = desk.next(now))
            all.push_back(std::move(*one));
        return all;
    }
    std::vector<snowflake> leaving(time_point now) {
        std::vector<snowflake> all;
        while (auto one = desk.next_expired(now))
            all.push_back(*one);
        return all;
    }
    // Tracks one, lets its deadline come and the callback come to `how` 100 ms later.
    event_ptr answered(const sample& s = {}, callback_result how = callback_result::answered) {
        event_ptr e = track(s);
        EXPECT_EQ(due(e->received + 2s).size(), 1u);
        EXPECT_TRUE(desk.on_callback(e->id, how, e->received + 2100ms).known);
        return e;
    }
};

config::interactions with_message() {
    config::interactions settings;
    settings.modal_submit = config::modal_submit_mode::message;
    return settings;
}

// ---- deadlines

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

// ---- age

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

// ---- results

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

// ---- races with the handler

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
        EXPECT_TRUE(f.due(t0 + 10s).empty()) << "the handler has it: nothing is repeated";

        fixture g;
        const event_ptr later = g.answered({}, how);
        EXPECT_FALSE(g.desk.on_accepted(later->id, false, t0 + 2110ms).now);
    }
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

// ---- duplicates

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

// ---- events that leave the queue otherwise

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

// ---- the end of fifteen minutes

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

// ---- bounds

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
