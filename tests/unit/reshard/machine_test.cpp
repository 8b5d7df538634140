// SPDX-License-Identifier: Apache-2.0
// The course of a resharding: its steps in order, its patience, and how it is called off.
#include "shardgate/reshard/machine.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace shardgate {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using step = reshard_step;

constexpr duration overlap = seconds(10);

struct machine_run {
    explicit machine_run(bool again = false)
        : machine({overlap, seconds(60), seconds(0)}, again, time_point{} + seconds(1000)) {}

    // Everything that is next at this moment.
    std::vector<step> steps() {
        std::vector<step> out;
        for (step s = machine.next(view, now); s != step::none; s = machine.next(view, now))
            out.push_back(s);
        return out;
    }
    // Looks every 100 ms for so long; all steps.
    std::vector<step> pass(duration how_long) {
        std::vector<step> out;
        for (const time_point end = now + how_long; now < end; now += milliseconds(100))
            for (const step s : steps())
                out.push_back(s);
        return out;
    }
    void to_recording() {
        view.shards = view.loaded = 4;
        ASSERT_EQ(steps(), std::vector{step::store_windows});
        machine.on_stored();
        ASSERT_EQ(steps(), std::vector{step::open_windows});
    }
    void to_passing() {
        to_recording();
        ASSERT_EQ(pass(overlap * 2 + milliseconds(200)), std::vector{step::prefer_new});
    }
    void to_retiring() {
        to_passing();
        view.settled = true;
        ASSERT_EQ(pass(overlap + milliseconds(200)), std::vector{step::store_plan});
        machine.on_stored();
        ASSERT_EQ(steps(), std::vector{step::close_old});
    }

    reshard_view view{4, 0, false, false};
    time_point now = time_point{} + seconds(1000);
    reshard_machine machine;
};

TEST(ReshardMachine, GoesThroughItsStepsInOrder) {
    machine_run r;
    EXPECT_TRUE(r.pass(seconds(30)).empty());
    EXPECT_EQ(r.machine.state(), reshard_state::starting);
    r.to_retiring();
    EXPECT_EQ(r.machine.state(), reshard_state::retiring);
    EXPECT_TRUE(r.pass(seconds(5)).empty());
    r.view.both_gone = true;
    EXPECT_EQ(r.steps(), std::vector{step::finish});
    EXPECT_TRUE(r.machine.over());
    EXPECT_EQ(r.machine.state(), reshard_state::done);
    EXPECT_EQ(r.machine.percent(r.view, r.now), 100U);
    EXPECT_TRUE(r.pass(seconds(60)).empty());
}

TEST(ReshardMachine, OpensNoWindowBeforeTheDiskKnows) {
    machine_run r;
    r.view.loaded = 4;
    EXPECT_EQ(r.steps(), std::vector{step::store_windows});
    EXPECT_TRUE(r.pass(seconds(30)).empty());
    r.machine.on_stored();
    EXPECT_EQ(r.steps(), std::vector{step::open_windows});
}

TEST(ReshardMachine, ClosesNoOldShardBeforeThePlanIsDurable) {
    machine_run r;
    r.to_passing();
    r.view.settled = true;
    EXPECT_EQ(r.pass(overlap + milliseconds(200)), std::vector{step::store_plan});
    EXPECT_TRUE(r.pass(minutes(30)).empty());
    r.machine.on_stored();
    EXPECT_EQ(r.steps(), std::vector{step::close_old});
}

TEST(ReshardMachine, WaitsAnOverlapAtLeastAndUntilTheSetsAreSettled) {
    machine_run early;
    early.to_passing();
    early.view.settled = true;
    EXPECT_TRUE(early.pass(overlap - seconds(1)).empty());
    EXPECT_EQ(early.pass(seconds(2)), std::vector{step::store_plan});
    machine_run late;
    late.to_passing();
    EXPECT_TRUE(late.pass(overlap * 3).empty());
    late.view.settled = true;
    EXPECT_EQ(late.steps(), std::vector{step::store_plan});
}

TEST(ReshardMachine, AbortWhileStartingClosesTheNewSetAtOnce) {
    machine_run r;
    r.view.loaded = 2;
    EXPECT_TRUE(r.steps().empty());
    ASSERT_TRUE(r.machine.call_off("asked to", true, r.now));
    EXPECT_EQ(r.steps(), std::vector{step::close_new});
    r.view.both_gone = true;
    EXPECT_EQ(r.steps(), std::vector{step::give_up});
    EXPECT_EQ(r.machine.state(), reshard_state::aborted);
    EXPECT_EQ(r.machine.reason(), "asked to");
}

