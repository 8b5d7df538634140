// SPDX-License-Identifier: Apache-2.0
#include "shardgate/runtime/poller.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <vector>

namespace shardgate {
namespace {

struct pair_of_sockets {
    int ours = -1, theirs = -1;
    pair_of_sockets() {
        int both[2];
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, both), 0);
        ours = both[0], theirs = both[1];
    }
    pair_of_sockets(const pair_of_sockets&) = delete;
    pair_of_sockets& operator=(const pair_of_sockets&) = delete;
    ~pair_of_sockets() {
        ::close(ours);
        if (theirs >= 0) ::close(theirs);
    }
    void say(char c) const { EXPECT_EQ(::send(theirs, &c, 1, 0), 1); }
    [[nodiscard]] char hear() const {
        char c = 0;
        return ::recv(ours, &c, 1, 0) == 1 ? c : '\0';
    }
};

struct ear final : poller::watcher {
    std::function<void(std::uint32_t)> heard;
    void on_ready(std::uint32_t events) override { heard(events); }
};

TEST(Poller, TellsAgainAndAgainWithoutBeingAskedAgain) {
    boost::asio::io_context io;
    poller& p = poller::of(io);
    pair_of_sockets s;
    ear e;
    std::string heard;
    e.heard = [&](std::uint32_t) {
        heard += s.hear();
        if (heard.size() < 3)
            s.say(static_cast<char>('a' + heard.size()));
        else
            p.remove(s.ours, e);
    };
    ASSERT_FALSE(p.add(s.ours, EPOLLIN, e));
    s.say('a');
    io.run();  // ends by itself: nothing is watched any more
    EXPECT_EQ(heard, "abc");
}

TEST(Poller, TheEndOfAStreamIsToldThoughItCameWithTheLastBytes) {
    boost::asio::io_context io;
    poller& p = poller::of(io);
    pair_of_sockets s;
    ear e;
    std::string heard;
    e.heard = [&](std::uint32_t) {
        const char c = s.hear();
        heard += c == '\0' ? '.' : c;
        if (c == '\0') p.remove(s.ours, e);
    };
    ASSERT_FALSE(p.add(s.ours, EPOLLIN, e));
    s.say('x');
    ::close(s.theirs);
    s.theirs = -1;
    io.run();
    EXPECT_EQ(heard, "x.");
}

TEST(Poller, WhoIsRemovedHearsNothingOfWhatWasToldAlready) {
    boost::asio::io_context io;
    poller& p = poller::of(io);
    std::vector<std::unique_ptr<pair_of_sockets>> sockets;
    std::vector<std::unique_ptr<ear>> ears;
    int heard = 0;
    for (int i = 0; i < 10; ++i) {
        sockets.push_back(std::make_unique<pair_of_sockets>());
        ears.push_back(std::make_unique<ear>());
        ASSERT_FALSE(p.add(sockets.back()->ours, EPOLLIN, *ears.back()));
        sockets.back()->say('x');
    }
    for (auto& e : ears)
        e->heard = [&](std::uint32_t) {
            ++heard;
            for (std::size_t i = 0; i < ears.size(); ++i)
                p.remove(sockets[i]->ours, *ears[i]);
        };
    io.run();
    EXPECT_EQ(heard, 1);
}

TEST(Poller, RoomToWriteIsToldWhenAskedFor) {
    boost::asio::io_context io;
    poller& p = poller::of(io);
    pair_of_sockets s;
    ear e;
    std::uint32_t told = 0;
    e.heard = [&](std::uint32_t events) {
        told |= events;
        p.remove(s.ours, e);
    };
    ASSERT_FALSE(p.add(s.ours, EPOLLIN, e));
    boost::asio::post(io, [&] { p.change(s.ours, EPOLLIN | EPOLLOUT, e); });
    io.run();
    EXPECT_EQ(told, static_cast<std::uint32_t>(EPOLLOUT));
}

TEST(Poller, WhatEpollRefusesIsAnErrorAndNotWatched) {
    boost::asio::io_context io;
    poller& p = poller::of(io);
    ear e;
    EXPECT_TRUE(p.add(-1, EPOLLIN, e));
    io.run();
}

TEST(Poller, MayOutliveItsLoopsWork) {
    pair_of_sockets s;
    ear e;
    e.heard = [](std::uint32_t) { ADD_FAILURE(); };
    boost::asio::io_context io;
    ASSERT_FALSE(poller::of(io).add(s.ours, EPOLLIN, e));
    s.say('x');
}

