// SPDX-License-Identifier: Apache-2.0
#include "shardgate/transport/resolver.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <future>
#include <optional>
#include <string>
#include <thread>

#include "support/run_until.hpp"

namespace shardgate {
namespace {

using namespace std::chrono_literals;
using addresses = resolver::addresses;

// A question that blocks until the test lets it answer.
struct gate {
    std::promise<void> open;
    std::shared_future<void> opened{open.get_future()};
    std::atomic<int> asked{0};
};

class Resolver : public ::testing::Test {
protected:
    boost::asio::io_context loop{1};
    std::shared_ptr<gate> shared_gate = std::make_shared<gate>();

    resolver& dns() { return resolver::of(loop.get_executor()); }
    void block_until_open(duration deadline) {
        dns().replace(
            [g = shared_gate](const std::string& host, addresses& found) {
                ++g->asked;
                g->opened.wait();
                if (host == "nowhere") return error_code(boost::asio::error::host_not_found);
                found.push_back(boost::asio::ip::make_address("192.0.2.7"));
                return error_code();
            },
            deadline);
    }
    struct answer {
        std::optional<error_code> code;
        addresses found;
        resolver::callback callback() {
            return [this](const error_code& c, const addresses& f) {
                EXPECT_FALSE(code.has_value()) << "answered twice";
                code = c;
                found = f;
            };
        }
    };
    resolver::ticket ask(const std::string& host, answer& a) {
        return dns().lookup(loop.get_executor(), host, a.callback());
    }
};

TEST_F(Resolver, SharesOneQuestionAmongWaiters) {
    block_until_open(5s);
    answer first, second, other;
    const auto a = ask("host", first);
    const auto b = ask("host", second);
    const auto c = ask("other", other);
    EXPECT_FALSE(first.code.has_value());
    shared_gate->open.set_value();

    ASSERT_TRUE(testing::run_until(loop, [&] { return first.code && second.code && other.code; }));

    EXPECT_EQ(shared_gate->asked, 2);
    EXPECT_EQ(dns().stats().lookups, 2U);
    EXPECT_EQ(dns().stats().shared, 1U);
    EXPECT_FALSE(*first.code);
    EXPECT_EQ(first.found.at(0).to_string(), "192.0.2.7");
    EXPECT_EQ(second.found, first.found);
}

TEST_F(Resolver, RemembersNothingAfterTheAnswer) {
    block_until_open(5s);
    shared_gate->open.set_value();
    for (int i = 1; i <= 3; ++i) {
        answer a;
        const auto t = ask("host", a);
        ASSERT_TRUE(testing::run_until(loop, [&] { return a.code.has_value(); }));
        EXPECT_EQ(shared_gate->asked, i);
    }
}

TEST_F(Resolver, TellsFailures) {
    block_until_open(5s);
    shared_gate->open.set_value();
    answer a;
    const auto t = ask("nowhere", a);

    ASSERT_TRUE(testing::run_until(loop, [&] { return a.code.has_value(); }));

    EXPECT_EQ(*a.code, boost::asio::error::host_not_found);
}

TEST_F(Resolver, AnswersLiteralsWithoutAsking) {
    block_until_open(5s);
    answer four, six;
    const auto a = ask("192.0.2.1", four);
    const auto b = ask("2001:db8::1", six);
    EXPECT_FALSE(four.code.has_value()) << "never from inside lookup()";

    ASSERT_TRUE(testing::run_until(loop, [&] { return four.code && six.code; }));

    EXPECT_EQ(four.found.at(0).to_string(), "192.0.2.1");
    EXPECT_TRUE(six.found.at(0).is_v6());
    EXPECT_EQ(shared_gate->asked, 0);
    shared_gate->open.set_value();
}

TEST_F(Resolver, AStuckQuestionMeetsItsDeadlineAndTheNextIsANewOne) {
    block_until_open(20ms);
    answer first;
    const auto a = ask("host", first);
    ASSERT_TRUE(testing::run_until(loop, [&] { return first.code.has_value(); }));
    EXPECT_EQ(*first.code, boost::asio::error::timed_out);
    EXPECT_EQ(dns().stats().timed_out, 1U);

    block_until_open(5s);
    answer second;
    const auto b = ask("host", second);
    shared_gate->open.set_value();
    ASSERT_TRUE(testing::run_until(loop, [&] { return second.code.has_value(); }));

    EXPECT_FALSE(*second.code);
    EXPECT_EQ(shared_gate->asked, 2);
}

TEST_F(Resolver, AWithdrawnWaitIsNotAnsweredAndHoldsNoLoop) {
    block_until_open(1h);
    answer a;
    { const auto t = ask("host", a); }

    loop.run();  // returns although the deadline is an hour away

    EXPECT_FALSE(a.code.has_value());
    shared_gate->open.set_value();
}

TEST_F(Resolver, OneWithdrawalLeavesTheOthers) {
    block_until_open(5s);
    answer gone, kept;
    auto a = ask("host", gone);
    const auto b = ask("host", kept);
    a.withdraw();
    shared_gate->open.set_value();

    ASSERT_TRUE(testing::run_until(loop, [&] { return kept.code.has_value(); }));

    EXPECT_FALSE(gone.code.has_value());
}

TEST_F(Resolver, AnAnswerMayAskAgain) {
    block_until_open(5s);
    shared_gate->open.set_value();
    answer again;
    resolver::ticket second;
    const auto first =
        dns().lookup(loop.get_executor(), "host",
                     [&](const error_code&, const addresses&) { second = ask("host", again); });

    ASSERT_TRUE(testing::run_until(loop, [&] { return again.code.has_value(); }));

    EXPECT_EQ(shared_gate->asked, 2);
}

TEST_F(Resolver, ALoopMayGoWhileAThreadIsStuck) {
    const auto g = shared_gate;
    answer a;
    resolver::ticket t;
    {
        boost::asio::io_context short_lived{1};
        auto& dns = resolver::of(short_lived.get_executor());
        dns.replace(
            [g](const std::string&, addresses&) {
                ++g->asked;
                g->opened.wait();
                return error_code();
            },
            5s);
        t = dns.lookup(short_lived.get_executor(), "host", a.callback());
        while (g->asked == 0)
            std::this_thread::yield();
    }
    g->open.set_value();  // the thread finds the loop gone

    EXPECT_FALSE(a.code.has_value());
}

TEST_F(Resolver, AsksTheSystemByDefault) {
    answer a;
    const auto t = ask("localhost", a);

    ASSERT_TRUE(testing::run_until(loop, [&] { return a.code.has_value(); }));

    // A machine without a hosts file may not know it.
    EXPECT_TRUE(*a.code || a.found.at(0).is_loopback());
}

}  // namespace
}  // namespace shardgate
