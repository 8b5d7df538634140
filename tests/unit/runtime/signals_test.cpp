// SPDX-License-Identifier: Apache-2.0
#include "shardgate/runtime/signals.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <csignal>
#include <string>

namespace shardgate {
namespace {

using namespace std::chrono_literals;

struct notes {
    std::string text;
    signal_handlers handlers() {
        signal_handlers h;
        h.on_stop = [this](int s) { text += "stop" + std::to_string(s) + ";"; };
        h.on_stop_now = [this](int s) { text += "now" + std::to_string(s) + ";"; };
        h.on_reload = [this] { text += "reload;"; };
        return h;
    }
};

// Signals travel through a pipe: runs the loop until the note is there, at most 5 s.
void run_until(boost::asio::io_context& loop, const notes& n, const std::string& expected) {
    const auto give_up = std::chrono::steady_clock::now() + 5s;
    while (n.text != expected && std::chrono::steady_clock::now() < give_up) {
        loop.restart();
        loop.run_one_for(50ms);
    }
    EXPECT_EQ(n.text, expected);
}

TEST(Signals, TheSecondStopIsTold) {
    boost::asio::io_context loop;
    notes n;
    signal_watcher watcher(loop.get_executor(), n.handlers());

    std::raise(SIGTERM);
    run_until(loop, n, "stop15;");
    std::raise(SIGINT);
    run_until(loop, n, "stop15;now2;");
    std::raise(SIGTERM);
    run_until(loop, n, "stop15;now2;now15;");
}

TEST(Signals, HangUpReloadsAndCountsAsNoStop) {
    boost::asio::io_context loop;
    notes n;
    signal_watcher watcher(loop.get_executor(), n.handlers());

    std::raise(SIGHUP);
    run_until(loop, n, "reload;");
    std::raise(SIGTERM);
    run_until(loop, n, "reload;stop15;");
}

TEST(Signals, AStoppedWatchLetsTheLoopEnd) {
    boost::asio::io_context loop;
    notes n;
    signal_watcher watcher(loop.get_executor(), n.handlers());
    watcher.stop();

    EXPECT_GE(loop.run(), 0U);  // returns: no work is left
    EXPECT_EQ(n.text, "");
}

TEST(Signals, WritingToAPeerThatIsGoneDoesNotKill) {
    boost::asio::io_context loop;
    notes n;
    signal_watcher watcher(loop.get_executor(), n.handlers());
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    ::close(ends[1]);

    EXPECT_EQ(::send(ends[0], "x", 1, 0), -1);
    EXPECT_EQ(errno, EPIPE);
    ::close(ends[0]);
}

}  // namespace
}  // namespace shardgate
