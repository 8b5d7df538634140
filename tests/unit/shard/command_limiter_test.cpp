// SPDX-License-Identifier: Apache-2.0
#include "shardgate/shard/command_limiter.hpp"

#include <gtest/gtest.h>

#include <string>

#include "shardgate/shard/command_queue.hpp"

namespace shardgate {
namespace {

using namespace std::chrono_literals;

constexpr time_point t0{1h};

gateway_command voice() {
    return *read_command(R"({"op":4,"d":{"guild_id":"1","channel_id":null}})", 4);
}
gateway_command presence(int n = 0) {
    return *read_command(R"({"op":3,"d":{"status":"online","since":)" + std::to_string(n) + "}}",
                         3);
}
gateway_command members(const std::string& guild) {
    return *read_command(R"({"op":8,"d":{"guild_id":")" + guild + R"(","query":"","limit":0}})", 8);
}

unsigned burst(command_limiter& l, const gateway_command& c, time_point now) {
    unsigned n = 0;
    for (; l.earliest(c, now) <= now && n < 1000; ++n)
        l.count(c, now);
    return n;
}

TEST(CommandLimiter, KeepsAShareForHeartbeats) {
    command_limiter l;
    l.begin(41250ms, false);
    EXPECT_EQ(burst(l, voice(), t0), 117U);
    EXPECT_GT(l.earliest(voice(), t0), t0 + 60s);
    EXPECT_LT(l.earliest(voice(), t0), t0 + 61s);
    EXPECT_TRUE(l.may_answer(false, t0)) << "an asked-for beat still has its place";
    l.count(t0);
    EXPECT_FALSE(l.may_answer(false, t0));
}

TEST(CommandLimiter, TheWindowSlides) {
    command_limiter l;
    l.begin(41250ms, false);
    for (int i = 0; i < 117; ++i)
        l.count(voice(), t0 + i * 100ms);
    EXPECT_EQ(l.earliest(voice(), t0 + 12s), t0 + command_limiter::window);
    EXPECT_EQ(burst(l, voice(), t0 + command_limiter::window + 450ms), 5U);
}

TEST(CommandLimiter, ANewConnectionStartsAnew) {
    command_limiter l;
    l.begin(41250ms, false);
    EXPECT_EQ(burst(l, voice(), t0), 117U);
    l.begin(41250ms, false);
    EXPECT_EQ(burst(l, voice(), t0), 117U);
}

TEST(CommandLimiter, AfterA4008HalfIsLeft) {
    command_limiter l;
    l.begin(41250ms, true);
    EXPECT_EQ(burst(l, voice(), t0), 58U);
}

TEST(CommandLimiter, FastHeartbeatsTakeTheirPlaces) {
    command_limiter l;
    l.begin(1s, false);
    EXPECT_EQ(l.allowance(), 58U);
    l.begin(10ms, false);
    EXPECT_TRUE(l.may_answer(true, t0)) << "IDENTIFY must get through whatever HELLO said";
    l.begin(0ms, false);
    EXPECT_TRUE(l.may_answer(true, t0));
}

TEST(CommandLimiter, TheLastPlaceIsKeptForIdentifyOrResume) {
    command_limiter l;
    l.begin(41250ms, false);
    unsigned answered = 0;
    for (; l.may_answer(true, t0); ++answered)
        l.count(t0);
    EXPECT_EQ(answered, 117U);
    EXPECT_TRUE(l.may_answer(false, t0));
}

TEST(CommandLimiter, FivePresencesIn20Seconds) {
    command_limiter l;
    l.begin(41250ms, false);
    EXPECT_EQ(burst(l, presence(), t0), 5U);
    EXPECT_EQ(l.earliest(presence(), t0 + 1s), t0 + command_limiter::presence_window);
    EXPECT_LE(l.earliest(voice(), t0), t0);
    l.begin(41250ms, false);
    EXPECT_GT(l.earliest(presence(), t0 + 1s), t0 + 20s) << "a new connection changes nothing";
}

TEST(CommandLimiter, OneMemberListPerGuildIn30Seconds) {
    command_limiter l;
    l.begin(41250ms, false);
    EXPECT_EQ(burst(l, members("1"), t0), 1U);
    EXPECT_EQ(burst(l, members("2"), t0), 1U);
    EXPECT_EQ(l.earliest(members("1"), t0), t0 + command_limiter::member_list_window);
    auto some = *read_command(R"({"op":8,"d":{"guild_id":"1","user_ids":["2"]}})", 8);
    EXPECT_LE(l.earliest(some, t0), t0);
}

TEST(CommandLimiter, RateLimitedIsHonouredAndNeverShortens) {
    command_limiter l;
    l.begin(41250ms, false);
    l.rate_limited(snowflake{1}, 45s, t0);
    EXPECT_EQ(l.earliest(members("1"), t0), t0 + 45s);
    l.rate_limited(snowflake{1}, 5s, t0);
    EXPECT_EQ(l.earliest(members("1"), t0), t0 + 45s);
    l.rate_limited(snowflake{1}, -5s, t0);
    EXPECT_EQ(l.earliest(members("1"), t0), t0 + 45s);
}

TEST(CommandLimiter, RemembersABoundedNumberOfGuilds) {
    command_limiter l;
    l.begin(41250ms, false);
    for (std::uint64_t g = 1; g <= 3'000; ++g)
        l.rate_limited(snowflake{g}, 1h, t0);
    EXPECT_EQ(l.earliest(members("3000"), t0), t0 + 1h);
}

TEST(CommandQueue, KeepsOrderAndIsBounded) {
    command_limiter l;
    l.begin(41250ms, false);
    command_queue q(3);
    EXPECT_TRUE(q.add(members("1"), t0));
    EXPECT_TRUE(q.add(voice(), t0));
    EXPECT_TRUE(q.add(members("2"), t0));
    EXPECT_FALSE(q.add(voice(), t0));
    EXPECT_EQ(q.take(l, t0)->guild, snowflake{1});
    EXPECT_EQ(q.take(l, t0)->op, 4);
    EXPECT_EQ(q.take(l, t0)->guild, snowflake{2});
    EXPECT_FALSE(q.take(l, t0));
    EXPECT_EQ(q.next(l, t0), never);
}

TEST(CommandQueue, AHeldBackCommandLetsOthersPass) {
    command_limiter l;
    l.begin(41250ms, false);
    command_queue q;
    EXPECT_TRUE(q.add(members("1"), t0));
    EXPECT_TRUE(q.add(members("1"), t0));
    EXPECT_TRUE(q.add(voice(), t0));
    EXPECT_EQ(q.take(l, t0)->op, 8);
    EXPECT_EQ(q.take(l, t0)->op, 4);
    EXPECT_FALSE(q.take(l, t0));
    EXPECT_EQ(q.next(l, t0), t0 + command_limiter::member_list_window);
    EXPECT_TRUE(q.take(l, t0 + command_limiter::member_list_window));
}

TEST(CommandQueue, AWaitingPresenceIsReplacedInItsPlaceEvenWhenFull) {
    command_limiter l;
    l.begin(41250ms, false);
    command_queue q(2);
    EXPECT_TRUE(q.add(presence(1), t0));
    EXPECT_TRUE(q.add(voice(), t0));
    EXPECT_TRUE(q.add(presence(2), t0));
    EXPECT_EQ(q.size(), 2U);
    EXPECT_EQ(q.coalesced(), 1U);
    EXPECT_NE(q.take(l, t0)->text.find("\"since\":2"), std::string::npos);
}

TEST(CommandQueue, OldCommandsExpireButAPresenceStaysTrue) {
    command_limiter l;
    l.begin(41250ms, false);
    command_queue q;
    EXPECT_TRUE(q.add(voice(), t0));
    EXPECT_TRUE(q.add(presence(1), t0));
    EXPECT_EQ(q.take(l, t0 + 6min)->op, 3);
    EXPECT_EQ(q.expired(), 1U);
    EXPECT_EQ(q.size(), 0U);
}

TEST(CommandQueue, ADroppedPresenceIsGone) {
    command_queue q;
    EXPECT_TRUE(q.add(presence(1), t0));
    EXPECT_TRUE(q.add(voice(), t0));
    q.drop_presence();
    EXPECT_EQ(q.size(), 1U);
    q.clear();
    EXPECT_EQ(q.size(), 0U);
}

}  // namespace
}  // namespace shardgate
