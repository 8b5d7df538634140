// SPDX-License-Identifier: Apache-2.0
#include "shardgate/base/log.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace shardgate::log {
namespace {

// Takes the lines of one test.
class Log : public testing::Test {
protected:
    void SetUp() override {
        configure(level::info, format::text);
        capture([this](level l, std::string_view line) {
            levels.push_back(l);
            lines.emplace_back(line);
        });
    }
    void TearDown() override {
        capture({});
        configure(level::info, format::text);
    }

    std::vector<level> levels;
    std::vector<std::string> lines;
};

TEST_F(Log, OnlyLevelsFromTheThresholdOnAreWritten) {
    debug("hidden");
    info("shown", {{"shard", 3}});
    error("also shown");

    ASSERT_EQ(lines.size(), 2U);
    EXPECT_NE(lines[0].find(" info  shown shard=3"), std::string::npos);
    EXPECT_EQ(levels[1], level::error);
}

TEST_F(Log, OffWritesNothing) {
    configure(level::off, format::text);
    error("hidden");
    write(level::off, "never a level of a line");

    EXPECT_TRUE(lines.empty());
    EXPECT_FALSE(enabled(level::error));
}

TEST_F(Log, TheShapeCanChange) {
    configure(level::debug, format::json);
    debug("m");

    ASSERT_EQ(lines.size(), 1U);
    EXPECT_EQ(lines[0].front(), '{');
    EXPECT_NE(lines[0].find(R"("level":"debug","msg":"m"})"), std::string::npos);
}

TEST_F(Log, RepeatsOfAKeyAreHeldBack) {
    for (int i = 0; i < 100; ++i)
        write_limited(level::warn, "log-test-repeats", "again");
    write_limited(level::warn, "log-test-other", "other");

    EXPECT_EQ(lines.size(), 2U);
}

TEST_F(Log, AHiddenLevelDoesNotUseUpItsKey) {
    write_limited(level::debug, "log-test-hidden", "m");
    configure(level::debug, format::text);
    write_limited(level::debug, "log-test-hidden", "m");

    EXPECT_EQ(lines.size(), 1U);
}

TEST_F(Log, ThreadsDoNotMixTheirLines) {
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([t] {
            for (int i = 0; i < 250; ++i)
                info("from a thread", {{"thread", t}, {"i", i}});
        });
    for (std::thread& t : threads)
        t.join();

    ASSERT_EQ(lines.size(), 1000U);
    for (const std::string& line : lines)
        EXPECT_NE(line.find(" info  from a thread thread="), std::string::npos);
}

TEST(LogWriterSwitch, ShutdownWritesWhatIsQueuedAndLaterLinesGoDirectly) {
    testing::internal::CaptureStderr();
    configure(level::info, format::text);
    for (int i = 0; i < 100; ++i)
        info("queued", {{"i", i}});
    shutdown();
    info("direct");
    shutdown();  // nothing left to do
    const std::string written = testing::internal::GetCapturedStderr();
    configure(level::info, format::text);

    std::size_t at = 0;
    for (int i = 0; i < 100; ++i) {
        at = written.find(" info  queued i=" + std::to_string(i) + "\n", at);
        ASSERT_NE(at, std::string::npos) << i;
    }
    EXPECT_NE(written.find(" info  direct\n", at), std::string::npos);
}

}  // namespace
}  // namespace shardgate::log
