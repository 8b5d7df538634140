// SPDX-License-Identifier: Apache-2.0
// The server over loopback, on a thread of its own, with a daemon that does not run.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "admin/server_core.hpp"
#include "fake_view.hpp"
#include "raw_client.hpp"
#include "shardgate/base/log.hpp"

namespace shardgate::test {

inline const std::string get_status = "GET /v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n";

class server_fixture : public testing::Test {
protected:
    void start(admin::server_limits limits = {}, admin::guard_rules rules = {},
               const std::string& where = "127.0.0.1:0") {
        auto opened = admin::listener::open(io_.get_executor(), *parse_address(where));
        ASSERT_TRUE(opened.has_value()) << opened.error().detail;
        rules.any_host = opened->is_unix();
        core_ = std::make_shared<admin::server_core>(io_.get_executor(), std::move(*opened),
                                                     std::move(rules), view_, limits);
        admin::server_core::start(core_);
        thread_ = std::thread([this] { io_.run(); });
    }
    template <class F>
    auto on_loop(F f) {
        std::packaged_task<decltype(f())()> task(std::move(f));
        auto done = task.get_future();
        boost::asio::post(io_, [&task] { task(); });
        EXPECT_EQ(done.wait_for(std::chrono::seconds(10)), std::future_status::ready);
        return done.get();
    }
    admin::server_counters counters() {
        return on_loop([this] { return core_->counters(); });
    }
    // Waits (bounded) until the loop says so.
    template <class Condition>
    bool becomes(Condition condition) {
        const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (std::chrono::steady_clock::now() < until) {
            if (condition(counters())) return true;
            std::this_thread::yield();
        }
        return false;
    }
    [[nodiscard]] raw_client connect() { return raw_client(core_->address()); }
    std::string ask(const std::string& bytes) {
        raw_client client = connect();
        client.send(bytes);
        return client.read_answer();
    }
    void expect_alive() {
        EXPECT_EQ(ask(get_status).rfind("HTTP/1.1 200 OK\r\n", 0), 0U) << "after what came before";
    }

    void SetUp() override {
        log::capture([](log::level, std::string_view) {});
    }
    void TearDown() override {
        if (core_) on_loop([this] { core_->stop(); });
        guard_.reset();
        if (thread_.joinable()) thread_.join();  // the loop ends once every coroutine has
        log::capture({});
    }

    boost::asio::io_context io_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_{
        io_.get_executor()};
    fake_view view_;
    std::shared_ptr<admin::server_core> core_;
    std::thread thread_;
};

}  // namespace shardgate::test
