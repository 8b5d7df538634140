// SPDX-License-Identifier: Apache-2.0
// A sink, a loop and what the sink reported.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <map>
#include <string>

#include "sample_events.hpp"
#include "scripted_server.hpp"
#include "shardgate/sink/http_sink.hpp"
#include "support/test_tls.hpp"

namespace shardgate::testing {

class sink_fixture : public ::testing::Test, public post_listener {
protected:
    struct seen_outcome {
        delivery_outcome outcome;
        std::string detail;
        std::size_t order = 0;
    };

    sink_fixture() : tls(*tls_client::make({})) { handler.timeout = patience; }

    void make_sink(const std::vector<std::string>& urls) {
        handler.urls = urls;
        sink = std::make_unique<http_sink>(io.get_executor(), *tls, handler, *this);
    }

    void on_posted(std::uint64_t request, const delivery_outcome& outcome, time_point) override {
        EXPECT_FALSE(posting) << "called from inside post()";
        EXPECT_EQ(outcomes.count(request), 0U) << "request " << request << " reported twice";
        outcomes[request] = {outcome, std::string(outcome.detail), outcomes.size()};
        if (then) then(request);
    }

    void on_answer_near(std::uint64_t request, unsigned step) noexcept override {
        EXPECT_EQ(outcomes.count(request), 0U);
        foretold.emplace_back(request, step);
    }

    void post(std::uint64_t id, std::size_t url = 0) { post(sample_request(id, url)); }
    void post(delivery_request r) {
        const bool outer = std::exchange(posting, true);
        sink->post(std::move(r), clock::now());
        posting = outer;
    }

    // Turns the loop until `done`, or fails after `limit`.
    void run_until(const std::function<bool()>& done,
                   std::chrono::milliseconds limit = std::chrono::seconds(40)) {
        const auto end = std::chrono::steady_clock::now() + limit;
        while (!done()) {
            ASSERT_LT(std::chrono::steady_clock::now(), end) << "did not happen in time";
            io.restart();
            io.run_one_for(std::chrono::milliseconds(20));
        }
    }
    void run_until_posted(std::size_t count) {
        run_until([this, count] { return outcomes.size() >= count; });
    }
    [[nodiscard]] unsigned status(std::uint64_t id) const { return outcomes.at(id).outcome.status; }

    static constexpr std::chrono::milliseconds patience{30000};
    asio::io_context io{1};
    std::unique_ptr<tls_client> tls;
    config::handler handler;
    std::unique_ptr<http_sink> sink;
    std::map<std::uint64_t, seen_outcome> outcomes;
    std::vector<std::pair<std::uint64_t, unsigned>> foretold;
    std::function<void(std::uint64_t)> then;
    bool posting = false;
};

}  // namespace shardgate::testing
