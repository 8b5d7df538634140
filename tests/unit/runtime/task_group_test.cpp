// SPDX-License-Identifier: Apache-2.0
#include "shardgate/runtime/task_group.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <optional>
#include <stdexcept>
#include <string>

#include "shardgate/base/log.hpp"
#include "shardgate/runtime/sleep.hpp"
#include "support/manual_clock.hpp"

namespace shardgate {
namespace {

namespace asio = boost::asio;
using testing::manual_clock;
using namespace std::chrono_literals;

asio::awaitable<void> sleep_then_note(duration span, std::string* note) {
    const error_code code = co_await sleep_for<manual_clock>(span);
    *note += code ? "cancelled;" : "slept;";
}

// Sleeps twice whatever happens: the second one proves that a cancelled task can still await.
asio::awaitable<void> sleep_twice(std::string* note) {
    const error_code first = co_await sleep_for<manual_clock>(10s);
    *note += first ? "cancelled;" : "slept;";
    const error_code second = co_await sleep_for<manual_clock>(10s);
    *note += second ? "cancelled;" : "slept;";
}

asio::awaitable<void> throws(std::string what) {
    co_await sleep_for<manual_clock>(1s);
    throw std::runtime_error(what);
}

asio::awaitable<void> throws_int() {
    co_await sleep_for<manual_clock>(1s);
    throw 7;
}

asio::awaitable<void> join_into(task_group* group, duration limit, std::optional<bool>* joined) {
    const auto deadline = manual_clock::now() + limit;
    const bool done = co_await group->join<manual_clock>(deadline);
    *joined = done;
}

void poll(asio::io_context& loop) {
    loop.restart();
    loop.poll();
}

class quiet_log {
public:
    quiet_log() {
        log::capture([this](log::level, std::string_view line) { lines += std::string(line); });
    }
    ~quiet_log() { log::capture({}); }
    std::string lines;
};

TEST(TaskGroup, JoinIsTrueOnceEveryTaskEnded) {
    asio::io_context loop;
    task_group group(loop.get_executor());
    std::string note;
    std::optional<bool> joined;
    group.spawn("short", sleep_then_note(1s, &note));
    group.spawn("long", sleep_then_note(5s, &note));
    asio::co_spawn(loop, join_into(&group, 60s, &joined), asio::detached);
    poll(loop);

    manual_clock::advance(4s);
    poll(loop);
    EXPECT_FALSE(joined.has_value());
    EXPECT_EQ(group.names(), std::vector<std::string>{"long"});

    manual_clock::advance(1s);
    poll(loop);
    EXPECT_EQ(joined, true);
    EXPECT_EQ(note, "slept;slept;");
}

TEST(TaskGroup, JoinOfNothingIsTrueAtOnce) {
    asio::io_context loop;
    task_group group(loop.get_executor());
    std::optional<bool> joined;

    asio::co_spawn(loop, join_into(&group, 60s, &joined), asio::detached);
    poll(loop);

    EXPECT_EQ(joined, true);
}

TEST(TaskGroup, JoinIsFalseAtItsDeadline) {
    asio::io_context loop;
    task_group group(loop.get_executor());
    std::string note;
    std::optional<bool> joined;
    group.spawn("stuck", sleep_then_note(1h, &note));
    asio::co_spawn(loop, join_into(&group, 3s, &joined), asio::detached);
    poll(loop);

    manual_clock::advance(3s);
    poll(loop);

    EXPECT_EQ(joined, false);
    EXPECT_EQ(group.size(), 1U);
    group.cancel();
    poll(loop);
}

TEST(TaskGroup, ACancelledTaskSeesAnErrorAndMayStillAwait) {
    asio::io_context loop;
    task_group group(loop.get_executor());
    std::string note;
    group.spawn("twice", sleep_twice(&note));
    poll(loop);

    group.cancel();
    poll(loop);
    EXPECT_EQ(note, "cancelled;");

    manual_clock::advance(10s);
    poll(loop);
    EXPECT_EQ(note, "cancelled;slept;");
    EXPECT_EQ(group.size(), 0U);
}

TEST(TaskGroup, SpawningAfterCancelRunsNothing) {
    asio::io_context loop;
    task_group group(loop.get_executor());
    std::string note;
    group.cancel();

    group.spawn("late", sleep_then_note(1s, &note));
    poll(loop);

    EXPECT_EQ(note, "");
    EXPECT_EQ(group.size(), 0U);
}

TEST(TaskGroup, AStrayExceptionIsLoggedByNameAndReported) {
    quiet_log log;
    asio::io_context loop;
    std::string reported;
    task_group group(loop.get_executor(), [&](std::string_view task, std::string_view what) {
        reported += std::string(task) + ":" + std::string(what) + ";";
    });
    group.spawn("careless", throws("spilled"));
    group.spawn("odd", throws_int());
    poll(loop);

    manual_clock::advance(1s);
    poll(loop);

    EXPECT_EQ(group.size(), 0U);
    EXPECT_NE(reported.find("careless:spilled;"), std::string::npos);
    EXPECT_NE(reported.find("odd:an exception that is not"), std::string::npos);
    EXPECT_NE(log.lines.find("careless"), std::string::npos);
}

TEST(TaskGroup, DestructionCancelsAndReportsNothingMore) {
    quiet_log log;
    asio::io_context loop;
    std::string note;
    bool reported = false;
    auto group = std::make_unique<task_group>(
        loop.get_executor(), [&](std::string_view, std::string_view) { reported = true; });
    group->spawn("sleeper", sleep_then_note(1h, &note));
    group->spawn("careless", throws("late"));
    poll(loop);

    group.reset();
    poll(loop);

    EXPECT_EQ(note, "cancelled;");
    EXPECT_FALSE(reported);
}

TEST(TaskGroup, TheFaultHandlerMayDestroyTheGroup) {
    quiet_log log;
    asio::io_context loop;
    std::unique_ptr<task_group> group;
    group = std::make_unique<task_group>(
        loop.get_executor(), [&](std::string_view, std::string_view) { group.reset(); });
    group->spawn("careless", throws("now"));
    poll(loop);

    manual_clock::advance(1s);
    poll(loop);

    EXPECT_EQ(group, nullptr);
}

}  // namespace
}  // namespace shardgate
