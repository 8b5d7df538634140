// SPDX-License-Identifier: Apache-2.0
// The loop turns while the configuration is read, however long that takes.
#include "app/settings_reader.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/run_until.hpp"

namespace shardgate {
namespace {

using namespace std::chrono_literals;

constexpr auto plenty = 20s;

// A disk that answers when the test lets it; what is read carries the reading's number. Shared, as
// the thread may outlive the reader.
struct disk {
    std::promise<void> open;
    std::shared_future<void> opened{open.get_future()};
    std::atomic<int> readings{0};
    std::atomic<int> ended{0};
    std::atomic<bool> throws{false};

    config::loaded read() {
        const int number = ++readings;
        opened.wait();
        ++ended;
        if (throws) throw std::runtime_error("no memory for it");
        config::loaded out;
        out.settings.emplace();
        out.settings->sharding.total = static_cast<std::uint32_t>(number);
        return out;
    }
};

class SettingsReader : public ::testing::Test {
protected:
    boost::asio::io_context loop{1};
    std::shared_ptr<disk> at = std::make_shared<disk>();
    std::thread::id loop_thread = std::this_thread::get_id();
    std::vector<std::string> told;  // "NAME:TOTAL" or "NAME:PROBLEM"

    std::unique_ptr<settings_reader> reader(duration patience = plenty) {
        return std::make_unique<settings_reader>(
            loop.get_executor(), [d = at] { return d->read(); }, patience);
    }
    settings_reader::callback tell(std::string name) {
        return [this, name = std::move(name)](config::loaded found) {
            EXPECT_EQ(std::this_thread::get_id(), loop_thread);
            if (found.settings)
                told.push_back(name + ":" + std::to_string(found.settings->sharding.total.value()));
            else
                told.push_back(name + ":" + found.problems.at(0).text());
        };
    }
    bool run_until_told(std::size_t answers) {
        return testing::run_until(
            loop, [&] { return told.size() >= answers; }, plenty);
    }
};

using texts = std::vector<std::string>;

TEST_F(SettingsReader, AnswersOnTheLoopWhatWasReadInAnotherThread) {
    at->open.set_value();
    const auto r = reader();
    EXPECT_TRUE(r->idle());
    r->read(tell("a"));
    EXPECT_FALSE(r->idle());
    EXPECT_TRUE(told.empty());
    ASSERT_TRUE(run_until_told(1));
    EXPECT_EQ(told, texts{"a:1"});
    EXPECT_TRUE(r->idle());
}

TEST_F(SettingsReader, TheLoopTurnsWhileTheDiskHangs) {
    const auto r = reader();
    r->read(tell("a"));
    ASSERT_TRUE(testing::run_until(
        loop, [&] { return at->readings == 1; }, plenty));
    int turns = 0;
    for (int i = 0; i < 100; ++i)
        boost::asio::post(loop, [&] { ++turns; });
    ASSERT_TRUE(testing::run_until(
        loop, [&] { return turns == 100; }, plenty));
    EXPECT_TRUE(told.empty());
    at->open.set_value();
    ASSERT_TRUE(run_until_told(1));
}

TEST_F(SettingsReader, WhoAsksMeanwhileGetsAReadingThatBeganLater) {
    const auto r = reader();
    r->read(tell("a"));
    ASSERT_TRUE(testing::run_until(
        loop, [&] { return at->readings == 1; }, plenty));
    r->read(tell("b"));
    r->read(tell("c"));
    EXPECT_EQ(at->readings, 1);
    at->open.set_value();
    ASSERT_TRUE(run_until_told(3));
    EXPECT_EQ(told, (texts{"a:1", "b:2", "c:3"}));
}

TEST_F(SettingsReader, IsIdleWhenTheLastIsToldAndNotBefore) {
    at->open.set_value();
    const auto r = reader();
    std::vector<bool> idle;
    for (int i = 0; i < 3; ++i)
        r->read([&](const config::loaded&) { idle.push_back(r->idle()); });
    ASSERT_TRUE(testing::run_until(
        loop, [&] { return idle.size() == 3; }, plenty));
    EXPECT_EQ(idle, (std::vector<bool>{false, false, true}));
}

TEST_F(SettingsReader, AskingFromInsideAnAnswerIsAskingAgain) {
    at->open.set_value();
    const auto r = reader();
    r->read([&, again = tell("b")](const config::loaded&) { r->read(again); });
    ASSERT_TRUE(run_until_told(1));
    EXPECT_EQ(told, texts{"b:2"});
}

TEST_F(SettingsReader, AnExceptionIsAProblem) {
    at->throws = true;
    at->open.set_value();
    const auto r = reader();
    r->read(tell("a"));
    ASSERT_TRUE(run_until_told(1));
    EXPECT_EQ(told, texts{"a:configuration: cannot be read: no memory for it"});
}

TEST_F(SettingsReader, ADiskThatHangsIsAProblemAndItsLateAnswerIsNobodys) {
    const auto r = reader(30ms);
    r->read(tell("a"));
    ASSERT_TRUE(run_until_told(1));
    EXPECT_TRUE(told[0].starts_with("a:configuration: was not read within ")) << told[0];
    EXPECT_TRUE(r->idle());
    // Nor is it that of one who asks while it still hangs.
    r->read(tell("b"));
    EXPECT_EQ(at->readings, 1);
    at->open.set_value();
    ASSERT_TRUE(run_until_told(2));
    const bool in_time = told[1] == "b:2";
    EXPECT_TRUE(in_time || told[1].find("was not read within") != std::string::npos) << told[1];
    told.clear();
    ASSERT_TRUE(testing::run_until(
        loop, [&] { return at->ended == at->readings; }, plenty));
    r->read(tell("c"));
    ASSERT_TRUE(run_until_told(1));
    EXPECT_EQ(told.size(), 1U);
}

TEST_F(SettingsReader, NoMoreThanAFewMayWait) {
    const auto r = reader();
    for (std::size_t i = 0; i < settings_reader::max_askers; ++i)
        r->read(tell("asker"));
    r->read(tell("one more"));
    EXPECT_TRUE(told.empty());
    ASSERT_TRUE(run_until_told(1));
    EXPECT_EQ(told, texts{"one more:configuration: is not read: too many wait for that already"});
    at->open.set_value();
    ASSERT_TRUE(run_until_told(1 + settings_reader::max_askers));
}

TEST_F(SettingsReader, NobodyIsToldOnceItIsDestroyed) {
    auto r = reader();
    for (std::size_t i = 0; i <= settings_reader::max_askers; ++i)
        r->read(tell("a"));
    // One answer is posted before it goes, one would come after.
    std::thread opens([&] { at->open.set_value(); });
    r.reset();
    opens.join();
    testing::run_ready(loop);
    EXPECT_TRUE(told.empty());
}

TEST_F(SettingsReader, ItsEndDoesNotWaitForADiskThatHangs) {
    auto r = reader();
    r->read(tell("a"));
    const time_point began = clock::now();
    r.reset();
    EXPECT_LT(clock::now() - began, 10s);
    at->open.set_value();
    while (at->ended == 0)
        std::this_thread::yield();
    testing::run_ready(loop);
    EXPECT_TRUE(told.empty());
}

}  // namespace
}  // namespace shardgate
