// SPDX-License-Identifier: Apache-2.0
// A stream beneath a connection, where the connection does what it usually does not.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "sink/stream.hpp"

namespace shardgate::sink {
namespace {

using boost::asio::ip::tcp;
using namespace std::chrono_literals;

struct ear final : stream_listener {
    void on_connected(const error_code& ec, std::string_view) override {
        EXPECT_FALSE(ec) << ec.message();
        connected = !ec;
    }
    void on_read(const error_code& ec, std::size_t size) override {
        read = ec, bytes = size, ++reads;
    }
    void on_written(const error_code&) override {}

    bool connected = false;
    error_code read;
    std::size_t bytes = 0;
    int reads = 0;
};

class PlainStream : public ::testing::Test {
protected:
    PlainStream() {
        acceptor.async_accept(peer, [](const error_code& ec) { EXPECT_FALSE(ec); });
        const auto to = parse_endpoint(
            "http://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()) + "/");
        where = *to;
        tested = make_plain_stream(io.get_executor(), where);
        tested->connect(heard);
        const auto end = std::chrono::steady_clock::now() + 10s;
        while (!(heard->connected && peer.is_open()) && std::chrono::steady_clock::now() < end)
            io.run_one_for(1s);
    }
    // Runs until nothing is left to wait for; false: something still waits, or spins.
    [[nodiscard]] bool run_out_of_work() {
        io.restart();
        io.run_for(10s);
        return io.stopped();
    }

    boost::asio::io_context io;
    tcp::acceptor acceptor{io, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0)};
    tcp::socket peer{io};
    endpoint where;
    std::shared_ptr<ear> heard = std::make_shared<ear>();
    std::unique_ptr<stream> tested;
    std::array<char, 64> buffer{};
};

TEST_F(PlainStream, NobodyIsToldForEverOfAPeerThatWentWhileNobodyReads) {
    ASSERT_TRUE(heard->connected);
    peer.set_option(tcp::socket::linger(true, 0));
    peer.close();  // a reset: epoll cannot be asked to leave that out
    EXPECT_TRUE(run_out_of_work());
    EXPECT_EQ(heard->reads, 0);
    tested->read(buffer.data(), buffer.size(), heard);
    EXPECT_TRUE(run_out_of_work());
    EXPECT_EQ(heard->reads, 1);
    EXPECT_TRUE(heard->read);
}

TEST_F(PlainStream, WhatCameWhileNobodyReadIsReadLater) {
    ASSERT_TRUE(heard->connected);
    boost::asio::write(peer, boost::asio::buffer("hello", 5));
    EXPECT_TRUE(run_out_of_work());
    tested->read(buffer.data(), buffer.size(), heard);
    io.restart();
    while (heard->reads == 0 && io.run_one_for(10s) > 0) {
    }
    EXPECT_EQ(heard->bytes, 5U);
    EXPECT_FALSE(heard->read);
}

TEST_F(PlainStream, WhoeverReadsWhenItIsClosedIsTold) {
    ASSERT_TRUE(heard->connected);
    tested->read(buffer.data(), buffer.size(), heard);
    tested->close();
    EXPECT_EQ(heard->reads, 0);  // not from inside
    EXPECT_TRUE(run_out_of_work());
    EXPECT_EQ(heard->read, boost::asio::error::operation_aborted);
}

// More than a system call takes at a time.
TEST_F(PlainStream, ManyPiecesArriveInOrder) {
    ASSERT_TRUE(heard->connected);
    std::string expected;
    for (int i = 0; i < 5000; ++i)
        expected += std::to_string(i) + ',';
    std::vector<std::string_view> pieces;
    for (std::size_t from = 0; from < expected.size();) {
        const std::size_t size = std::min<std::size_t>(expected.find(',', from) + 1 - from, 6);
        pieces.push_back(std::string_view(expected).substr(from, size));
        pieces.emplace_back();  // and empty ones between
        from += size;
    }
    ASSERT_GT(pieces.size(), 4096U);
    ASSERT_EQ(tested->write(pieces), stream::write_result::all);
    std::string got(expected.size(), '\0');
    boost::asio::read(peer, boost::asio::buffer(got));
    EXPECT_EQ(got, expected);
}

}  // namespace
}  // namespace shardgate::sink
