// SPDX-License-Identifier: Apache-2.0
// HTTP for the cold path: Discord's REST calls (GET /gateway/bot, interaction callbacks),
// preflight. A keep-alive pool per host, https and http: at most 32 connections each, closed after
// 30 s without use; further requests wait, 4,096 at most. Redirects are not followed. Loop thread
// only. (Events go through sink/, not here.)
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shardgate/base/result.hpp"
#include "shardgate/base/time.hpp"

namespace shardgate {

class tls_client;

struct http_request {
    std::string method;
    std::string url;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    duration timeout = std::chrono::seconds(10);  // all of it: DNS, connecting, request, response

    http_request(std::string m, std::string u) : method(std::move(m)), url(std::move(u)) {}
};

struct http_response {
    unsigned status = 0;
    std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
    std::string body;                                          // bounded (1 MiB)

    // Empty when absent. `name` in lower case.
    [[nodiscard]] std::string_view header(std::string_view name) const noexcept;
};

// Why there is no response. `maybe_sent`: the server may have acted on the request, so that
// repeating it is not safe for calls that must happen once.
struct http_failure {
    error_code code;
    std::string detail;  // no secret, no URL path
    bool maybe_sent = false;
};

struct http_client_stats {
    std::uint64_t requests = 0;     // started
    std::uint64_t connections = 0;  // opened
    std::uint64_t retried = 0;      // sent again because a kept connection was gone
    std::uint64_t refused = 0;      // too many waiting: failed at once
    std::size_t idle = 0;           // kept connections
    std::size_t waiting = 0;        // requests without a connection
};

struct http_outcome {
    bool ok = false;
    http_response response;  // when ok
    http_failure failed;     // when not
};

class http_client {
public:
    http_client(boost::asio::any_io_executor loop, tls_client& tls, std::string user_agent);
    ~http_client();  // drops every connection; completions of requests under way are not called

    // Never fails otherwise than in the outcome; cancellation of the awaiting coroutine is one
    // (operation_aborted). Safe to destroy the client meanwhile only together with that coroutine.
    [[nodiscard]] boost::asio::awaitable<http_outcome> request(http_request r);

    // The same with a callback, called on the loop exactly once (never from inside start), unless
    // the client is destroyed first.
    void start(http_request r, std::function<void(http_outcome)> done);

    [[nodiscard]] http_client_stats stats() const noexcept;

private:
    struct impl;
    std::shared_ptr<impl> impl_;
};

}  // namespace shardgate
