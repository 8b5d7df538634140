// SPDX-License-Identifier: Apache-2.0
// Sessions over connections: sequence numbers, replay, resume (Discord fact sheet S19 to S21).
#include "sim/gateway.hpp"

#include <gtest/gtest.h>

#include "unit/sim/sim_fixture.hpp"

namespace shardgate::sim {
namespace {

using namespace testing;

std::uint64_t seq_of(const std::string& frame) {
    return json::parse(frame).at("s").to_number<std::uint64_t>();
}
std::string name_of_frame(const std::string& frame) {
    return std::string(json::parse(frame).at("t").as_string());
}

TEST(GatewayResume, SeqGoesUpByOneAndContinuesOverAResume) {
    bench b;
    auto c = b.connect();
    const std::string id = b.ready(*c, 0, 1);
    b.p->events.happen(event_kind::typing, 0, b.now);
    const auto live = b.take(*c);
    ASSERT_EQ(live.size(), 1U);
    const std::uint64_t last = seq_of(live.back());
    EXPECT_EQ(last, 42U);  // READY, 40 guilds, this

    b.hang_up(*c);
    for (int i = 0; i < 3; ++i)
        b.p->events.happen(event_kind::typing, 1, b.now);
    c = b.connect();
    b.resume(*c, id, last);
    const auto replay = b.take(*c);

    ASSERT_EQ(replay.size(), 4U);
    for (std::size_t i = 0; i < 4; ++i)
        EXPECT_EQ(seq_of(replay[i]), last + 1 + i);
    EXPECT_EQ(name_of_frame(replay[0]), "TYPING_START");
    EXPECT_EQ(name_of_frame(replay[3]), "RESUMED");
}

TEST(GatewayResume, AReplayIsByteForByteWhatWasSent) {
    bench b;
    auto c = b.connect();
    b.identify(*c, 0, 1);
    auto before = b.take(*c);
    b.p->gate.tick(b.now.at);
    for (auto& frame : b.take(*c))
        before.push_back(std::move(frame));
    const std::string id(json::parse(before[0]).at("d").at("session_id").as_string());
    b.hang_up(*c, 4200);
    c = b.connect();
    b.resume(*c, id, 0);
    auto again = b.take(*c);
    ASSERT_EQ(again.size(), before.size() + 1);
    again.pop_back();  // RESUMED

    EXPECT_EQ(again, before);
}

TEST(GatewayResume, AResumeAboveWhatWasSentIs4007) {
    bench b;
    auto c = b.connect();
    const std::string id = b.ready(*c, 0, 1);
    b.hang_up(*c);
    c = b.connect();
    b.resume(*c, id, 4000);

    EXPECT_EQ(c->io.closed, 4007);
}

TEST(GatewayResume, AnUnknownOrExpiredSessionIsRefusedForGood) {
    bench b;
    b.p->out.expected().loading_guilds = expectation::arrives;
    auto c = b.connect();
    const std::string id = b.ready(*c, 0, 1);
    b.p->events.happen(event_kind::typing, 0, b.now);
    b.hang_up(*c);
    b.run(181s, 1s);
    c = b.connect();
    b.resume(*c, id, 41);

    EXPECT_EQ(c->io.last_op(), 9);
    EXPECT_FALSE(c->io.last().at("d").as_bool());
    EXPECT_EQ(b.p->gate.stats().sessions_expired, 1U);
    EXPECT_EQ(b.p->book.totals().lost, 41U);  // the event, and guilds nobody confirmed
}

TEST(GatewayResume, ASeqThatLeftTheRingIsOutOfRange) {
    options o = small_options();
    o.gateway.replay_depth = 50;
    bench b(o);
    auto c = b.connect();
    const std::string id = b.ready(*c, 0, 1);
    b.heartbeat(*c, 41);
    b.hang_up(*c);
    for (int i = 0; i < 60; ++i)
        b.p->events.happen(event_kind::typing, 0, b.now);
    c = b.connect();
    b.resume(*c, id, 41);

    EXPECT_EQ(c->io.last_op(), 9);
    EXPECT_EQ(b.p->sessions.size(), 0U);
    EXPECT_EQ(b.p->book.totals().lost, 60U);
}

TEST(GatewayResume, HeartbeatsTrimTheRingWhenTold) {
    options o = small_options();
    o.gateway.trim = ring_trim::heartbeat;
    bench b(o);
    auto c = b.connect();
    const std::string id = b.ready(*c, 0, 1);
    b.heartbeat(*c, 41);
    b.hang_up(*c);
    c = b.connect();
    b.resume(*c, id, 30);

    EXPECT_EQ(c->io.last_op(), 9);
}

TEST(GatewayResume, AResumeTrimsTheRingWhenTold) {
    options o = small_options();
    o.gateway.trim = ring_trim::resume;
    bench b(o);
    auto c = b.connect();
    const std::string id = b.ready(*c, 0, 1);
    b.hang_up(*c);
    c = b.connect();
    b.resume(*c, id, 41);
    b.take(*c);
    b.hang_up(*c);
    c = b.connect();
    b.resume(*c, id, 40);

    EXPECT_EQ(c->io.last_op(), 9);
}

TEST(GatewayResume, TrimmedAtResumesTheRingForgetsAtHeartbeatsToo) {
    options o = small_options();
    o.gateway.trim = ring_trim::resume;
    bench b(o);
    auto c = b.connect();
    const std::string id = b.ready(*c, 0, 1);
    b.heartbeat(*c, 20);
    EXPECT_EQ(b.p->gate.stats().trimmed_by_beats, 20U);
    b.heartbeat(*c, 10);
    EXPECT_EQ(b.p->gate.stats().trimmed_by_beats, 20U);
    b.hang_up(*c);
    c = b.connect();
    b.resume(*c, id, 30);
    EXPECT_EQ(b.p->gate.stats().trimmed_by_resumes, 10U);
    const auto replay = b.take(*c);
    ASSERT_EQ(replay.size(), 12U);  // 31 to 41, RESUMED
    EXPECT_EQ(seq_of(replay.front()), 31U);
    b.hang_up(*c);
    c = b.connect();
    b.resume(*c, id, 29);

    EXPECT_EQ(c->io.last_op(), 9) << "30 is gone";
    EXPECT_EQ(b.p->gate.stats().resumes_refused, 1U);
}

TEST(GatewayResume, ReplayedDispatchesAreCountedAndThoseSentBefore) {
    bench b;
    auto c = b.connect();
    const std::string id = b.ready(*c, 0, 1);
    b.hang_up(*c);
    for (int i = 0; i < 3; ++i)
        b.p->events.happen(event_kind::typing, 0, b.now);
    c = b.connect();
    b.resume(*c, id, 36);
    b.take(*c);
    b.p->events.happen(event_kind::typing, 0, b.now);
    b.take(*c);

    EXPECT_EQ(b.p->gate.stats().replayed, 8U) << "37 to 44";
    EXPECT_EQ(b.p->gate.stats().sent_again, 5U) << "37 to 41";
}

TEST(GatewayResume, AForgottenSessionIsOneNobodyIsConnectedTo) {
    bench b;
    auto c = b.connect();
    const std::string id = b.ready(*c, 0, 1);
    fault f;
    f.kind = fault_kind::forget;
    EXPECT_EQ(b.p->gate.inject(f, b.now.at), 0U);
    EXPECT_EQ(b.p->sessions.size(), 1U);
    b.heartbeat(*c, 41);
    b.hang_up(*c);
    b.p->events.happen(event_kind::typing, 0, b.now);
    f.shards = {7};
    EXPECT_EQ(b.p->gate.inject(f, b.now.at), 0U);
    f.shards = {0};
    EXPECT_EQ(b.p->gate.inject(f, b.now.at), 1U);
    c = b.connect();
    b.resume(*c, id, 41);

    EXPECT_EQ(c->io.last_op(), 9);
    EXPECT_FALSE(c->io.last().at("d").as_bool());
    EXPECT_EQ(b.p->book.totals().lost, 1U);
    EXPECT_EQ(b.p->gate.stats().sessions_forgotten, 1U);
}

TEST(GatewayResume, TheLongestTimeBetweenHeartbeatsIsKept) {
    bench b;
    const auto c = b.connect();
    b.ready(*c, 0, 1);
    b.pass(100ms);
    b.heartbeat(*c, 1);
    b.pass(700ms);
    b.heartbeat(*c, 1);
    b.pass(300ms);
    b.heartbeat(*c, 1);

    EXPECT_DOUBLE_EQ(b.p->gate.stats().longest_beat_gap_ms, 700.0);
}

TEST(GatewayResume, OnlyTheClientsOwn1000Or1001EndsASession) {
    for (const close_code code : {close_code{1000}, close_code{1001}}) {
        bench b;
        const auto c = b.connect();
        b.ready(*c, 0, 1);
        b.hang_up(*c, code);
        EXPECT_EQ(b.p->sessions.size(), 0U);
    }
    for (const close_code code : {close_code{0}, close_code{4000}, close_code{1005}}) {
        bench b;
        const auto c = b.connect();
        b.ready(*c, 0, 1);
        b.hang_up(*c, code);
        EXPECT_EQ(b.p->sessions.size(), 1U);
    }
}

TEST(GatewayResume, AResumeTakesTheSessionFromAConnectionNobodyNoticedDying) {
    bench b;
    const auto old = b.connect();
    const std::string id = b.ready(*old, 0, 1);
    const auto c = b.connect();
    b.resume(*c, id, 41);

    EXPECT_EQ(old->io.dropped, 1);
    EXPECT_EQ(b.take(*c).size(), 1U);
    b.hang_up(*old);
    EXPECT_TRUE(b.p->sessions.all().front()->connection == c->at);
}

TEST(GatewayResume, ResumesOnTheGenericUrlCanBeShortLived) {
    options o = small_options();
    o.gateway.generic_resume_life = 10s;
    bench b(o);
    auto c = b.connect();
    const std::string id = b.ready(*c, 0, 1);
    b.hang_up(*c);
    c = b.connect("/?v=10", true);
    b.resume(*c, id, 41);
    EXPECT_EQ(b.take(*c).size(), 1U);
    b.run(11s);
    EXPECT_EQ(c->io.closed, 4000);
    b.hang_up(*c);
    c = b.connect("/?v=10", false);
    b.resume(*c, id, 42);
    b.run(11s);

    EXPECT_EQ(c->io.closed, -1);
}

TEST(GatewayResume, AReaderThatFallsBehindTheRingIsDropped) {
    options o = small_options();
    o.gateway.replay_depth = 100;
    bench b(o);
    const auto c = b.connect();
    b.ready(*c, 0, 1);
    for (int i = 0; i < 150; ++i)
        b.p->events.happen(event_kind::typing, 0, b.now);
    b.take(*c);

    EXPECT_EQ(c->io.closed, 4000);
    EXPECT_EQ(b.p->gate.stats().slow_readers, 1U);
    EXPECT_EQ(b.p->book.totals().lost, 50U);
}

}  // namespace
}  // namespace shardgate::sim
