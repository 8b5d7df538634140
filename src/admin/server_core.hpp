// SPDX-License-Identifier: Apache-2.0
// The admin server's loop and connections. Every wait has a deadline, every buffer a bound.
// Loop thread only. Owner: admin_server; the running coroutines hold further references.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "admin/feeds.hpp"
#include "admin/http_message.hpp"
#include "admin/listener.hpp"
#include "admin/metrics_page.hpp"
#include "admin/router.hpp"
#include "shardgate/base/time.hpp"
#include "shardgate/runtime/task_group.hpp"

namespace shardgate::admin {

struct server_limits {
    std::size_t connections = 64;
    duration header_timeout = std::chrono::seconds(5);  // from a request's first byte
    duration body_timeout = std::chrono::seconds(10);
    duration idle_timeout = std::chrono::seconds(30);  // between requests
    duration write_timeout = std::chrono::seconds(10);
    duration linger = std::chrono::seconds(1);  // for the peer to read a refusal
    // For an answer that the daemon has to ask somebody for, and how many may be wanted at once.
    duration answer_timeout = std::chrono::seconds(60);
    std::size_t later_answers = 32;
};

struct connection;
struct pending_answer;

class server_core : public std::enable_shared_from_this<server_core> {
public:
    server_core(boost::asio::any_io_executor loop, listener l, guard_rules rules, daemon_view& view,
                server_limits limits);

    static void start(const std::shared_ptr<server_core>& self);
    void stop();

    [[nodiscard]] const std::string& address() const noexcept { return listener_.text(); }
    [[nodiscard]] const server_counters& counters() const noexcept { return counters_; }
    void set_tokens(const secret& token, const secret& metrics_token) {
        router_.set_tokens(token, metrics_token);
    }
    [[nodiscard]] task_group& tasks() noexcept { return tasks_; }

private:
    using shared = std::shared_ptr<server_core>;
    using peer = std::shared_ptr<connection>;

    static boost::asio::awaitable<void> accept(shared self);
    static boost::asio::awaitable<void> serve(shared self, peer c);
    // False when the connection is of no further use.
    static boost::asio::awaitable<bool> receive(shared self, peer c);
    static boost::asio::awaitable<bool> answer(shared self, peer c);
    // Until it has its answer; it has none when nobody is there any more to read it.
    static boost::asio::awaitable<void> wait_for(shared self, peer c,
                                                 std::shared_ptr<pending_answer> pending);
    static boost::asio::awaitable<bool> send(shared self, peer c, std::string text);
    // An answer piece by piece (server_stream.cpp); false when the connection is of no further use.
    static boost::asio::awaitable<bool> stream(shared self, peer c, http_request request,
                                               http_response head);
    static boost::asio::awaitable<bool> send_piece(shared self, peer c, std::string text);
    // Until the stream has more or wants to be asked; false when the peer has left.
    static boost::asio::awaitable<bool> wait_for_more(shared self, peer c,
                                                      std::shared_ptr<body_stream> from);
    // Sends a last answer and lets the peer read it: closing with unread bytes would reset it away.
    static boost::asio::awaitable<void> say_goodbye(shared self, peer c, http_response why);

    void refuse(stream_socket& socket);
    void route(const http_request& request, const std::shared_ptr<pending_answer>& into);
    // Empty when too many are wanted already.
    [[nodiscard]] later_answer later_into(const std::shared_ptr<pending_answer>& pending);

    boost::asio::any_io_executor loop_;
    listener listener_;
    server_limits limits_;
    server_counters counters_;
    live_feeds feeds_;
    router router_;
    std::size_t later_answers_ = 0;  // that may still come
    bool stopped_ = false;
    task_group tasks_;
};

}  // namespace shardgate::admin
