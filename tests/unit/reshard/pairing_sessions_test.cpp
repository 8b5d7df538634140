// SPDX-License-Identifier: Apache-2.0
// Sessions that are lost, sets that are forgotten, when all is settled, marks and bounds.
#include "unit/reshard/pairing_fixture.hpp"

namespace shardgate::testing {
namespace {

using PairingSessions = pairing_fixture;
using PairingMarks = pairing_fixture;
using PairingBounds = pairing_fixture;

// What happened before a session began the other set's alone shows, and may be late.
TEST_F(PairingSessions, AreAcquaintedAfterAnOverlapTogether) {
    settings.old_total = shard_count{2};
    settings.new_total = shard_count{4};
    start();
    EXPECT_FALSE(pair->acquainted(now));
    pass(settings.overlap);
    EXPECT_TRUE(pair->acquainted(now));

    live(new_set, false, 3);
    live(new_set, true, 3);
    EXPECT_TRUE(pair->acquainted(now)) << "a session that is resumed is the same";

    live(new_set, false, 3);
    new_session(new_set, 3);
    live(new_set, true, 3);
    EXPECT_FALSE(pair->acquainted(now));
    pass(settings.overlap);
    EXPECT_TRUE(pair->acquainted(now));
}

TEST_F(PairingSessions, ALateOneOfTheSetThatGoesIsNotWaitedFor) {
    start();
    pass(settings.overlap + std::chrono::milliseconds(1));
    pair->prefer(new_set, now);
    EXPECT_TRUE(pair->acquainted(now));

    live(old_set, false);
    new_session(old_set);
    EXPECT_TRUE(pair->acquainted(now)) << "what happens from now on the new set shows";
    live(old_set, true);
    EXPECT_TRUE(pair->acquainted(now));
    pair->prefer(old_set, now);
    EXPECT_FALSE(pair->acquainted(now)) << "now it is the one that stays";

    pair->prefer(new_set, now);
    live(new_set, false);
    new_session(new_set);
    EXPECT_FALSE(pair->acquainted(now)) << "what happened before now it does not show";
}

TEST_F(PairingSessions, OfAnotherDaemonAreNotWaitedFor) {
    settings.old_total = shard_count{2};
    settings.new_total = shard_count{4};
    pair = std::make_unique<pairing>(settings, now);
    live(old_set, true, 1);
    live(new_set, true, 1);
    live(new_set, false, 3);
    pass(settings.overlap);
    EXPECT_FALSE(pair->acquainted(now)) << "ours, and not there";
    live(new_set, true, 3);
    pass(settings.overlap);
    EXPECT_TRUE(pair->acquainted(now));
}

// Ends the session: it reconnects and gets op 9.
TEST_F(PairingSessions, ANewSessionOfTheLeaderPassesTheLead) {
    start_acquainted();
    (void)shows(new_set, "a");
    (void)shows(new_set, "b");
    live(old_set, false);
    EXPECT_EQ(went(), "");

    new_session(old_set);

    EXPECT_EQ(went(), "a b");
    EXPECT_EQ(shows(new_set, "c"), forward);
    live(old_set, true);
    EXPECT_EQ(shows(old_set, "d"), hold);
    EXPECT_EQ(shows(new_set, "d"), forward);
}

TEST_F(PairingSessions, WhatALostLeaderSentOnIsDroppedWhenTheOtherSetShowsItAtLast) {
    start_acquainted();
    (void)shows(old_set, "x");
    (void)shows(old_set, "x");
    (void)shows(old_set, "b");
    live(old_set, false);
    new_session(old_set);
    live(old_set, true);

    EXPECT_EQ(shows(new_set, "x"), drop);
    EXPECT_EQ(shows(new_set, "x"), drop);
    EXPECT_EQ(shows(new_set, "b"), drop);
    EXPECT_EQ(shows(new_set, "x"), forward);
    EXPECT_EQ(went(), "x x b x");
}

TEST_F(PairingSessions, ALostLeaderLeadsAgainOnceTheLaneIsAligned) {
    start_acquainted();
    (void)shows(old_set, "a");
    (void)shows(new_set, "a");
    live(old_set, false);
    new_session(old_set);
    live(old_set, true);
    EXPECT_EQ(shows(new_set, "b"), forward);
    EXPECT_EQ(shows(old_set, "b"), hold);

    pass(2 * settings.overlap);

    EXPECT_EQ(shows(old_set, "c"), forward);
    EXPECT_EQ(shows(new_set, "c"), drop);
    EXPECT_EQ(went(), "a b c");
}

TEST_F(PairingSessions, ANewSessionOfTheFollowerLeavesTheLead) {
    start_acquainted();
    (void)shows(new_set, "a");
    live(new_set, false);

    new_session(new_set);

    EXPECT_EQ(went(), "");
    EXPECT_EQ(pair->stats().held_bytes, 0U);
    EXPECT_EQ(pair->stats().forgotten, 1U);
    EXPECT_EQ(shows(old_set, "a"), forward);
}

TEST_F(PairingSessions, OnlyTheLanesOfTheLostSessionPassTheirLead) {
    settings.old_total = shard_count{2};
    settings.new_total = shard_count{3};
    start_acquainted();
    (void)shows(new_set, "a", guild(1));                       // old shard 1, new shard 1
    (void)shows(new_set, "b", guild(2));                       // old shard 0, new shard 2
    (void)shows(new_set, "c", {lane_key::kind::channel, 99});  // shards 0

    new_session(old_set, 1);
    EXPECT_EQ(went(), "a");
    new_session(old_set, 0);
    EXPECT_EQ(pair->stats().released, 3U);
}

// A session that began while the other was away has not shown what the other's replay will.
TEST_F(PairingSessions, OfALaneThatIsNotAlignedTheOlderSessionLeads) {
    for (const shard_set lost : {old_set, new_set}) {
        SCOPED_TRACE(lost == old_set ? "the old set's is lost" : "the new set's is lost");
        start_acquainted();
        prefer(lost);
        live(lost, false);
        live(other(lost), false);
        new_session(lost);
        live(lost, true);
        pass(1min);

        EXPECT_EQ(shows(other(lost), "a"), forward);  // it happened before the new session began
        EXPECT_EQ(shows(other(lost), "b"), forward);
        live(other(lost), true);
        EXPECT_NE(shows(lost, "b"), forward);
        pass(1min);
        EXPECT_EQ(went(), "a b");
        EXPECT_EQ(shows(lost, "c"), forward);
        EXPECT_EQ(shows(other(lost), "c"), drop);
        (void)went();
    }
}

TEST_F(PairingSessions, ALostSessionThatIsLostAgainChangesNothing) {
    start_acquainted();
    (void)shows(new_set, "a");
    new_session(old_set);
    new_session(old_set);
    live(old_set, false);
    new_session(old_set);

    EXPECT_EQ(went(), "a");
    EXPECT_EQ(shows(new_set, "b"), forward);
}

TEST_F(PairingSessions, BothLostIsNoReasonToHoldAnythingForEver) {
    start_acquainted();
    (void)shows(old_set, "a");
    (void)shows(new_set, "b");
    new_session(old_set);
    new_session(new_set);
    live(old_set, true);
    live(new_set, true);
    (void)shows(new_set, "c");
    (void)shows(old_set, "c");
    pass(5 * settings.overlap);

    EXPECT_EQ(pair->stats().records, 0U);
    EXPECT_EQ(pair->stats().held_bytes, 0U);
    const std::string all = went();
    EXPECT_NE(all.find('c'), std::string::npos) << all;
}

// ---- settled, forgotten ------------------------------------------------------------------------

TEST_F(PairingSessions, SettledMeansThatThePreferredSetOwesNothing) {
    start_acquainted();
    EXPECT_TRUE(pair->settled());
    (void)shows(old_set, "a");
    EXPECT_EQ(pair->stats().owed_to_new, 1U);
    EXPECT_TRUE(pair->settled()) << "that the follower lags is no matter";

    prefer(new_set);
    EXPECT_FALSE(pair->settled());
    EXPECT_EQ(shows(new_set, "a"), drop);
    EXPECT_TRUE(pair->settled());

    (void)shows(new_set, "b");
    EXPECT_EQ(pair->stats().owed_to_old, 1U);
    EXPECT_TRUE(pair->settled());
    prefer(old_set);
    EXPECT_FALSE(pair->settled());
}

TEST_F(PairingSessions, SettledWaitsForEveryLane) {
    start();
    (void)shows(old_set, "x", guild(1));
    (void)shows(old_set, "#1", guild(2));
    (void)shows(new_set, "#1", guild(2));
    prefer(new_set);
    EXPECT_FALSE(pair->settled());

    pass(2 * settings.overlap);

    EXPECT_TRUE(pair->settled());
}

TEST_F(PairingSessions, TheLeadWaitsForTheSessionThatIsToHaveIt) {
    start_acquainted();
    (void)shows(old_set, "a");
    live(new_set, false);

    prefer(new_set);

    EXPECT_EQ(shows(old_set, "b"), forward);
    EXPECT_FALSE(pair->settled());
    EXPECT_EQ(shows(new_set, "a"), drop);
    EXPECT_EQ(shows(new_set, "b"), drop);
    live(new_set, true);
    pass(settings.overlap);
    EXPECT_EQ(shows(new_set, "c"), forward);
    EXPECT_EQ(went(), "a b c");
}

TEST_F(PairingSessions, TheEventsOfAForgottenSetGoNowhere) {
    start_acquainted();
    prefer(new_set);
    (void)shows(new_set, "a");

    forget(old_set);

    EXPECT_EQ(shows(old_set, "a"), drop);
    EXPECT_EQ(shows(old_set, "b"), drop);
    EXPECT_EQ(shows(new_set, "b"), forward);
    live(old_set, false);
    live(new_set, false);
    new_session(new_set);
    EXPECT_EQ(shows(new_set, "c"), forward);
    EXPECT_EQ(shows(new_set, "d", guild(8)), forward);
    EXPECT_EQ(went(), "a b c d");
    pass(1min);
    EXPECT_EQ(pair->stats().records, 0U);
    EXPECT_TRUE(pair->settled());
}

TEST_F(PairingSessions, AForgottenLeaderLeavesItsLanesToTheOtherSet) {
    start_acquainted();
    (void)shows(new_set, "a");
    (void)shows(old_set, "b", guild(2));

    forget(old_set);

    EXPECT_EQ(went(), "b a");
    EXPECT_EQ(shows(new_set, "b", guild(2)), drop);
    EXPECT_EQ(pair->preferred(), new_set);
}

TEST(PairingShards, WhatHasNoGuildComesToShardZero) {
    EXPECT_EQ(shard_of(guild(21), shard_count{16}), shard_id{5});
    EXPECT_EQ(shard_of(guild(21), shard_count{12}), shard_id{9});
    EXPECT_EQ(shard_of({lane_key::kind::channel, 21ULL << 22U}, shard_count{16}), shard_id{0});
    EXPECT_EQ(shard_of({lane_key::kind::shard, 0}, shard_count{16}), shard_id{0});
}

// ---- marks -------------------------------------------------------------------------------------

TEST_F(PairingMarks, AHeldEventIsSafeOnceItsTwinIs) {
    start_acquainted();
    (void)shows(new_set, "a");
    EXPECT_EQ(mark(new_set, 0), 1U) << "nothing of it has gone on";

    (void)shows(old_set, "a");

    EXPECT_EQ(mark(old_set, 0), 0U) << "that is delivery's to say";
    EXPECT_EQ(mark(new_set, 1), 1U);
    EXPECT_EQ(mark(new_set, 0), 0U);
}

TEST_F(PairingMarks, ADroppedEventIsSafeOnceItsTwinIs) {
    start_acquainted();
    (void)shows(old_set, "a");
    (void)shows(old_set, "b");
    (void)shows(new_set, "a");
    (void)shows(new_set, "b");

    EXPECT_EQ(mark(new_set, 1), 1U);
    EXPECT_EQ(mark(new_set, 2), 2U);
    EXPECT_EQ(mark(new_set, 3), 0U);
}

TEST_F(PairingMarks, TwinsAreLookedForOnTheirOwnShard) {
    settings.old_total = shard_count{1};
    settings.new_total = shard_count{2};
    start_acquainted();
    for (std::uint64_t g = 0; g < 4; ++g)
        (void)shows(old_set, "a", guild(g));  // seqs 1 to 4 of old 0
    for (std::uint64_t g = 0; g < 4; ++g)
        (void)shows(new_set, "a", guild(g));  // seqs 1, 2 of new 0 and of new 1
    EXPECT_EQ(mark(new_set, 4, 0), 0U);
    EXPECT_EQ(mark(new_set, 4, 1), 2U);

    prefer(new_set);
    (void)shows(new_set, "b", guild(1));  // seq 3 of new 1
    (void)shows(old_set, "b", guild(1));
    EXPECT_EQ(mark(old_set, 3, 0, 0), 0U);
}

TEST_F(PairingMarks, WhatWasReleasedIsDeliverysToSay) {
    start_acquainted();
    (void)shows(new_set, "a");
    prefer(new_set);
    EXPECT_EQ(mark(new_set, 1), 0U);
    (void)shows(old_set, "a");
    EXPECT_EQ(mark(old_set, 1), 1U);
}

TEST_F(PairingMarks, WhatNobodyWillSendOnIsSafe) {
    start_acquainted();
    (void)shows(new_set, "a");
    pass(settings.overlap * 3 / 2);
    EXPECT_EQ(pair->stats().expired, 1U);
    EXPECT_EQ(mark(new_set, 1), 0U);
}

TEST_F(PairingMarks, InALaneThatIsNotAlignedAnyEarlierEventMayBeTheTwin) {
    start();
    (void)shows(old_set, "x");
    (void)shows(new_set, "x");
    EXPECT_EQ(mark(new_set, 1), 1U);
    (void)shows(old_set, "#1");
    (void)shows(new_set, "#1");  // aligned: everything before it has met its twin
    EXPECT_EQ(mark(new_set, 1), 1U) << "which is not safe yet";
    EXPECT_EQ(mark(new_set, 3), 0U);
}

TEST_F(PairingMarks, SilenceThatAlignsDoesNotMakeSafeWhatIsNot) {
    start();
    (void)shows(old_set, "x");
    (void)shows(new_set, "x");
    pass(3 * settings.overlap);
    EXPECT_EQ(mark(new_set, 1), 1U);
    EXPECT_EQ(mark(new_set, 2), 0U);
}

TEST_F(PairingMarks, ANewSessionsSeqsBeginAnew) {
    start_acquainted();
    (void)shows(new_set, "a");
    (void)shows(new_set, "b");
    new_session(new_set);
    EXPECT_EQ(mark(new_set, 1), 0U);
    live(new_set, true);
    (void)shows(new_set, "c");
    EXPECT_EQ(mark(new_set, 1), 1U);
}

// ---- bounds ------------------------------------------------------------------------------------

TEST_F(PairingBounds, AtTheBoundOfRecordsTheFollowerStartsOver) {
    settings.records = 8;
    start_acquainted();
    std::string due;
    for (int i = 0; i < 100; ++i) {
        const std::string name = "n" + std::to_string(i);
        EXPECT_EQ(shows(old_set, name), forward);
        EXPECT_LE(pair->stats().records, settings.records);
        due += (i == 0 ? "" : " ") + name;
    }
    for (int i = 0; i < 100; ++i) {
        EXPECT_NE(shows(new_set, "n" + std::to_string(i)), forward);
        EXPECT_LE(pair->stats().records, settings.records);
    }
    EXPECT_EQ(went(), due);
    EXPECT_GT(pair->stats().started_over, 0U);

    prefer(new_set);
    pass(5 * settings.overlap);
    EXPECT_EQ(went(), "");
    EXPECT_EQ(shows(new_set, "z"), forward);
    EXPECT_TRUE(pair->settled());
}

TEST_F(PairingBounds, AtTheBoundOfBytesWhatIsHeldIsForgottenForTheLeaderShowsIt) {
    settings.held_bytes = 2000;
    start_acquainted();
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(shows(new_set, "n" + std::to_string(i)), hold);
        EXPECT_LE(pair->stats().held_bytes, settings.held_bytes);
    }
    EXPECT_GT(pair->stats().forgotten, 0U);
    for (int i = 0; i < 100; ++i)
        EXPECT_EQ(shows(old_set, "n" + std::to_string(i)), forward);
    (void)went();
    pass(1min);
    EXPECT_EQ(went(), "");
    EXPECT_EQ(pair->stats().held_bytes, 0U);
}

TEST_F(PairingBounds, OneLaneAtTheBoundDoesNotCostAnotherItsAlignment) {
    settings.records = 50;
    start_acquainted();
    (void)shows(new_set, "a", guild(2));
    for (int i = 0; i < 200; ++i)
        (void)shows(old_set, "n" + std::to_string(i), guild(1));
    (void)went();

    prefer(new_set);

    EXPECT_EQ(went(), "a");
}

TEST_F(PairingBounds, NoRecordsAtAllStillSendEverythingOnOnce) {
    settings.records = 0;
    settings.held_bytes = 0;
    start_acquainted();
    for (int i = 0; i < 20; ++i) {
        const std::string name = "#" + std::to_string(i);
        EXPECT_NE(shows(new_set, name), forward);
        EXPECT_EQ(shows(old_set, name), forward);
        EXPECT_EQ(pair->stats().records, 0U);
        EXPECT_EQ(pair->stats().held_bytes, 0U);
    }
}

}  // namespace
}  // namespace shardgate::testing
