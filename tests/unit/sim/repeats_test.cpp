// SPDX-License-Identifier: Apache-2.0
// Events that are equal by nature happen again, to every session that is entitled to them.
#include "sim/repeats.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <map>

#include "unit/sim/sim_fixture.hpp"

namespace shardgate::sim {
namespace {

using namespace testing;

options repeating(double share) {
    options o = small_options();
    o.gateway.max_concurrency = 16;
    o.encoding.repeats = share;
    return o;
}

TEST(Repeating, TheVerySameHappensAgainWithinFourSeconds) {
    bench b(repeating(1));
    const auto c = b.connect();
    b.ready(*c, 0, 1);
    for (const event_kind kind :
         {event_kind::typing, event_kind::presence, event_kind::reaction_add}) {
        ASSERT_TRUE(b.p->events.happen(kind, 0, b.now));
        const auto first = b.take(*c);
        ASSERT_EQ(first.size(), 1U);
        EXPECT_EQ(b.p->events.follow_ups(), 1U);
        std::vector<std::string> later;
        for (int ms = 0; ms <= 4000 && later.empty(); ms += 10) {
            b.run(10ms);
            later = b.take(*c);
        }
        ASSERT_EQ(later.size(), 1U) << static_cast<int>(kind);
        const json::object was = json::parse(first[0]).as_object();
        const json::object is = json::parse(later[0]).as_object();
        EXPECT_EQ(json::serialize(was.at("d")), json::serialize(is.at("d")));
        EXPECT_LT(was.at("s").to_number<int>(), is.at("s").to_number<int>());
        b.p->events.clear();
    }
    EXPECT_EQ(b.p->book.totals().repeats_sent, 3U);
    EXPECT_EQ(b.p->book.totals().repeats_missing, 3U);
}

TEST(Repeating, ChainsExistAndEnd) {
    bench b(repeating(0.5));
    const auto c = b.connect();
    b.ready(*c, 0, 1);
    for (int i = 0; i < 400; ++i)
        b.p->events.happen(event_kind::typing, 0, b.now);
    b.p->settings.encoding.edits = 0;
    for (int i = 0; i < 10000 && b.p->events.follow_ups() != 0; ++i)
        b.run(10ms);
    EXPECT_EQ(b.p->events.follow_ups(), 0U);
    std::map<std::int64_t, int> times;
    for (const std::string& f : b.take(*c))
        ++times[json::parse(f).at("d").at("_n").to_number<std::int64_t>()];
    ASSERT_EQ(times.size(), 400U);
    std::uint64_t again = 0;
    int most = 0;
    for (const auto& [n, count] : times) {
        again += static_cast<std::uint64_t>(count - 1);
        most = std::max(most, count);
    }
    EXPECT_GE(most, 4);
    EXPECT_NEAR(static_cast<double>(again), 400, 120);  // 1/2 + 1/4 + …
    EXPECT_EQ(b.p->book.totals().repeats_sent, again);
    EXPECT_EQ(b.p->book.totals().sent, 440U)
        << "with the loading guilds; a repetition has no number";
}

TEST(Repeating, EverySetGetsEach) {
    bench b(repeating(1));
    const auto one = b.connect();
    b.ready(*one, 0, 1);
    b.pass(6s);
    const auto two = b.connect();
    b.ready(*two, 0, 2);
    ASSERT_TRUE(b.p->events.happen_in_dm(event_kind::typing, 0, b.now));
    b.run(13s);
    const auto a = b.take(*one), c = b.take(*two);
    ASSERT_GE(a.size(), 3U);
    ASSERT_EQ(a.size(), c.size());
    for (std::size_t i = 0; i < a.size(); ++i)
        EXPECT_EQ(json::parse(a[i]).at("d"), json::parse(c[i]).at("d"));
}

TEST(Repeating, OthersDoNotAndNothingDoesWithoutTheSwitch) {
    bench b(repeating(1));
    const auto c = b.connect();
    b.ready(*c, 0, 1);
    b.p->settings.encoding.unfurls = b.p->settings.encoding.edits = 0;
    for (const event_kind kind : {event_kind::message_create, event_kind::voice_state,
                                  event_kind::reaction_remove, event_kind::interaction_command})
        b.p->events.happen(kind, 0, b.now);
    EXPECT_EQ(b.p->events.follow_ups(), 0U);
    b.p->settings.encoding.repeats = 0;
    b.p->events.happen(event_kind::typing, 0, b.now);
    EXPECT_EQ(b.p->events.follow_ups(), 0U);
}

TEST(Repeating, NothingIsRepeatedInAGuildThatIsAwayOrForNobody) {
    bench b(repeating(1));
    const auto c = b.connect();
    b.ready(*c, 0, 1);
    b.p->events.happen(event_kind::typing, 3, b.now);
    b.p->events.outage(3, b.now);
    b.run(5s);
    EXPECT_EQ(b.p->book.totals().repeats_sent, 0U);
    b.p->events.happen(event_kind::typing, 4, b.now);
    b.hang_up(*c, 1000);
    b.run(5s);
    EXPECT_EQ(b.p->book.totals().repeats_sent, 0U);
    EXPECT_EQ(b.p->events.follow_ups(), 0U);
}

TEST(Repeating, OneThatGoesDownWithItsSessionIsLostAlone) {
    bench b(repeating(1));
    const auto c = b.connect();
    b.ready(*c, 0, 1);
    b.p->events.happen(event_kind::typing, 0, b.now);
    b.take(*c);
    b.heartbeat(*c, 42);
    b.run(4010ms);  // again, and on its way
    ASSERT_GE(b.p->book.totals().repeats_sent, 1U);
    const std::uint64_t sent = b.p->book.totals().repeats_sent;
    b.hang_up(*c, 1000);

    EXPECT_EQ(b.p->book.totals().repeats_lost, sent);
    EXPECT_EQ(b.p->book.totals().repeats_missing, 0U);
    EXPECT_EQ(b.p->book.totals().missing(), 1U) << "the first one was had";
}

}  // namespace
}  // namespace shardgate::sim
