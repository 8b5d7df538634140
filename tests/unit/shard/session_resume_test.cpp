// SPDX-License-Identifier: Apache-2.0
// After a loss: resume URL, generic URL, IDENTIFY; sequence numbers; close codes; op 7 and op 9.
#include <gtest/gtest.h>

#include <functional>

#include "unit/shard/gateway_script.hpp"

namespace shardgate::test {
namespace {

const std::string url = "wss://resume.example";

struct code_case {
    close_code code;
    close_action then;
};

class SessionCloseCode : public testing::TestWithParam<code_case> {};

TEST_P(SessionCloseCode, WhileLiveDoesWhatTheTableSays) {
    const auto [code, then] = GetParam();
    gateway_script g;
    g.live("s1", 7).wait(30s).forget().closed(code);
    EXPECT_EQ(g.fsm().last_close(), code);
    switch (then) {
    case close_action::resume:
        if (code == 4008) g.expect_nothing().wait(6s);
        g.back_by_resume(url, "s1", 7);
        EXPECT_EQ(g.fsm().stats().identifies, 1U);
        break;
    case close_action::identify:
        g.expect_lost("s1", 7).expect_enqueued(false).expect_nothing();
        EXPECT_FALSE(g.fsm().session());
        break;
    case close_action::park_shard:
        g.expect_lost("s1", 7);
        EXPECT_EQ(g.take<act::park>("park").code, code);
        g.wait(24h).expect_nothing().expect_state(shard_state::parked);
        break;
    case close_action::stop_bot:
        EXPECT_EQ(g.take<act::stop_bot>("stop_bot").code, code);
        g.wait(24h).expect_nothing().expect_state(shard_state::parked);
        EXPECT_TRUE(g.fsm().session()) << "4004 is confirmed first: the session may live";
        break;
    }
}

TEST_P(SessionCloseCode, AfterIdentifyNeverTriesToResume) {
    const auto [code, then] = GetParam();
    gateway_script g;
    g.up_to_permit().permit().expect_identify().closed(code);
    switch (then) {
    case close_action::resume:
    case close_action::identify: g.expect_enqueued(false).expect_nothing(); break;
    case close_action::park_shard: g.take<act::park>("park"); break;
    case close_action::stop_bot: g.take<act::stop_bot>("stop_bot"); break;
    }
    g.expect_nothing();
}

INSTANTIATE_TEST_SUITE_P(
    Table, SessionCloseCode,
    testing::Values(code_case{0, close_action::resume}, code_case{1000, close_action::resume},
                    code_case{1001, close_action::resume}, code_case{1005, close_action::resume},
                    code_case{1006, close_action::resume}, code_case{1011, close_action::resume},
                    code_case{1012, close_action::resume}, code_case{4000, close_action::resume},
                    code_case{4001, close_action::resume}, code_case{4002, close_action::resume},
                    code_case{4003, close_action::resume}, code_case{4004, close_action::stop_bot},
                    code_case{4005, close_action::resume}, code_case{4006, close_action::resume},
                    code_case{4007, close_action::identify}, code_case{4008, close_action::resume},
                    code_case{4009, close_action::identify},
                    code_case{4010, close_action::park_shard},
                    code_case{4011, close_action::park_shard},
                    code_case{4012, close_action::stop_bot},
                    code_case{4013, close_action::stop_bot},
                    code_case{4014, close_action::stop_bot}, code_case{4999, close_action::resume}),
    [](const auto& c) { return "code" + std::to_string(c.param.code); });

TEST(SessionResume, ReplaysAreDeliveredOnceInOrder) {
    gateway_script g;
    g.live("s1", 5).drop().expect_connect(url, true).opened().hello().expect_resume("s1", 5);
    g.expect_state(shard_state::resuming);
    g.event(4).event(5).event(6).event(7).expect_delivered({6, 7});
    g.resumed(8).expect_resumed().expect_delivered({8}).event(9).expect_delivered({9});
    EXPECT_EQ(g.fsm().stats().replayed_twice, 2U);
    EXPECT_EQ(g.fsm().session()->seq, seq_no{9});
}

TEST(SessionResume, ResumedWithoutASeqOfItsOwnStillEndsTheReplay) {
    gateway_script g;
    g.live("s1", 5).drop().expect_connect(url, true).opened().hello().expect_resume("s1", 5);
    g.event(6).resumed(6).expect_resumed().expect_state(shard_state::ready);
}

TEST(SessionResume, AGapInTheSequenceIsNoError) {
    gateway_script g;
    g.live("s1", 5).event(1000).event(7).expect_delivered({1000});
    EXPECT_EQ(g.fsm().session()->seq, seq_no{1000});
}

TEST(SessionResume, ANewSessionCountsAnew) {
    gateway_script g;
    g.live("s1", 500).closed(4009).expect_lost("s1", 500).expect_enqueued(false);
    g.near().expect_connect("", false).opened().hello().expect_ready_for_permit();
    g.wait(41250ms).expect_heartbeat(std::nullopt).ack();
    g.permit().expect_identify().ready("s2").expect_started("s2").dispatch(2);
    g.expect_delivered({1, 2, 3});
    EXPECT_EQ(g.fsm().session()->session_id, "s2");
}

TEST(SessionResume, ASecondReadyOnASessionIsNotDelivered) {
    gateway_script g;
    g.live("s1", 5).ready("s9").expect_delivered({}).expect_nothing();
    EXPECT_EQ(g.fsm().session()->session_id, "s1");
    g.event(6, "READY", R"({"session_id":"s9"})").expect_delivered({});
    EXPECT_EQ(g.fsm().stats().out_of_place, 1U);
}

TEST(SessionResume, DeadResumeUrlFallsBackToTheGenericOneAndKeepsTheSession) {
    gateway_script g;
    g.live("s1", 5).drop().expect_connect(url, true);
    g.fails_to_open().wait(2s).expect_connect(url, true);
    g.fails_to_open().wait(4s).expect_connect("", true);
    g.opened().hello().expect_resume("s1", 5).resumed(6).expect_resumed();
    g.wait(10s).forget().drop().expect_connect(url, true);
}

TEST(SessionResume, WithNoNetworkAtAllTheSessionIsNotGivenUp) {
    gateway_script g;
    g.live("s1", 5).drop();
    for (int i = 0; i < 50; ++i) {
        g.take<act::connect>("connect");
        g.fails_to_open().wait(61s);
    }
    g.expect_connect("", true).opened().hello().expect_resume("s1", 5);
    EXPECT_EQ(g.fsm().stats().identifies, 1U);
}

TEST(SessionResume, AttemptsThatOpenButNeverResumeEndInIdentify) {
    gateway_script g;
    g.live("s1", 5).drop();
    for (int i = 0; i < 6; ++i) {
        g.expect_connect(i < 2 ? url : "", true).opened().hello().expect_resume("s1", 5).drop();
        if (i < 5) g.wait(61s);
    }
    g.expect_lost("s1", 5).expect_enqueued(false).expect_nothing();
}

TEST(SessionResume, ReplayMayTakeLongButNotBeSilent) {
    gateway_script g;
    g.live("s1", 5).drop().expect_connect(url, true).opened().hello(10min).expect_resume("s1", 5);
    for (std::uint64_t s = 6; s < 20; ++s)
        g.wait(59s).forget().ack().event(s);
    g.forget().ack();  // an ACK is no progress
    g.wait(60s);
    EXPECT_TRUE(g.rules().ending());
    g.forget().drop().wait(1s).expect_connect(url, true);
}

TEST(SessionResume, Op7ResumesAtOnce) {
    gateway_script g;
    g.live("s1", 5).wait(10s).forget().asks_reconnect().expect_close().expect_nothing();
    g.event(6).expect_delivered({});  // replayed later
    g.closed(4200).back_by_resume(url, "s1", 5);
    EXPECT_EQ(g.fsm().stats().reconnects_asked, 1U);
}

TEST(SessionResume, Op7InsteadOfHelloOrBeforeReadyConnectsAgain) {
    gateway_script g;
    g.start().near().expect_enqueued(false).expect_connect("", false).opened();
    g.asks_reconnect().expect_close().closed(4200).expect_enqueued(true);
    g.near().wait(1s).expect_connect("", false).opened().hello().expect_ready_for_permit();
    g.permit().expect_identify().asks_reconnect().expect_close().closed(4200);
    g.expect_enqueued(false).expect_nothing();
}

TEST(SessionResume, Op7InsteadOfHelloWhileResumingTriesAgain) {
    gateway_script g;
    g.live("s1", 5).drop().expect_connect(url, true).opened().asks_reconnect().expect_close();
    g.closed(4200).wait(1s).expect_connect(url, true);
}

TEST(SessionResume, Op9TrueResumesAfterOneToFiveSeconds) {
    gateway_script g;
    g.live("s1", 5).wait(10s).forget().invalid(true).expect_close().closed(4200);
    g.wait(1s - 1ns).expect_nothing();
    g.wait(4s + 1ns).back_by_resume(url, "s1", 5);
}

TEST(SessionResume, Op9FalseForgetsTheSessionAndIdentifiesAfterTheWait) {
    gateway_script g;
    g.live("s1", 5).wait(10s).forget().invalid(false).expect_lost("s1", 5).expect_close();
    g.closed(4200).expect_enqueued(false).near().wait(1s - 1ns).expect_nothing();
    g.wait(4s + 1ns).expect_connect("", false);
    EXPECT_EQ(g.fsm().stats().invalid_sessions, 1U);
}

TEST(SessionResume, Op9FalseInAnswerToResume) {
    gateway_script g;
    g.live("s1", 5).drop().expect_connect(url, true).opened().hello().expect_resume("s1", 5);
    g.invalid(false).expect_lost("s1", 5).expect_close().closed(4200).expect_enqueued(false);
}

TEST(SessionResume, Op9InAnswerToIdentifyGoesThroughTheQueueAgain) {
    for (const bool resumable : {true, false}) {
        gateway_script g;
        g.up_to_permit().permit().expect_identify().invalid(resumable).expect_close();
        g.closed(4200).expect_enqueued(false).near();
        g.wait(999ms).expect_nothing().wait(4001ms).expect_connect("", false);
    }
}

TEST(SessionResume, IdentifiesThatFailInARowGetRarer) {
    gateway_script g;
    g.up_to_permit();
    duration last = 0s;
    for (int i = 0; i < 14; ++i) {
        g.permit().expect_identify().closed(4000).expect_enqueued(false).near();
        const time_point closed = g.now();
        while (!g.rules().linked())
            g.wait(1s);
        last = g.now() - closed;
        g.expect_connect("", false).opened().hello().expect_ready_for_permit();
    }
    EXPECT_GE(last, 299s) << "every IDENTIFY costs a session start";
}

TEST(SessionResume, AGatewayThatResumesAndDropsIsNotHammered) {
    gateway_script g;
    g.live("s1", 1).wait(10s).forget();
    const time_point begin = g.now();
    std::uint64_t s = 2;
    for (int i = 0; i < 10; ++i) {
        g.drop();
        while (!g.rules().linked())
            g.wait(100ms);
        g.take<act::connect>("connect");
        g.opened().hello().forget().resumed(s++).expect_resumed();
    }
    EXPECT_GT(g.now() - begin, 60s);
}

TEST(SessionResume, AFatalCodeWhileWeAreClosingCounts) {
    gateway_script g;
    g.live("s1", 5).asks_reconnect().expect_close().closed(4004);
    EXPECT_EQ(g.take<act::stop_bot>("stop_bot").code, 4004);
    g.expect_nothing();
}

TEST(SessionResume, FailuresToConnectBackOffUpToTheMaximum) {
    gateway_script g;
    g.live("s1", 5).drop().expect_connect(url, true);
    duration longest = 0s;
    for (int i = 0; i < 20; ++i) {
        g.fails_to_open();
        const time_point failed = g.now();
        while (!g.rules().linked())
            g.wait(100ms);
        longest = std::max(longest, g.now() - failed);
        g.forget();
    }
    EXPECT_GE(longest, 30s);
    EXPECT_LE(longest, 61s);
}

TEST(SessionResume, HeartbeatsAndResumeCarryTheSafeSeq) {
    gateway_script g;
    g.live("s1", 20).wait(41250ms);
    g.expect_heartbeat(20).ack();
    g.fsm().set_safe(seq_no{12});
    g.wait(41250ms).expect_heartbeat(12).ack();
    g.drop().expect_connect(url, true).opened().hello().expect_resume("s1", 12);
    g.event(13).event(20).expect_delivered({}).event(21).expect_delivered({21});
}

TEST(SessionResume, TheSafeSeqIsNeverAboveTheReceivedNorBelowReady) {
    gateway_script g;
    g.live("s1", 20);
    g.fsm().set_safe(seq_no{9000});
    g.wait(41250ms).expect_heartbeat(20).ack();
    g.fsm().set_safe(seq_no{0});
    g.wait(41250ms).expect_heartbeat(1).ack();
    g.drop().expect_connect(url, true).opened().hello().expect_resume("s1", 1);
}

TEST(SessionResume, AnOldSafeSeqDoesNotSpeakForANewSession) {
    gateway_script g;
    g.live("s1", 500);
    g.fsm().set_safe(seq_no{400});
    g.closed(4009).expect_lost("s1", 500).expect_enqueued(false).near().expect_connect("", false);
    g.opened().hello().expect_ready_for_permit().permit().expect_identify().ready("s2");
    g.expect_started("s2").dispatch(600).forget().wait(41250ms).expect_heartbeat(1);
}

TEST(SessionResume, AShardThatWasStillLoadingLoadsOnAfterTheResume) {
    gateway_script g;
    g.up_to_permit().permit().expect_identify().ready("s1").expect_started("s1").drop();
    g.expect_connect(url, true).opened().hello().expect_resume("s1", 1).resumed(2).expect_resumed();
    g.expect_state(shard_state::loading);
    g.fsm().on_guilds_loaded();
    g.expect_state(shard_state::ready);
}

TEST(SessionReconnect, AnOperatorCanResumeOrStartAfresh) {
    gateway_script g;
    g.live("s1", 5).operator_reconnects(false).expect_close().closed(4200);
    g.back_by_resume(url, "s1", 5).forget();
    g.operator_reconnects(true).expect_lost("s1", 6).expect_close().closed(4200);
    g.expect_enqueued(false, true).near().expect_connect("", false).opened().hello();
    g.expect_ready_for_permit().permit().expect_identify().closed(4000);
    g.expect_enqueued(false, false);  // a second IDENTIFY is not what was asked for
}

TEST(SessionReconnect, WakesAParkedShard) {
    gateway_script g;
    g.up_to_permit().permit().expect_identify().closed(4010);
    g.take<act::park>("park");
    g.operator_reconnects(false).expect_enqueued(false).expect_state(shard_state::connecting);

    gateway_script h;
    h.live("s1", 5).closed(4004);
    h.take<act::stop_bot>("stop_bot");
    h.operator_reconnects(false).expect_connect(url, true);
}

TEST(SessionReconnect, CutsABackoffShort) {
    gateway_script g;
    g.live("s1", 5).drop().expect_connect(url, true).fails_to_open().expect_nothing();
    g.operator_reconnects(false).expect_connect(url, true).fails_to_open().expect_nothing();
    g.operator_reconnects(true).expect_lost("s1", 5).expect_enqueued(false, true).near();
    g.expect_connect("", false).fails_to_open().expect_enqueued(true, true).near().expect_nothing();
    g.operator_reconnects(true).expect_enqueued(true, true).expect_connect("", false);
    g.operator_reconnects(false).expect_abort().fails_to_open().expect_enqueued(false, true);
}

TEST(SessionReconnect, WhileQueuedAddsTheRightToTheReserve) {
    gateway_script g;
    g.start().expect_enqueued(false).operator_reconnects(false).expect_nothing();
    g.operator_reconnects(true).expect_enqueued(true, true).near().expect_connect("", false);
}

TEST(SessionReconnect, DuringACloseChangesOnlyWhatFollows) {
    gateway_script g;
    g.live("s1", 5).asks_reconnect().expect_close().operator_reconnects(true).expect_lost("s1", 5);
    g.closed(4200).expect_enqueued(false, true);
}

// Every step of a life in turn is the one where the connection breaks; the machine must come back
// to ready each time, with no event twice.
TEST(SessionResume, SurvivesALossAtEachStep) {
    using step = std::function<void(gateway_script&)>;
    const std::vector<step> life = {
        [](auto& g) { g.opened(); },    [](auto& g) { g.hello(); },
        [](auto& g) { g.permit(); },    [](auto& g) { g.ready("s1"); },
        [](auto& g) { g.dispatch(3); }, [](auto& g) { g.asks_reconnect(); },
    };
    const std::vector<step> faults = {
        [](auto& g) { g.drop(); },
        [](auto& g) { g.closed(4000); },
        [](auto& g) { g.closed(4009); },
        [](auto& g) { g.broken_stream(); },
        [](auto& g) { g.frame("{\"op\":"); },
        [](auto& g) { g.invalid(false); },
        [](auto& g) { g.invalid(true); },
        [](auto& g) { g.asks_reconnect(); },
        [](auto& g) { g.stall(1h); },
    };
    for (std::size_t fault = 0; fault < faults.size(); ++fault) {
        for (std::size_t at = 0; at <= life.size(); ++at) {
            SCOPED_TRACE("fault " + std::to_string(fault) + " before step " + std::to_string(at));
            gateway_script g;
            g.start().near();
            for (std::size_t i = 0; i < at; ++i)
                life[i](g);
            faults[fault](g);
            g.forget();
            if (g.rules().ending()) g.closed(4200);
            for (int i = 0; i < 200 && g.fsm().state() != shard_state::loading; ++i) {
                g.near().wait(1s);
                if (g.rules().ending()) g.closed(4200);
                if (g.rules().linked()) {
                    const bool resuming = g.fsm().session().has_value();
                    g.opened().hello().near().permit();
                    if (resuming)
                        g.resumed(100 + static_cast<std::uint64_t>(i));
                    else
                        g.ready("s2");
                }
            }
            g.expect_state(shard_state::loading).forget();
        }
    }
}

}  // namespace
}  // namespace shardgate::test
