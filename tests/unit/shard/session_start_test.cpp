// SPDX-License-Identifier: Apache-2.0
// From nothing to ready: the identify queue, HELLO, IDENTIFY, READY; stopping and restarting.
#include <gtest/gtest.h>

#include "unit/shard/gateway_script.hpp"

namespace shardgate::test {
namespace {

TEST(SessionStart, ColdStartWaitsItsTurnUnconnectedAndIdentifiesAfterHello) {
    gateway_script g;
    g.expect_state(shard_state::idle);
    g.start().expect_enqueued(false).expect_nothing().expect_state(shard_state::connecting);
    EXPECT_EQ(g.fsm().deadline(), never);
    g.near().expect_connect("", false).opened().expect_nothing();
    g.hello().expect_ready_for_permit().expect_nothing().expect_state(shard_state::identifying);
    g.permit().expect_identify().expect_nothing();
    g.ready("s1").expect_started("s1").expect_state(shard_state::loading).expect_delivered({1});
    ASSERT_NE(g.verdict().ready, nullptr);
    EXPECT_EQ(g.verdict().ready->guilds, std::vector<snowflake>{snowflake{11}});
    g.fsm().on_guilds_loaded();
    g.expect_state(shard_state::ready);
    EXPECT_EQ(g.fsm().session()->resume_url, "wss://resume.example");
    EXPECT_EQ(g.fsm().stats().identifies, 1U);
}

TEST(SessionStart, AStoredSessionResumesWithoutTheQueue) {
    gateway_script g;
    g.start(session_record{"old", "wss://r.example", seq_no{41}})
        .expect_connect("wss://r.example", true)
        .expect_state(shard_state::resuming)
        .opened()
        .hello()
        .expect_resume("old", 41)
        .event(42)
        .event(43)
        .expect_delivered({42, 43})
        .resumed(44)
        .expect_resumed()
        .expect_delivered({44})
        .expect_state(shard_state::ready);
    EXPECT_EQ(g.fsm().stats().identifies, 0U);
}

TEST(SessionStart, AStoredRecordWithoutASessionIdIsNone) {
    gateway_script g;
    g.start(session_record{}).expect_enqueued(false);
    EXPECT_FALSE(g.fsm().session());
}

TEST(SessionStart, AStoredSessionWithoutAUrlResumesOnTheGenericOne) {
    gateway_script g;
    g.start(session_record{"old", "", seq_no{5}}).expect_connect("", true);
}

TEST(SessionStart, HeartbeatsRunWhileWaitingForThePermit) {
    gateway_script g;
    g.up_to_permit();
    for (int i = 0; i < 10; ++i) {
        g.wait(41250ms).expect_heartbeat(std::nullopt).ack();
    }
    g.permit().expect_identify();
}

TEST(SessionStart, ConnectionLostWhileWaitingKeepsThePlaceOnceThenGoesToTheBack) {
    gateway_script g;
    g.up_to_permit();
    g.drop().expect_not_ready_for_permit().expect_enqueued(true).expect_nothing();
    g.near().expect_nothing();  // the backoff is not over
    g.wait(2s).expect_connect("", false);
    g.fails_to_open().expect_enqueued(false).wait(10s).expect_nothing();
    g.near().expect_connect("", false);
    g.opened().drop().expect_enqueued(true);
    g.wait(1min).near().expect_connect("", false).opened().hello().expect_ready_for_permit();
    EXPECT_EQ(g.fsm().stats().identifies, 0U);
}

TEST(SessionStart, APermitThatComesTooLateIsGivenBack) {
    gateway_script g;
    g.up_to_permit().drop().expect_not_ready_for_permit().expect_enqueued(true);
    g.permit().expect_not_ready_for_permit();
    g.stop().expect_left_queue();
    g.permit().expect_left_queue();
    g.near().expect_left_queue();
    EXPECT_EQ(g.fsm().stats().identifies, 0U);
}

TEST(SessionStart, TurnNearWhileConnectedRenewsTheReadiness) {
    gateway_script g;
    g.up_to_permit().near().expect_ready_for_permit();
    g.permit().expect_identify();
}

TEST(SessionStart, NoHelloInTimeIsADeadPeer) {
    gateway_script g;
    g.start().near().expect_enqueued(false).expect_connect("", false).opened();
    g.wait(30s - 1ns).expect_nothing();
    g.wait(1ns).expect_abort();
    g.drop().expect_enqueued(true);
}

TEST(SessionStart, HelloWithoutASaneIntervalIsGarbage) {
    for (const char* d : {"{}", "null", R"({"heartbeat_interval":0})",
                          R"({"heartbeat_interval":-5})", R"({"heartbeat_interval":"x"})"}) {
        gateway_script g;
        g.start().near().expect_enqueued(false).expect_connect("", false).opened();
        g.op(10, d).expect_abort();
        EXPECT_EQ(g.fsm().stats().bad_frames, 1U) << d;
    }
}

TEST(SessionStart, AnAbsurdIntervalIsBroughtIntoReason) {
    gateway_script g;
    g.start().near().expect_enqueued(false).expect_connect("", false).opened();
    g.op(10, R"({"heartbeat_interval":86400000})").expect_ready_for_permit();
    g.wait(2min).expect_heartbeat(std::nullopt);
}

TEST(SessionStart, NoReadyInTimeIdentifiesAgainAndWaitsLongerEachTime) {
    gateway_script g;
    g.up_to_permit().permit().expect_identify();
    duration timeout = 120s;
    for (int failures = 0; failures < 6; ++failures) {
        const time_point sent = g.now();
        while (g.rules().linked() && !g.rules().ending()) {
            g.wait(1s).ack();
            ASSERT_LT(g.now() - sent, 1h);
        }
        EXPECT_EQ(g.now() - sent, timeout) << failures;
        g.forget().drop().expect_enqueued(false).near();
        g.wait(11min).expect_connect("", false).opened().hello().expect_ready_for_permit();
        g.permit().expect_identify();
        timeout = std::min<duration>(timeout * 2, 16 * 120s);
    }
    g.forget();
    EXPECT_EQ(g.fsm().stats().identifies, 7U);
}

TEST(SessionStart, GarbageInsteadOfReadyIsDroppedAndIdentifiedAgain) {
    gateway_script g;
    g.up_to_permit().permit().expect_identify();
    g.frame(R"({"t":"READY","s":1,"op":0,"d":{"guilds":[]}})").expect_abort();
    g.drop().expect_enqueued(false);
    EXPECT_EQ(g.fsm().stats().bad_frames, 1U);
    EXPECT_EQ(g.fsm().stats().readies, 0U);
}

TEST(SessionStart, DispatchesBeforeReadyAreNotDelivered) {
    gateway_script g;
    g.up_to_permit().event(1).expect_delivered({});
    g.permit().expect_identify().event(1).expect_delivered({});
    g.ready("s1").expect_started("s1").expect_delivered({1});
    EXPECT_EQ(g.fsm().stats().out_of_place, 2U);
}

TEST(SessionStart, StopWhileLiveClosesResumablyAndKeepsTheSession) {
    gateway_script g;
    g.live("s1", 9).stop(close_to_resume).expect_close(close_to_resume);
    g.expect_state(shard_state::idle).closed(close_to_resume).expect_nothing();
    EXPECT_EQ(g.fsm().deadline(), never);
    EXPECT_EQ(g.fsm().session()->seq, seq_no{9});
}

TEST(SessionStart, StopForGoodForgetsTheSession) {
    gateway_script g;
    g.live().stop(close_for_good).expect_close(close_for_good).closed(close_for_good);
    EXPECT_FALSE(g.fsm().session());
}

TEST(SessionStart, StopBeforeAnythingIsOpenLeavesTheQueue) {
    gateway_script g;
    g.start().expect_enqueued(false).stop().expect_left_queue().expect_state(shard_state::idle);
    g.start().expect_enqueued(false).near().expect_connect("", false);
    g.stop().expect_abort().expect_left_queue().fails_to_open().expect_nothing();
    g.expect_state(shard_state::idle).stop().expect_nothing();
}

TEST(SessionStart, StopDuringACloseOrABackoffEndsThere) {
    gateway_script g;
    g.live().asks_reconnect().expect_close().stop().closed(4200).expect_nothing();
    g.expect_state(shard_state::idle);

    gateway_script h;
    h.start(session_record{"a", "wss://r", seq_no{1}}).expect_connect("wss://r", true);
    h.fails_to_open().stop().wait(1h).expect_nothing().expect_state(shard_state::idle);
}

TEST(SessionStart, StartsOnceAndCanStartAgainAfterAStop) {
    gateway_script g;
    g.live("s1", 3).start().expect_nothing();
    g.stop().expect_close().closed(4200);
    g.start(g.fsm().session()).expect_connect("wss://resume.example", true);
    g.opened().hello().expect_resume("s1", 3);
}

TEST(SessionStart, StateSinceMovesWithTheState) {
    gateway_script g;
    g.start().expect_enqueued(false).wait(5s).near().expect_connect("", false).opened().wait(1s);
    EXPECT_EQ(g.fsm().state_since(), g.now() - 6s);
    g.hello().expect_ready_for_permit();
    EXPECT_EQ(g.fsm().state_since(), g.now());
}

TEST(SessionStart, EventsOutOfTurnChangeNothing) {
    gateway_script g;
    g.opened().drop().timer().ack().invalid(false).broken_stream().near().expect_left_queue();
    g.operator_reconnects(true).operator_reconnects(false).expect_nothing();
    g.expect_state(shard_state::idle);
    EXPECT_FALSE(g.submit(R"({"op":3,"d":{}})", 3));
}

}  // namespace
}  // namespace shardgate::test
