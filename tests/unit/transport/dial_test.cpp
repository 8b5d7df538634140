// SPDX-License-Identifier: Apache-2.0
#include "shardgate/transport/dial.hpp"

#include <gtest/gtest.h>

#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <optional>
#include <string>
#include <vector>

#include "shardgate/transport/resolver.hpp"
#include "support/run_until.hpp"

namespace shardgate {
namespace {

using namespace std::chrono_literals;
using boost::asio::ip::make_address;
using boost::asio::ip::tcp;

std::vector<std::string> order_of(const std::vector<std::string>& texts, std::size_t limit) {
    std::vector<boost::asio::ip::address> in;
    for (const std::string& t : texts)
        in.push_back(make_address(t));
    std::vector<std::string> out;
    for (const auto& a : interleave_families(in, limit))
        out.push_back(a.to_string());
    return out;
}

TEST(Dial, AlternatesFamiliesFromThePreferredOne) {
    EXPECT_EQ(order_of({"::1", "::2", "::3", "10.0.0.1", "10.0.0.2"}, 8),
              (std::vector<std::string>{"::1", "10.0.0.1", "::2", "10.0.0.2", "::3"}));
    EXPECT_EQ(order_of({"10.0.0.1", "::1", "::2"}, 2),
              (std::vector<std::string>{"10.0.0.1", "::1"}));
    EXPECT_EQ(order_of({}, 8), std::vector<std::string>{});
}

class Dialling : public ::testing::Test {
protected:
    boost::asio::io_context loop{1};
    tcp::acceptor acceptor{loop, tcp::endpoint(make_address("127.0.0.1"), 0)};
    std::optional<dialled> result;
    std::unique_ptr<dial> dialling;

    void resolve_to(std::vector<std::string> texts) {
        resolver::of(loop.get_executor())
            .replace(
                [texts](const std::string&, resolver::addresses& found) {
                    for (const std::string& t : texts)
                        found.push_back(make_address(t));
                    return texts.empty() ? error_code(boost::asio::error::host_not_found)
                                         : error_code();
                },
                5s);
    }
    void start(std::uint16_t port) {
        dialling = dial::start(loop.get_executor(), "gateway.example", port,
                               [this](dialled d) { result.emplace(std::move(d)); });
        EXPECT_FALSE(result.has_value());
    }
    [[nodiscard]] bool until_done() {
        return testing::run_until(loop, [this] { return result.has_value(); });
    }
    [[nodiscard]] std::uint16_t port() const { return acceptor.local_endpoint().port(); }
};

TEST_F(Dialling, Connects) {
    resolve_to({"127.0.0.1"});
    start(port());

    ASSERT_TRUE(until_done());

    EXPECT_FALSE(result->code);
    EXPECT_TRUE(dialling->looked_up());
    EXPECT_EQ(result->socket.remote_endpoint().port(), port());
}

TEST_F(Dialling, ARefusalGoesToTheNextAddressAtOnce) {
    // Nothing listens there on the IPv6 side and on 127.0.0.2.
    resolve_to({"::1", "127.0.0.2", "127.0.0.1"});
    const auto begin = std::chrono::steady_clock::now();
    start(port());

    ASSERT_TRUE(until_done());

    EXPECT_FALSE(result->code) << result->detail;
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 2 * dial::attempt_delay)
        << "two refusals, no head start spent";
}

TEST_F(Dialling, ASilentAddressHoldsTheOthersOnlyForItsHeadStart) {
    // A listener whose queue is full drops what comes: connecting there hangs.
    tcp::acceptor deaf(loop);
    deaf.open(tcp::v4());
    deaf.bind(tcp::endpoint(make_address("127.0.0.3"), port()));
    deaf.listen(0);
    std::vector<tcp::socket> fill;
    for (int i = 0; i < 3; ++i) {
        fill.emplace_back(loop);
        fill.back().async_connect(deaf.local_endpoint(), [](const error_code&) {});
    }
    testing::run_ready(loop);
    resolve_to({"127.0.0.3", "127.0.0.1"});
    const auto begin = std::chrono::steady_clock::now();
    start(port());

    ASSERT_TRUE(until_done());

    EXPECT_FALSE(result->code) << result->detail;
    EXPECT_EQ(result->socket.remote_endpoint().address().to_string(), "127.0.0.1");
    EXPECT_GE(std::chrono::steady_clock::now() - begin, dial::attempt_delay);
}

TEST_F(Dialling, AllRefusedIsAFailureThatNamesTheHost) {
    resolve_to({"127.0.0.2", "127.0.0.4"});
    start(port());

    ASSERT_TRUE(until_done());

    EXPECT_EQ(result->code, boost::asio::error::connection_refused);
    EXPECT_TRUE(result->looked_up);
    EXPECT_NE(result->detail.find("gateway.example"), std::string::npos);
    EXPECT_NE(result->detail.find("2 addresses"), std::string::npos);
}

TEST_F(Dialling, AnUnknownNameIsAFailureOfTheLookup) {
    resolve_to({});
    start(port());

    ASSERT_TRUE(until_done());

    EXPECT_EQ(result->code, boost::asio::error::host_not_found);
    EXPECT_FALSE(result->looked_up);
}

TEST_F(Dialling, CancellingSaysNothing) {
    resolve_to({"127.0.0.1"});
    for (int steps = 0; steps < 6; ++steps) {
        start(port());
        for (int i = 0; i < steps && !result; ++i) {
            loop.restart();
            loop.run_one_for(20ms);
        }
        const bool was_done = result.has_value();
        dialling.reset();
        testing::run_ready(loop);
        EXPECT_EQ(result.has_value(), was_done);
        result.reset();
    }
}

TEST_F(Dialling, TheCallbackMayDestroyIt) {
    resolve_to({"127.0.0.1"});
    bool called = false;
    dialling = dial::start(loop.get_executor(), "x", port(), [&](dialled) {
        dialling.reset();
        called = true;
    });

    EXPECT_TRUE(testing::run_until(loop, [&] { return called; }));
}

}  // namespace
}  // namespace shardgate
