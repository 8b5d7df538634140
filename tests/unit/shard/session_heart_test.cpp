// SPDX-License-Identifier: Apache-2.0
// Heartbeats on a live session, hostile frames, and the commands beside them.
#include <gtest/gtest.h>

#include "unit/shard/gateway_script.hpp"

namespace shardgate::test {
namespace {

const std::string url = "wss://resume.example";
const std::string voice = R"({"op":4,"d":{"guild_id":"11","channel_id":null}})";
const std::string idle = R"({"op":3,"d":{"status":"idle"}})";

TEST(SessionHeart, FirstBeatIsJitteredAndTheNextFollowAtTheInterval) {
    bool differs = false;
    duration first = 0s;
    for (std::uint64_t seed = 1; seed < 6; ++seed) {
        gateway_script g(test_settings(), seed);
        g.up_to_permit();
        const duration due = g.fsm().deadline() - g.now();
        EXPECT_LT(due, 41250ms);
        differs = differs || (seed > 1 && due != first);
        first = due;
        g.wait(due).expect_heartbeat(std::nullopt).ack();
        EXPECT_EQ(g.fsm().deadline(), g.now() + 41250ms);
    }
    EXPECT_TRUE(differs);
}

TEST(SessionHeart, NoAckAndNoFrameIsAZombieAndIsResumed) {
    gateway_script g;
    g.live("s1", 5).wait(41250ms).expect_heartbeat(5);
    g.wait(41250ms).expect_abort().expect_nothing();
    EXPECT_EQ(g.fsm().stats().zombies, 1U);
    g.drop().back_by_resume(url, "s1", 5);
}

TEST(SessionHeart, DispatchesWithoutAcksAreAZombieAfterTwoIntervals) {
    gateway_script g;
    g.live("s1", 5).wait(g.fsm().deadline() - g.now()).expect_heartbeat(5);
    g.wait(20s).dispatch(1).wait(21250ms).expect_heartbeat(6);
    g.dispatch(1).wait(41250ms).expect_abort();
    EXPECT_EQ(g.fsm().stats().zombies, 1U);
}

TEST(SessionHeart, AnsweredHeartbeatsGoOnForADay) {
    gateway_script g;
    g.live("s1", 5);
    for (int i = 0; i < 2000; ++i)
        g.wait(41250ms).expect_heartbeat(5).ack();
    EXPECT_EQ(g.fsm().stats().zombies, 0U);
    EXPECT_TRUE(g.fsm().latency().has_value());
}

TEST(SessionHeart, Op1IsAnsweredAtOnceWithoutMovingTheTimer) {
    gateway_script g;
    g.live("s1", 5);
    const time_point due = g.fsm().deadline();
    g.asks_heartbeat().expect_heartbeat(5);
    EXPECT_EQ(g.fsm().deadline(), due);
}

TEST(SessionHeart, AFloodOfOp1IsAnsweredWithinTheLimit) {
    gateway_script g;
    g.up_to_permit();
    for (int i = 0; i < 500; ++i)
        g.asks_heartbeat();
    EXPECT_EQ(g.fsm().stats().requests_ignored, 500U - 117U);
    g.forget().permit().expect_identify().ready("s1").expect_started("s1");
}

TEST(SessionHeart, Op1BeforeHelloIsNotAnswered) {
    gateway_script g;
    g.start().near().expect_enqueued(false).expect_connect("", false).opened();
    g.asks_heartbeat().expect_nothing();
    EXPECT_EQ(g.fsm().stats().requests_ignored, 1U);
}

TEST(SessionHeart, ASuspendedMachineTakesTheConnectionForAZombie) {
    gateway_script g;
    g.live("s1", 5);
    g.stall(g.fsm().deadline() - g.now() + 2 * 41250ms + 1ms).expect_abort();
    g.drop().back_by_resume(url, "s1", 5);
}

TEST(SessionHeart, AShortStallIsNoZombie) {
    gateway_script g;
    g.live("s1", 5).wait(41250ms).expect_heartbeat(5);
    g.stall(41250ms + 3s).expect_heartbeat(5).ack().wait(41250ms).expect_heartbeat(5);
    EXPECT_EQ(g.fsm().stats().zombies, 0U);
}

TEST(SessionHeart, UnknownOpsAndNamesDisturbNothing) {
    gateway_script g;
    g.live("s1", 5).op(12).op(40, "{}").op(2147483647).op(2).op(6).expect_nothing();
    EXPECT_EQ(g.fsm().stats().unknown_ops, 5U);
    g.event(6, "GUILD_JOIN_REQUEST_UPDATE", "{}").expect_delivered({6});
    g.hello().expect_nothing();
    EXPECT_EQ(g.fsm().stats().out_of_place, 1U);
}

TEST(SessionHeart, GarbageDropsTheConnectionAndResumes) {
    gateway_script g;
    g.live("s1", 5).frame("not json").expect_abort().drop();
    g.back_by_resume(url, "s1", 5);
    EXPECT_EQ(g.fsm().stats().bad_frames, 1U);
    g.broken_stream().expect_abort().broken_stream().expect_nothing();
}

TEST(SessionHeart, ADispatchWithoutASequenceIsGarbage) {
    gateway_script g;
    g.live("s1", 5);
    envelope e;
    e.op = 0;
    e.t = "MESSAGE_CREATE";
    scanner scan;
    session_actions out;
    EXPECT_FALSE(g.fsm().on_frame(e, scan, g.now(), out).deliver);
    ASSERT_EQ(out.size(), 1U);
    EXPECT_TRUE(std::holds_alternative<act::abort>(out[0]));
}

TEST(SessionCommands, WaitForTheLiveSessionAndGoInOrder) {
    gateway_script g;
    g.up_to_permit();
    EXPECT_TRUE(g.submit(voice, 4));
    EXPECT_TRUE(g.submit(R"({"op":43,"d":{"guild_id":"11","fields":[]}})", 43));
    g.expect_nothing().permit().expect_identify().expect_nothing();
    g.ready("s1").expect_started("s1");
    EXPECT_EQ(g.take_sent(4), voice);
    g.take_sent(43);
    EXPECT_EQ(g.fsm().stats().commands_sent, 2U);
}

TEST(SessionCommands, DoNotGoBeforeResumed) {
    gateway_script g;
    g.live("s1", 5).drop().expect_connect(url, true).opened().hello().expect_resume("s1", 5);
    EXPECT_TRUE(g.submit(voice, 4));
    g.event(6).expect_nothing().resumed(7).expect_resumed();
    g.take_sent(4);
}

TEST(SessionCommands, ABurstIsSpreadAndHeartbeatsGoBetween) {
    gateway_script g;
    g.live("s1", 5);
    for (int i = 0; i < 250; ++i)
        EXPECT_TRUE(g.submit(voice, 4));
    for (int i = 0; i < 116; ++i)
        g.take_sent(4);  // IDENTIFY was the first of the 117
    g.expect_nothing().wait(42s).expect_heartbeat(5).ack();
    g.wait(19s).ack();
    EXPECT_EQ(g.fsm().stats().commands_sent, 116U + 117U);
    g.wait(42s).ack().wait(20s);
    EXPECT_EQ(g.fsm().stats().zombies, 0U);
    EXPECT_EQ(g.fsm().stats().commands_sent, 250U);
    g.forget();
}

TEST(SessionCommands, TheQueueIsBounded) {
    gateway_script g;
    g.up_to_permit();
    for (int i = 0; i < 256; ++i)
        EXPECT_TRUE(g.submit(voice, 4));
    EXPECT_FALSE(g.submit(voice, 4));
    EXPECT_FALSE(g.submit("{\"op\":4,\"d\":{}}" + std::string(5000, ' '), 4));
    EXPECT_FALSE(g.submit("nonsense", 3));
    EXPECT_EQ(g.fsm().stats().commands_refused, 3U);
    g.stop().forget();
    EXPECT_FALSE(g.submit(voice, 4));
}

TEST(SessionCommands, TheLastPresenceTravelsWithLaterIdentifies) {
    gateway_script g;
    g.live("s1", 5);
    EXPECT_TRUE(g.submit(R"({"op":3,"d":{"status":"dnd"}})", 3));
    EXPECT_TRUE(g.submit(idle, 3));
    g.forget().closed(4009).expect_lost("s1", 5).expect_enqueued(false).near();
    g.expect_connect("", false).opened().hello().expect_ready_for_permit().permit();
    const std::string text = g.take_sent(2);
    EXPECT_NE(text.find(R"("presence":{"status":"idle"})"), std::string::npos) << text;
    g.take<act::identified>("identified");
    g.ready("s2").expect_started("s2").expect_nothing();
}

TEST(SessionCommands, APresenceTooLongForIdentifyIsSentAfterReady) {
    gateway_script g;
    const std::string head = R"({"op":3,"d":{"status":")";
    const std::string longest = head + std::string(4096 - head.size() - 3, 'x') + "\"}}";
    g.up_to_permit();
    EXPECT_TRUE(g.submit(longest, 3));
    g.permit();
    EXPECT_LE(g.take_sent(2).size(), max_outbound_bytes);
    g.take<act::identified>("identified");
    g.ready("s1").expect_started("s1");
    EXPECT_EQ(g.take_sent(3), longest);
    g.closed(4009).expect_lost("s1", 1).expect_enqueued(false).wait(6s).near();
    g.expect_connect("", false).opened().hello().expect_ready_for_permit().permit();
    g.take_sent(2);
    g.take<act::identified>("identified");
    g.ready("s2").expect_started("s2");
    EXPECT_EQ(g.take_sent(3), longest) << "though it was sent before, the new session lacks it";
}

TEST(SessionCommands, RateLimitedHoldsTheNextMemberList) {
    gateway_script g;
    g.live("s1", 5);
    const std::string ask = R"({"op":8,"d":{"guild_id":"11","query":"","limit":0}})";
    g.event(6, "RATE_LIMITED",
            R"({"opcode":8,"retry_after":50.5,"meta":{"guild_id":"11","nonce":"n"}})");
    EXPECT_TRUE(g.submit(ask, 8));
    g.wait(25s).ack().wait(25s).forget().wait(499ms).expect_nothing().wait(1ms);
    g.take_sent(8);
}

TEST(SessionCommands, ARateLimitedThatSaysNothingUsefulHoldsNothing) {
    gateway_script g;
    g.live("s1", 5);
    g.event(6, "RATE_LIMITED", R"({"opcode":31,"retry_after":50,"meta":{"guild_id":"11"}})");
    g.event(7, "RATE_LIMITED", R"({"opcode":8,"retry_after":"x","meta":{"guild_id":"11"}})");
    g.event(8, "RATE_LIMITED", R"({"opcode":8,"retry_after":-1e300,"meta":{"guild_id":"11"}})");
    g.event(9, "RATE_LIMITED",
            R"({"opcode":8,"retry_after":9,"meta":{"guild_id":"11"},"x":")" +
                std::string(5000, 'x') + R"("})");
    g.expect_delivered({6, 7, 8, 9});
    EXPECT_TRUE(g.submit(R"({"op":8,"d":{"guild_id":"11","query":"","limit":0}})", 8));
    g.take_sent(8);
}

TEST(SessionCommands, AfterA4008TheSenderIsSlower) {
    gateway_script g;
    g.live("s1", 5).closed(4008).wait(6s).expect_connect(url, true).opened().hello();
    g.expect_resume("s1", 5).resumed(6).expect_resumed();
    for (int i = 0; i < 100; ++i)
        EXPECT_TRUE(g.submit(voice, 4));
    EXPECT_EQ(g.fsm().stats().commands_sent, 57U);
    g.forget();
}

}  // namespace
}  // namespace shardgate::test