// While much is ready it looks again by itself: the loop turned once.
TEST(Poller, WhatBecomesReadyMeanwhileIsToldInTheSameTurn) {
    boost::asio::io_context io;
    poller& p = poller::of(io);
    std::array<pair_of_sockets, 5> s;
    std::array<ear, 5> ears;
    std::string heard;
    for (std::size_t i = 0; i < s.size(); ++i) {
        ears[i].heard = [&, i](std::uint32_t) {
            heard += s[i].hear();
            if (i == 0) s[4].say('e');
        };
        ASSERT_FALSE(p.add(s[i].ours, EPOLLIN, ears[i]));
    }
    for (std::size_t i = 0; i < 4; ++i)
        s[i].say(static_cast<char>('a' + i));
    ASSERT_EQ(io.run_one_for(std::chrono::seconds(10)), 1U);
    EXPECT_EQ(heard.size(), 5U) << heard;
    EXPECT_EQ(heard.back(), 'e');
    for (std::size_t i = 0; i < s.size(); ++i)
        p.remove(s[i].ours, ears[i]);
}

// One that never falls silent does not keep the loop.
TEST(Poller, TheRestOfTheLoopHasItsTurn) {
    boost::asio::io_context io;
    poller& p = poller::of(io);
    std::array<pair_of_sockets, 8> s;
    std::array<ear, 8> ears;
    std::size_t told = 0;
    bool posted_ran = false;
    for (std::size_t i = 0; i < s.size(); ++i) {
        ears[i].heard = [&, i](std::uint32_t) {
            static_cast<void>(s[i].hear());
            s[i].say('x');
            ++told;
        };
        ASSERT_FALSE(p.add(s[i].ours, EPOLLIN, ears[i]));
        s[i].say('x');
    }
    boost::asio::post(io, [&] { posted_ran = true; });
    while (!posted_ran || told == 0)
        ASSERT_EQ(io.run_one_for(std::chrono::seconds(10)), 1U);
    EXPECT_LE(told, 64U);
    for (std::size_t i = 0; i < s.size(); ++i)
        p.remove(s[i].ours, ears[i]);
}

struct closer final : poller::finisher {
    std::function<void()> closed;
    void on_turn_end() override { closed(); }
};

TEST(Poller, TheEndOfATurnIsToldOnceForAllThatItBrought) {
    boost::asio::io_context io;
    poller& p = poller::of(io);
    std::array<pair_of_sockets, 3> s;
    std::array<ear, 3> ears;
    closer c;
    std::string told;
    c.closed = [&] {
        told += '.';
        EXPECT_FALSE(p.at_turn_end(c));  // over is over
    };
    for (std::size_t i = 0; i < s.size(); ++i) {
        ears[i].heard = [&, i](std::uint32_t) {
            told += s[i].hear();
            EXPECT_TRUE(p.at_turn_end(c));
            p.remove(s[i].ours, ears[i]);
        };
        ASSERT_FALSE(p.add(s[i].ours, EPOLLIN, ears[i]));
        s[i].say('x');
    }
    EXPECT_FALSE(p.at_turn_end(c));
    io.run();
    EXPECT_EQ(told, "xxx.");
}

TEST(Poller, WhoIsGoneIsNotToldOfTheEnd) {
    boost::asio::io_context io;
    poller& p = poller::of(io);
    pair_of_sockets s;
    ear e;
    closer gone, other;
    int ends = 0;
    gone.closed = [] { ADD_FAILURE(); };
    other.closed = [&] { ++ends; };
    e.heard = [&](std::uint32_t) {
        EXPECT_TRUE(p.at_turn_end(gone));
        EXPECT_TRUE(p.at_turn_end(other));
        p.forget(gone);
        p.remove(s.ours, e);
    };
    ASSERT_FALSE(p.add(s.ours, EPOLLIN, e));
    s.say('x');
    io.run();
    EXPECT_EQ(ends, 1);
}

// Turns begin so far apart; the loop does other things meanwhile.
TEST(Poller, APaceHoldsTurnsApartAndNothingElse) {
    constexpr auto pace = std::chrono::milliseconds(20);
    boost::asio::io_context io;
    poller& p = poller::of(io);
    p.set_pace([&] { return pace; });
    pair_of_sockets s;
    ear e;
    std::vector<time_point> turns;
    int others = 0;
    std::function<void()> other = [&] {
        ++others;
        if (turns.size() < 3) boost::asio::post(io, other);
    };
    e.heard = [&](std::uint32_t) {
        turns.push_back(clock::now());
        EXPECT_EQ(s.hear(), 'x');
        if (turns.size() == 3) return p.remove(s.ours, e);
        s.say('x');  // ready again at once
    };
    ASSERT_FALSE(p.add(s.ours, EPOLLIN, e));
    s.say('x');
    boost::asio::post(io, other);
    io.run();
    ASSERT_EQ(turns.size(), 3U);
    // The first is told a little after its turn's begin, which the pace counts from.
    EXPECT_GT(turns[2] - turns[0], 2 * pace - pace / 2);
    EXPECT_GT(others, 3);
}

