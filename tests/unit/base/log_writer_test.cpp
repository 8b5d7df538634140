// SPDX-License-Identifier: Apache-2.0
#include "base/log_writer.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <memory>
#include <string>
#include <thread>

namespace shardgate::log {
namespace {

class Pipe {
public:
    Pipe() { EXPECT_EQ(::pipe(ends_.data()), 0); }
    ~Pipe() {
        close_reader();
        ::close(ends_[1]);
    }
    [[nodiscard]] int reader() const { return ends_[0]; }
    [[nodiscard]] int writer() const { return ends_[1]; }
    void close_reader() {
        if (ends_[0] >= 0) ::close(ends_[0]);
        ends_[0] = -1;
    }
    // Fills the pipe, so that the next write waits.
    void fill() const {
        const std::string block(4096, '.');
        const int flags = ::fcntl(ends_[1], F_GETFL);
        ::fcntl(ends_[1], F_SETFL, flags | O_NONBLOCK);
        while (::write(ends_[1], block.data(), block.size()) > 0) {
        }
        ::fcntl(ends_[1], F_SETFL, flags);
    }
    [[nodiscard]] std::string read_some() const {
        std::array<char, 65536> text{};
        const ssize_t n = ::read(ends_[0], text.data(), text.size());
        return {text.data(), n > 0 ? static_cast<std::size_t>(n) : 0};
    }

private:
    std::array<int, 2> ends_{-1, -1};
};

TEST(LogWriter, WritesLinesInOrder) {
    const Pipe pipe;
    writer w(pipe.writer(), 16);

    w.post("first");
    w.post("second");

    ASSERT_TRUE(w.drain(std::chrono::seconds(10)));
    EXPECT_EQ(pipe.read_some(), "first\nsecond\n");
    EXPECT_EQ(w.lost(), 0U);
}

TEST(LogWriter, AConsoleThatHangsHoldsNeitherPostNorDrainAndTheOldestLinesGiveWay) {
    auto pipe = std::make_unique<Pipe>();
    pipe->fill();
    {
        writer w(pipe->writer(), 16);
        for (int i = 0; i < 100; ++i)
            w.post("line " + std::to_string(i));

        EXPECT_FALSE(w.drain(std::chrono::milliseconds(50)));
        EXPECT_GE(w.lost(), 80U);

        // The console comes back: what is left is the newest.
        std::string got;
        while (got.find("line 99\n") == std::string::npos)
            got += pipe->read_some();
        EXPECT_TRUE(w.drain(std::chrono::seconds(10)));
        EXPECT_EQ(got.find("line 50\n"), std::string::npos);
    }
}

TEST(LogWriter, AReaderThatWentAwayCostsLinesOnly) {
    Pipe pipe;
    pipe.close_reader();
    const auto before = std::signal(SIGPIPE, SIG_IGN);
    {
        writer w(pipe.writer(), 16);
        w.post("nobody reads this");
        EXPECT_TRUE(w.drain(std::chrono::seconds(10)));
        EXPECT_EQ(w.lost(), 1U);
    }
    std::signal(SIGPIPE, before);
}

TEST(LogWriter, AFullNonBlockingDescriptorIsWaitedFor) {
    const Pipe pipe;
    pipe.fill();
    ::fcntl(pipe.writer(), F_SETFL, ::fcntl(pipe.writer(), F_GETFL) | O_NONBLOCK);
    bool written = false;

    std::thread t([&] { written = write_line(pipe.writer(), "late"); });
    std::string got;
    while (got.find("late\n") == std::string::npos)
        got += pipe.read_some();
    t.join();

    EXPECT_TRUE(written);
}

}  // namespace
}  // namespace shardgate::log
