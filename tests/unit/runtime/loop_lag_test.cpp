// SPDX-License-Identifier: Apache-2.0
#include "shardgate/runtime/loop_lag.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <vector>

#include "support/manual_clock.hpp"

namespace shardgate {
namespace {

using testing::manual_clock;
using namespace std::chrono_literals;
using lag = basic_loop_lag<manual_clock>;

void poll(boost::asio::io_context& loop) {
    loop.restart();
    loop.poll();
}

TEST(LoopLag, IsZeroOnALoopThatIsOnTime) {
    boost::asio::io_context loop;
    lag measured(loop.get_executor(), 100ms);

    manual_clock::advance(100ms);
    poll(loop);

    EXPECT_EQ(measured.latest(), 0ms);
    EXPECT_EQ(measured.take_worst(), 0ms);
}

TEST(LoopLag, MeasuresHowLateTheTimerWasCalled) {
    boost::asio::io_context loop;
    std::vector<duration> seen;
    lag measured(loop.get_executor(), 100ms, [&](duration d) { seen.push_back(d); });

    manual_clock::advance(350ms);  // the loop was busy for 250 ms too long
    poll(loop);
    manual_clock::advance(101ms);
    poll(loop);

    EXPECT_EQ(seen, (std::vector<duration>{250ms, 1ms}));
    EXPECT_EQ(measured.latest(), 1ms);
}

TEST(LoopLag, KeepsTheWorstUntilItIsTaken) {
    boost::asio::io_context loop;
    lag measured(loop.get_executor(), 100ms);
    manual_clock::advance(350ms);
    poll(loop);
    manual_clock::advance(100ms);
    poll(loop);

    EXPECT_EQ(measured.take_worst(), 250ms);
    EXPECT_EQ(measured.take_worst(), 0ms);
}

TEST(LoopLag, LetsTheLoopEndOnceStopped) {
    boost::asio::io_context loop;
    int calls = 0;
    lag measured(loop.get_executor(), 100ms, [&](duration) { ++calls; });
    manual_clock::advance(100ms);
    measured.stop();

    EXPECT_GE(loop.run(), 0U);  // returns: no work is left
    EXPECT_EQ(calls, 0);
}

TEST(LoopLag, MayBeDestroyedByItsObserver) {
    boost::asio::io_context loop;
    std::unique_ptr<lag> measured;
    measured =
        std::make_unique<lag>(loop.get_executor(), 100ms, [&](duration) { measured.reset(); });

    manual_clock::advance(100ms);
    poll(loop);

    EXPECT_EQ(measured, nullptr);
}

}  // namespace
}  // namespace shardgate