TEST(ReshardMachine, AbortInTheWindowsGivesTheLeadBackFirst) {
    machine_run r;
    r.to_passing();
    ASSERT_TRUE(r.machine.call_off("asked to", true, r.now));
    EXPECT_EQ(r.steps(), std::vector{step::prefer_old});
    EXPECT_EQ(r.machine.state(), reshard_state::overlap);
    EXPECT_TRUE(r.machine.calling_off());
    EXPECT_TRUE(r.pass(seconds(30)).empty()) << "not settled";
    r.view.settled = true;
    EXPECT_EQ(r.steps(), std::vector{step::close_new});
    r.view.both_gone = true;
    EXPECT_EQ(r.steps(), std::vector{step::give_up});
    EXPECT_EQ(r.machine.state(), reshard_state::aborted);
}

TEST(ReshardMachine, TooLateToAbortOnceThePlanMayBeOnDisk) {
    machine_run r;
    r.to_retiring();
    EXPECT_FALSE(r.machine.call_off("asked to", true, r.now));
    EXPECT_EQ(r.machine.state(), reshard_state::retiring);
    EXPECT_TRUE(r.machine.reason().empty());
}

TEST(ReshardMachine, NewShardsThatDoNotComeUpFailIt) {
    machine_run r;
    r.view.loaded = 3;
    EXPECT_EQ(r.pass(seconds(120) + minutes(5) + seconds(1)), std::vector{step::close_new});
    r.view.both_gone = true;
    EXPECT_EQ(r.steps(), std::vector{step::give_up});
    EXPECT_EQ(r.machine.state(), reshard_state::failed);
    EXPECT_EQ(r.machine.reason(), "only 3 of 4 new shards came up in time");
}

TEST(ReshardMachine, SetsThatDoNotSettleFailIt) {
    machine_run r;
    r.to_passing();
    EXPECT_EQ(r.pass(std::max<duration>(overlap * 20, minutes(3)) + seconds(1)),
              std::vector{step::prefer_old});
    EXPECT_EQ(r.pass(std::max<duration>(overlap * 20, minutes(3)) + seconds(1)),
              std::vector{step::close_new})
        << "and it does not wait for ever for the way back";
    EXPECT_EQ(r.pass(minutes(5) + seconds(1)), std::vector{step::give_up});
    EXPECT_EQ(r.machine.state(), reshard_state::failed);
}

TEST(ReshardMachine, ASecondReasonDoesNotReplaceTheFirst) {
    machine_run r;
    ASSERT_TRUE(r.machine.call_off("first", false, r.now));
    EXPECT_FALSE(r.machine.call_off("second", true, r.now));
    EXPECT_EQ(r.machine.reason(), "first");
}

TEST(ReshardMachine, AfterARestartInTheWindowsTheyOpenAtOnce) {
    machine_run r(true);
    EXPECT_EQ(r.steps(), std::vector{step::open_windows});
    EXPECT_EQ(r.machine.state(), reshard_state::overlap);
    EXPECT_TRUE(r.pass(seconds(30)).empty()) << "the new set is not back";
    r.view.loaded = 4;
    EXPECT_EQ(r.pass(overlap * 2 + milliseconds(300)), std::vector{step::prefer_new});
}

TEST(ReshardMachine, AlwaysWantsToBeAskedAgainUntilItIsOver) {
    machine_run r;
    EXPECT_LE(r.machine.deadline(r.now), r.now + seconds(1));
    r.to_retiring();
    r.view.both_gone = true;
    (void)r.steps();
    EXPECT_EQ(r.machine.deadline(r.now), never);
}

TEST(ReshardMachine, ProgressNeverGoesBackOnTheWayForward) {
    machine_run r;
    std::uint32_t last = 0;
    const auto grows = [&] {
        const std::uint32_t now = r.machine.percent(r.view, r.now);
        EXPECT_GE(now, last);
        EXPECT_LE(now, 100U);
        last = now;
    };
    for (r.view.loaded = 0; r.view.loaded < 4; ++r.view.loaded) {
        (void)r.pass(seconds(3));
        grows();
    }
    (void)r.pass(milliseconds(100));
    r.machine.on_stored();
    for (int i = 0; i < 25; ++i) {
        (void)r.pass(seconds(1));
        grows();
    }
    r.view.settled = true;
    for (int i = 0; i < 12; ++i) {
        (void)r.pass(seconds(1));
        grows();
    }
}

}  // namespace
}  // namespace shardgate