// It would rest an hour after the turn that found nothing.
TEST(Poller, AfterARestThatBroughtNothingTheNextOneIsToldAtOnce) {
    boost::asio::io_context io;
    poller& p = poller::of(io);
    int turns = 0;
    p.set_pace([&]() -> duration {
        if (++turns == 1) return std::chrono::milliseconds(1);
        return std::chrono::hours(1);
    });
    pair_of_sockets s;
    ear e;
    std::string heard;
    std::function<void()> speak = [&] {
        if (turns < 2) return boost::asio::post(io, speak);
        s.say('y');
    };
    e.heard = [&](std::uint32_t) {
        heard += s.hear();
        if (heard.size() == 2) return p.remove(s.ours, e);
        boost::asio::post(io, speak);
    };
    ASSERT_FALSE(p.add(s.ours, EPOLLIN, e));
    s.say('x');
    io.run();
    EXPECT_EQ(heard, "xy");
}

TEST(Poller, ALoopMayEndWhileItRests) {
    pair_of_sockets s;
    ear e;
    boost::asio::io_context io;
    poller& p = poller::of(io);
    p.set_pace([] { return std::chrono::hours(1); });
    e.heard = [&](std::uint32_t) {
        EXPECT_EQ(s.hear(), 'x');
        boost::asio::post(io, [&] { p.remove(s.ours, e); });
    };
    ASSERT_FALSE(p.add(s.ours, EPOLLIN, e));
    s.say('x');
    io.run();  // does not wait for the hour: nothing is watched any more
}

struct flood final : poller::intake {
    std::function<void()> let_in;
    void on_intake() override { let_in(); }
};

void take_longer_than_a_turn_has() {
    const time_point end = clock::now() + std::chrono::milliseconds(5);
    while (clock::now() < end) {
    }
}

TEST(Poller, WhatMayBeMuchIsLetInAfterAllElseInTheOrderAsked) {
    boost::asio::io_context io;
    poller& p = poller::of(io);
    std::array<pair_of_sockets, 3> s;
    std::array<ear, 3> ears;
    std::array<flood, 2> floods;
    closer c;
    std::string told;
    c.closed = [&] { told += '.'; };
    for (std::size_t i = 0; i < floods.size(); ++i)
        floods[i].let_in = [&, i] { told += static_cast<char>('1' + i); };
    for (std::size_t i = 0; i < s.size(); ++i) {
        ears[i].heard = [&, i](std::uint32_t) {
            told += s[i].hear();
            if (i < floods.size()) p.ask(floods[i]);
            EXPECT_TRUE(p.at_turn_end(c));
            p.remove(s[i].ours, ears[i]);
        };
        ASSERT_FALSE(p.add(s[i].ours, EPOLLIN, ears[i]));
        s[i].say('x');
    }
    io.run();
    EXPECT_EQ(told, "xxx12.");
}

// Each takes a turn's whole time and always has more: nobody else waits longer than that.
TEST(Poller, FloodsTakeTurnsAndKeepNobodyWaiting) {
    boost::asio::io_context io;
    poller& p = poller::of(io);
    pair_of_sockets s;
    ear answers;
    std::array<flood, 3> floods;
    std::string told;
    answers.heard = [&](std::uint32_t) {
        EXPECT_EQ(s.hear(), 'x');
        told += 'x';
        s.say('x');
    };
    for (std::size_t i = 0; i < floods.size(); ++i)
        floods[i].let_in = [&, i] {
            told += static_cast<char>('a' + i);
            take_longer_than_a_turn_has();
            if (std::count(told.begin(), told.end(), 'c') < 2)
                p.ask(floods[i]);
            else
                p.remove(s.ours, answers);
        };
    ASSERT_FALSE(p.add(s.ours, EPOLLIN, answers));
    s.say('x');
    for (flood& f : floods)
        p.ask(f);
    io.run();
    EXPECT_EQ(told.substr(0, 12), "xaxbxcxaxbxc");
}

TEST(Poller, WhoAsksIsLetInThoughNoSocketTells) {
    boost::asio::io_context io;
    poller& p = poller::of(io);
    flood f;
    int times = 0;
    f.let_in = [&] {
        if (++times < 3) p.ask(f);
    };
    boost::asio::post(io, [&] { p.ask(f); });
    io.run();
    EXPECT_EQ(times, 3);
}

TEST(Poller, WhoIsForgottenIsNotLetIn) {
    boost::asio::io_context io;
    poller& p = poller::of(io);
    flood gone, other;
    int times = 0;
    gone.let_in = [] { ADD_FAILURE(); };
    other.let_in = [&] {
        ++times;
        p.forget(gone);
    };
    p.ask(other);
    p.ask(gone);
    io.run();
    EXPECT_EQ(times, 1);
}

}  // namespace
}  // namespace shardgate
