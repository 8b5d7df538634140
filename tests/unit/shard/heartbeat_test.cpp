// SPDX-License-Identifier: Apache-2.0
#include "shardgate/shard/heartbeat.hpp"

#include <gtest/gtest.h>

namespace shardgate {
namespace {

using namespace std::chrono_literals;

constexpr time_point t0{1h};
constexpr duration interval = 40s;

heartbeat started(double jitter = 0.5) {
    heartbeat h;
    h.start(t0, interval, jitter);
    return h;
}

TEST(Heartbeat, FirstBeatIsDueAfterTheJittersShareOfTheInterval) {
    heartbeat h = started(0.25);
    EXPECT_EQ(h.deadline(), t0 + 10s);
    EXPECT_EQ(h.poll(t0 + 10s - 1ns), beat::wait);
    EXPECT_EQ(h.poll(t0 + 10s), beat::send);
    EXPECT_EQ(h.deadline(), t0 + 50s);
}

TEST(Heartbeat, SilenceForOneIntervalIsDeath) {
    heartbeat h = started();
    EXPECT_EQ(h.poll(t0 + 20s), beat::send);
    EXPECT_EQ(h.poll(t0 + 60s), beat::dead);
}

TEST(Heartbeat, AnyFrameSinceTheBeatIsLife) {
    heartbeat h = started();
    EXPECT_EQ(h.poll(t0 + 20s), beat::send);
    h.on_receive();
    EXPECT_EQ(h.poll(t0 + 60s), beat::send);
}

TEST(Heartbeat, FramesWithoutAnAckForTwoIntervalsAreDeath) {
    heartbeat h = started();
    EXPECT_EQ(h.poll(t0 + 20s), beat::send);
    h.on_receive();
    EXPECT_EQ(h.poll(t0 + 60s), beat::send);
    h.on_receive();
    EXPECT_EQ(h.poll(t0 + 100s), beat::dead);
}

TEST(Heartbeat, AnAckStartsTheCountAnew) {
    heartbeat h = started();
    for (time_point t = t0 + 20s; t < t0 + 1h; t += interval) {
        ASSERT_EQ(h.poll(t), beat::send);
        h.on_receive();
        h.on_ack(t + 90ms);
    }
    EXPECT_EQ(h.latency(), duration(90ms));
}

TEST(Heartbeat, ARequestedBeatMovesNoTimerAndCondemnsNobody) {
    heartbeat h = started();
    h.on_requested(t0 + 1s);
    EXPECT_EQ(h.deadline(), t0 + 20s);
    EXPECT_EQ(h.poll(t0 + 20s), beat::send) << "its ACK is missing, but it was not the timer's";
}

TEST(Heartbeat, ALateTimerDoesNotTakeAnUnreadAckForAMissingOne) {
    heartbeat h = started();
    EXPECT_EQ(h.poll(t0 + 20s), beat::send);
    EXPECT_EQ(h.poll(t0 + 60s + 2s), beat::send) << "our loop was held up, the ACK may be unread";
    EXPECT_EQ(h.poll(t0 + 102s), beat::dead);
}

TEST(Heartbeat, MoreThanTwoIntervalsLateIsASuspendedMachine) {
    heartbeat h = started();
    EXPECT_EQ(h.poll(t0 + 20s + 80s), beat::send);
    EXPECT_EQ(h.poll(t0 + 100s + 40s + 80s + 1ns), beat::dead);
}

TEST(Heartbeat, AStalledLoopDoesNotBurst) {
    heartbeat h = started();
    EXPECT_EQ(h.poll(t0 + 90s), beat::send);
    EXPECT_EQ(h.deadline(), t0 + 130s);
}

TEST(Heartbeat, StoppedItWaitsForEverAndKeepsItsLatency) {
    heartbeat h = started();
    EXPECT_EQ(h.latency(), std::nullopt);
    EXPECT_EQ(h.poll(t0 + 20s), beat::send);
    h.on_ack(t0 + 21s);
    h.stop();
    EXPECT_EQ(h.deadline(), never);
    EXPECT_EQ(h.poll(t0 + 24h), beat::wait);
    EXPECT_EQ(h.latency(), duration(1s));
}

}  // namespace
}  // namespace shardgate
