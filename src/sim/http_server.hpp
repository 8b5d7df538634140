// SPDX-License-Identifier: Apache-2.0
// A small HTTP/1.1 server, plain or over TLS, for the simulator's REST and control ports. Answers
// come from one function. Loop thread only.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "shardgate/base/time.hpp"

namespace shardgate::sim {

struct http_call {
    std::string method;
    std::string target;
    std::string body;
    std::string authorization;
    std::string user_agent;
    std::string content_type;
    std::string source;  // the other side's address

    // The target without its query.
    [[nodiscard]] std::string path() const { return target.substr(0, target.find('?')); }
};

struct http_answer {
    unsigned status = 200;
    std::string body;
    std::string content_type = "application/json";
    std::vector<std::pair<std::string, std::string>> headers;
    duration delay{};      // before answering
    bool hang_up = false;  // no answer: the connection is closed

    http_answer() = default;
    explicit http_answer(unsigned code, std::string text = {})
        : status(code), body(std::move(text)) {}
};

class http_server {
public:
    using handler = std::function<http_answer(const http_call&)>;

    // `tls` null = plain. References outlive this.
    http_server(boost::asio::io_context& loop, std::string host, std::uint16_t port,
                boost::asio::ssl::context* tls, handler answer);
    ~http_server();
    // Binds. Throws boost::system::system_error.
    void start();
    void stop();
    [[nodiscard]] std::uint16_t port() const noexcept;

    struct impl;

private:
    std::shared_ptr<impl> impl_;
};

}  // namespace shardgate::sim
