// SPDX-License-Identifier: Apache-2.0
// What the websocket tests share: a CA, a scripted server, a listener that writes down.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "shardgate/protocol/envelope.hpp"
#include "shardgate/transport/resolver.hpp"
#include "shardgate/transport/websocket.hpp"
#include "support/run_until.hpp"
#include "support/test_tls.hpp"
#include "support/ws_server.hpp"

namespace shardgate {

// One CA and one client for the whole program: keys are slow to make.
inline const testing::test_ca& shared_ca() {
    static const testing::test_ca ca;
    return ca;
}
inline boost::asio::ssl::context& shared_server_context() {
    static boost::asio::ssl::context context =
        testing::server_context(shared_ca().issue("DNS:localhost"));
    return context;
}
inline tls_client& shared_client() {
    static const std::unique_ptr<tls_client> client = testing::client_trusting(shared_ca());
    return *client;
}

struct recorder : websocket_listener {
    int opened = 0;
    std::vector<std::string> messages;
    std::vector<bool> binary;
    std::vector<websocket_end> ends;
    std::function<void()> at_open = [] {};
    std::function<void()> at_message = [] {};
    std::function<void()> at_end = [] {};

    void on_open() override {
        ++opened;
        const auto call = at_open;
        call();
    }
    void on_message(std::string_view message, bool is_binary, time_point) override {
        // The contract: the scanner may read this far. ASan tells if not.
        volatile char sink = 0;
        for (std::size_t i = 0; i < scanner::padding; ++i)
            sink = message.data()[message.size() + i];
        static_cast<void>(sink);
        messages.emplace_back(message);
        binary.push_back(is_binary);
        const auto call = at_message;
        call();
    }
    void on_end(const websocket_end& end) override {
        ends.push_back(end);
        const auto call = at_end;
        call();
    }
    [[nodiscard]] websocket_end::cause why() const {
        return ends.empty() ? static_cast<websocket_end::cause>(255) : ends.front().why;
    }
};

class Websocket : public ::testing::Test {
protected:
    boost::asio::io_context loop{1};
    testing::ws_server server{loop, shared_server_context()};
    recorder seen;
    websocket_options options;
    std::unique_ptr<websocket> client;

    Websocket() {
        options.user_agent = "shardgate-test";
        // "localhost" without the machine's own configuration.
        resolver::of(loop.get_executor())
            .replace(
                [](const std::string&, resolver::addresses& found) {
                    found.push_back(boost::asio::ip::make_address("127.0.0.1"));
                    return error_code();
                },
                std::chrono::seconds(5));
    }

    void open(tls_client& tls = shared_client(), std::string address = {}) {
        if (address.empty()) address = server.address();
        client = open_websocket(loop.get_executor(), tls, address, options, seen);
        EXPECT_TRUE(seen.ends.empty()) << "on_end from inside open";
    }
    [[nodiscard]] bool until(std::function<bool()> so) {
        return testing::run_until(loop, std::move(so));
    }
    [[nodiscard]] bool until_end() {
        const bool ended = until([this] { return !seen.ends.empty(); });
        testing::run_ready(loop);
        return ended && seen.ends.size() == 1;
    }
    [[nodiscard]] bool until_open() {
        return until([this] { return seen.opened > 0; });
    }
    // The server has seen the client go.
    [[nodiscard]] bool until_left() {
        return until([this] { return server.left > 0; });
    }
};

using cause = websocket_end::cause;

}  // namespace shardgate
