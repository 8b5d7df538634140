// SPDX-License-Identifier: Apache-2.0
// Other limits while events are queued and requests under way.
#include "delivery/backlog.hpp"
#include "unit/delivery/fixture.hpp"

namespace shardgate {
namespace {

using testing::delivery_fixture;
using namespace std::chrono_literals;

class Reconfigure : public delivery_fixture {
public:
    void take_up() { core->reconfigure(handler, queue, interactions, now); }
};

TEST_F(Reconfigure, MoreConnectionsAllowMoreRequestsAtOnceAndFewerFewer) {
    handler.connections = 2;
    make();
    for (std::uint64_t guild = 1; guild <= 10; ++guild)
        push("MESSAGE_CREATE", guild);
    auto first = pull();
    EXPECT_EQ(first.size(), 1U);  // of two, one is kept for interactions
    handler.connections = 8;
    take_up();
    // Slow start goes on from where it was.
    answer(first[0], 200);
    auto more = pull();
    EXPECT_GT(more.size(), 1U);
    handler.connections = 1;
    take_up();
    EXPECT_TRUE(pull().empty());
    for (const auto& r : more)
        answer(r, 200);
    EXPECT_EQ(pull().size(), 1U);
}

TEST_F(Reconfigure, ASmallerBoundShedsByPolicyAndTellsOfIt) {
    queue.max_events = 100;
    make();
    for (int i = 0; i < 100; ++i)
        push("MESSAGE_CREATE", 1);
    core->pause(true, now);
    queue.max_events = 40;
    take_up();
    EXPECT_EQ(core->snapshot().events, 40U);
    EXPECT_EQ(count(settled_as::shed), 60U);
}

TEST_F(Reconfigure, AHandlerThatIsAwayStaysAway) {
    make();
    push("MESSAGE_CREATE", 1);
    push("MESSAGE_CREATE", 2);
    for (const auto& r : pull())
        refuse_connection(r);
    ASSERT_EQ(core->snapshot().state, handler_state::down);
    handler.connections = 10;
    queue.retry_max = 5s;
    take_up();
    EXPECT_EQ(core->snapshot().state, handler_state::down);
    EXPECT_TRUE(pull().empty());
    EXPECT_EQ(pull_later().size(), 1U);
}

TEST(BacklogBounds, WithASpoolASmallerBoundClosesInAsEventsGo) {
    config::queue limits;
    limits.max_events = 10;
    limits.overflow = config::overflow_policy::spill;
    backlog books(limits);
    std::vector<entry*> all;
    for (int i = 0; i < 8; ++i) {
        dispatch d;
        d.frame = d.d = "{}";
        all.push_back(&books.add(queued_event::from(d), false, time_point{}));
    }
    limits.max_events = 4;
    books.set_limits(limits, true);
    EXPECT_FALSE(books.over());
    EXPECT_EQ(books.eighths(), 8U);  // full: what comes goes to the disk
    for (int i = 0; i < 6; ++i)
        books.remove(*all[static_cast<std::size_t>(i)]);
    EXPECT_FALSE(books.over());
    for (int i = 0; i < 3; ++i) {
        dispatch d;
        d.frame = d.d = "{}";
        (void)books.add(queued_event::from(d), false, time_point{});
    }
    EXPECT_TRUE(books.over());
    limits.max_events = 5;
    books.set_limits(limits, false);
    EXPECT_FALSE(books.over());
}

}  // namespace
}  // namespace shardgate
