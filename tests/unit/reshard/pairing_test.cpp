// SPDX-License-Identifier: Apache-2.0
// Who leads, what is a copy, and how the lead passes: each rule of pairing.hpp by itself.
#include <algorithm>
#include <string>

#include "unit/reshard/pairing_fixture.hpp"

namespace shardgate::testing {
namespace {

using Pairing = pairing_fixture;

TEST_F(Pairing, TheOldSetLeadsAndItsCopiesAreDropped) {
    start_acquainted();

    EXPECT_EQ(shows(old_set, "a"), forward);
    EXPECT_EQ(shows(new_set, "a"), drop);
    EXPECT_EQ(shows(old_set, "#1"), forward);
    EXPECT_EQ(shows(new_set, "#1"), drop);

    EXPECT_EQ(went(), "a #1");
    EXPECT_EQ(pair->stats().forwarded, 2U);
    EXPECT_EQ(pair->stats().dropped, 2U);
}

TEST_F(Pairing, WhatTheNewSetShowsFirstIsHeldUntilItsTwinGoesOn) {
    start_acquainted();

    EXPECT_EQ(shows(new_set, "a"), hold);
    EXPECT_EQ(shows(new_set, "b"), hold);
    EXPECT_EQ(pair->stats().held, 2U);
    EXPECT_GT(pair->stats().held_bytes, 0U);
    EXPECT_EQ(shows(old_set, "a"), forward);
    EXPECT_EQ(shows(old_set, "b"), forward);

    EXPECT_EQ(went(), "a b");
    EXPECT_EQ(pair->stats().met, 2U);
    EXPECT_EQ(pair->stats().held_bytes, 0U);
    pass(1min);
    EXPECT_EQ(went(), "");
}

TEST_F(Pairing, EqualEventsGoOnAsOftenAsTheyHappened) {
    start_acquainted();

    EXPECT_EQ(shows(old_set, "x"), forward);
    EXPECT_EQ(shows(old_set, "x"), forward);
    EXPECT_EQ(shows(new_set, "x"), drop);
    EXPECT_EQ(shows(new_set, "x"), drop);
    EXPECT_EQ(shows(new_set, "x"), hold);
    EXPECT_EQ(shows(old_set, "x"), forward);

    EXPECT_EQ(went(), "x x x");
}

TEST_F(Pairing, WhatTheNewLeaderIsAheadGoesOnAtOnceInOrder) {
    start_acquainted();
    (void)shows(new_set, "a");
    (void)shows(new_set, "x");
    (void)shows(new_set, "x");
    (void)shows(new_set, "#1");

    prefer(new_set);

    EXPECT_EQ(went(), "a x x #1");
    EXPECT_EQ(pair->stats().released, 4U);
    for (const char* const name : {"a", "x", "x", "#1"})
        EXPECT_EQ(shows(old_set, name), drop);
    EXPECT_EQ(shows(new_set, "x"), forward);
    EXPECT_EQ(shows(old_set, "x"), drop);
}

TEST_F(Pairing, WhatTheNewLeaderIsBehindIsDroppedWhenItComes) {
    start_acquainted();
    (void)shows(old_set, "x");
    (void)shows(old_set, "x");
    (void)shows(old_set, "b");

    prefer(new_set);

    EXPECT_EQ(shows(new_set, "x"), drop);
    EXPECT_EQ(shows(new_set, "x"), drop);
    EXPECT_EQ(shows(new_set, "b"), drop);
    EXPECT_EQ(shows(new_set, "x"), forward);
    EXPECT_EQ(shows(old_set, "x"), drop);
    EXPECT_EQ(went(), "x x b x");
}

TEST_F(Pairing, AnAbortIsTheSamePassBack) {
    start_acquainted();
    (void)shows(new_set, "a");
    prefer(new_set);
    (void)shows(new_set, "b");
    (void)shows(old_set, "a");

    prefer(old_set);

    EXPECT_EQ(shows(old_set, "b"), drop);
    EXPECT_EQ(shows(old_set, "c"), forward);
    EXPECT_EQ(shows(new_set, "c"), drop);
    EXPECT_EQ(went(), "a b c");
    EXPECT_EQ(pair->preferred(), old_set);
}

TEST_F(Pairing, AnEventThatOneSetNeverShowsDoesNotShiftTheOthers) {
    start_acquainted();
    for (const char* const name : {"a", "only", "b", "c"})
        EXPECT_EQ(shows(old_set, name), forward);
    for (const char* const name : {"a", "b", "c"})
        EXPECT_EQ(shows(new_set, name), drop);
    EXPECT_EQ(shows(new_set, "d"), hold);
    EXPECT_EQ(shows(old_set, "d"), forward);
}

TEST_F(Pairing, LanesDoNotMixWhatLooksAlike) {
    start_acquainted();

    EXPECT_EQ(shows(old_set, "x", guild(1)), forward);
    EXPECT_EQ(shows(new_set, "x", guild(2)), hold);
    EXPECT_EQ(shows(new_set, "x", {lane_key::kind::channel, 7}), hold);
    EXPECT_EQ(shows(new_set, "x", guild(1)), drop);
}

// ---- alignment ---------------------------------------------------------------------------------

TEST_F(Pairing, ALaneThatIsNotAlignedKeepsItsLeader) {
    start();
    (void)shows(old_set, "x");
    (void)shows(old_set, "x");
    (void)shows(new_set, "x");  // one of them, or one from before

    prefer(new_set);

    EXPECT_EQ(pair->stats().unaligned, 1U);
    EXPECT_FALSE(pair->settled());
    EXPECT_EQ(shows(new_set, "x"), hold);
    EXPECT_EQ(shows(old_set, "x"), forward);
    EXPECT_EQ(went(), "x x x");
}

TEST_F(Pairing, AnEventUniqueByNatureAlignsItsLane) {
    start();
    (void)shows(old_set, "x");
    (void)shows(old_set, "x");
    (void)shows(new_set, "x");
    prefer(new_set);
    (void)shows(old_set, "#1");
    (void)shows(old_set, "x");

    (void)shows(new_set, "#1");

    EXPECT_EQ(pair->stats().unaligned, 0U);
    EXPECT_EQ(shows(new_set, "x"), drop);
    EXPECT_EQ(shows(new_set, "x"), forward);
    EXPECT_EQ(shows(old_set, "x"), drop);
    EXPECT_EQ(went(), "x x #1 x x");
    EXPECT_EQ(pair->stats().guessed, 0U);
}

TEST_F(Pairing, WhatIsReleasedComesBehindTheEventThatAlignedItsLane) {
    start();
    for (int i = 0; i < 12; ++i) {
        (void)shows(old_set, "x");
        pass(1s);
        (void)shows(new_set, "x");
    }
    prefer(new_set);
    (void)shows(new_set, "#1");
    (void)shows(new_set, "x");
    (void)shows(new_set, "b");
    (void)went();

    EXPECT_EQ(shows(old_set, "#1"), forward);

    EXPECT_EQ(went(), "#1 x b");
}

TEST_F(Pairing, ContentThatOccursOnceInBothAlignsAfterAnOverlap) {
    start();
    const auto beat = [&](int times) {
        for (int i = 0; i < times; ++i) {
            (void)shows(old_set, "x");
            pass(300ms);
            (void)shows(new_set, "x");
            pass(700ms);
        }
    };
    beat(3);
    (void)shows(old_set, "once");
    (void)shows(new_set, "once");
    beat(8);
    EXPECT_EQ(pair->stats().unaligned, 1U);
    beat(6);
    EXPECT_EQ(pair->stats().unaligned, 0U);
    EXPECT_EQ(pair->stats().guessed, 0U);
    (void)went();

    (void)shows(old_set, "x");
    prefer(new_set);
    EXPECT_EQ(shows(new_set, "x"), drop);
    EXPECT_EQ(shows(new_set, "x"), forward);
}

TEST_F(Pairing, ContentThatOccursTwiceProvesNothing) {
    start();
    for (int i = 0; i < 40; ++i) {
        (void)shows(old_set, i % 2 == 0 ? "x" : "y");
        pass(1s);
        (void)shows(new_set, i % 2 == 0 ? "x" : "y");
    }
    EXPECT_EQ(pair->stats().unaligned, 1U);
}

TEST_F(Pairing, SilenceOfAnOverlapAligns) {
    start();
    (void)shows(new_set, "x");  // the old set showed it before its events were recorded
    (void)shows(old_set, "x");
    prefer(new_set);

    pass(settings.overlap * 3 / 2);

    EXPECT_EQ(pair->stats().unaligned, 0U);
    EXPECT_EQ(shows(new_set, "x"), forward);
    EXPECT_EQ(shows(old_set, "x"), drop);
    EXPECT_EQ(went(), "x x");
}

TEST_F(Pairing, SilenceIsNoticedWhenTheNextEventComes) {
    start();
    for (int i = 0; i < 3; ++i) {  // the timer looks four times an overlap
        (void)shows(old_set, "x");
        (void)shows(new_set, "x");
        pass(settings.overlap + 10ms);
    }
    EXPECT_EQ(shows(old_set, "x"), forward);
    EXPECT_EQ(shows(new_set, "x"), drop);
}

TEST_F(Pairing, SilenceCountsOnlyWhileBothSessionsAreLive) {
    start();
    (void)shows(old_set, "x");
    live(new_set, false);
    pass(10min);
    EXPECT_EQ(pair->stats().unaligned, 1U);

    live(new_set, true);
    pass(settings.overlap / 2);
    EXPECT_EQ(pair->stats().unaligned, 1U);
    pass(settings.overlap);
    EXPECT_EQ(pair->stats().unaligned, 0U);
}

TEST_F(Pairing, WhatIsAlignedStaysSoWhileASessionReconnects) {
    start_acquainted();
    (void)shows(old_set, "a");
    (void)shows(new_set, "a");
    pass(1min);  // nothing is remembered of the lane any more
    live(new_set, false);
    pass(1s);
    live(new_set, true);
    (void)went();

    (void)shows(new_set, "x");
    prefer(new_set);

    EXPECT_EQ(went(), "x");
    EXPECT_TRUE(pair->settled());
}

TEST_F(Pairing, ALaneThatNeverProvesAnythingIsGuessedInTheEnd) {
    start();
    prefer(new_set);
    int happened = 0;
    // Every few seconds, not evenly; the new set is 400 ms behind.
    for (; happened < 80; ++happened) {
        (void)shows(old_set, "x");
        pass(400ms);
        (void)shows(new_set, "x");
        pass(std::chrono::milliseconds(200 + (happened * 977) % 3100));
    }
    EXPECT_EQ(pair->stats().guessed, 1U);
    EXPECT_EQ(pair->stats().unaligned, 0U);
    EXPECT_EQ(pair->stats().led_by_old, 0U);
    const std::string all = went();
    EXPECT_EQ(std::count(all.begin(), all.end(), 'x'), happened);
}

// ---- expiry ------------------------------------------------------------------------------------

TEST_F(Pairing, AHeldEventThatTheLeaderNeverShowsIsNotSentOn) {
    start_acquainted();
    EXPECT_EQ(shows(new_set, "a"), hold);

    pass(settings.overlap * 3 / 2);

    EXPECT_EQ(pair->stats().expired, 1U);
    EXPECT_EQ(pair->stats().held_bytes, 0U);
    prefer(new_set);
    EXPECT_EQ(went(), "");
}

TEST_F(Pairing, ACopyIsTakenForAnEventOfItsOwnOnceItsTwinIsForgotten) {
    start_acquainted();
    (void)shows(old_set, "x");
    pass(settings.overlap * 3 / 2);

    EXPECT_EQ(shows(new_set, "x"), hold);
    EXPECT_EQ(shows(old_set, "x"), forward);
    EXPECT_EQ(went(), "x x");
}

TEST_F(Pairing, NothingExpiresWhileASessionIsAway) {
    start_acquainted();
    EXPECT_EQ(shows(new_set, "a"), hold);
    live(old_set, false);
    pass(10min);
    EXPECT_EQ(shows(old_set, "a"), forward);
    live(old_set, true);

    EXPECT_EQ(shows(old_set, "b"), forward);
    live(new_set, false);
    pass(10min);
    EXPECT_EQ(shows(new_set, "b"), drop);

    EXPECT_EQ(went(), "a b");
    EXPECT_EQ(pair->stats().expired, 0U);
}

TEST_F(Pairing, WithoutEventsNothingIsKeptAndNoTimerIsSet) {
    start_acquainted();
    EXPECT_EQ(pair->deadline(), never);
    for (std::uint64_t g = 0; g < 50; ++g) {
        (void)shows(old_set, "a", guild(g));
        (void)shows(new_set, g % 2 == 0 ? "a" : "b", guild(g));
    }
    EXPECT_LE(pair->deadline(), now + settings.overlap);

    pass(5 * settings.overlap);

    EXPECT_EQ(pair->stats().records, 0U);
    EXPECT_EQ(pair->stats().held_bytes, 0U);
    EXPECT_EQ(pair->stats().lanes, 0U);
    EXPECT_EQ(pair->deadline(), never);
}

}  // namespace
}  // namespace shardgate::testing
