// SPDX-License-Identifier: Apache-2.0
// One of the event handler's connections: reads requests, answers them in order, or does what a
// rule says instead. Loop thread only.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sim/handler.hpp"
#include "sim/handler_record.hpp"
#include "sim/handler_rules.hpp"
#include "sim/post_reader.hpp"
#include "sim/truth.hpp"

namespace shardgate::sim {

class handler_connection;

// What a connection shares with the others of its handler.
struct handler_shared {
    handler_shared(handler_options o, truth& t)
        : options(std::move(o)),
          book(&t),
          record(options.log_capacity, options.own_events_capacity) {}

    // 0 = take it, else the status to answer.
    [[nodiscard]] unsigned refuse(const post& request);
    // The request's events into `events`; false when there are none in it.
    [[nodiscard]] bool read(const post& request);
    // Whether this body's turn to be parsed whole has come.
    void check(const post& request);

    handler_options options;
    truth* book;
    handler_rules rules;
    handler_record record;
    duration idle_close{};
    bool close_after_each = false;
    std::vector<posted_event> events;  // scratch
    std::vector<std::shared_ptr<handler_connection>> connections;
};

class handler_connection : public std::enable_shared_from_this<handler_connection> {
public:
    using socket = boost::asio::basic_stream_socket<boost::asio::generic::stream_protocol,
                                                    boost::asio::io_context::executor_type>;

    handler_connection(std::shared_ptr<handler_shared> shared, socket s);

    void start() { read(); }
    void close();
    [[nodiscard]] bool closed() const noexcept { return closed_; }
    // Hangs, or waits before an answer.
    [[nodiscard]] bool stuck() const noexcept { return state_ != state::reading; }
    [[nodiscard]] bool idle_since(time_point when) const noexcept {
        return state_ == state::reading && in_size_ == 0 && last_used_ <= when;
    }

private:
    enum class state : std::uint8_t { reading, delaying, hanging };

    void read();
    void on_read(std::size_t size);
    void serve();
    void take(const post& request);
    void obey(const handler_rule& rule, const post& request);
    void answer(const handler_rule& rule, const post& request);
    void accept(const post& request);
    void delay(const handler_rule& rule);
    void stream_body();
    void append_answer(unsigned status, std::string_view extra, bool last);
    void end_request(std::size_t size);
    void flush();
    void finish();

    std::shared_ptr<handler_shared> shared_;
    socket socket_;
    boost::asio::steady_timer timer_;
    std::vector<char> in_;
    std::size_t in_begin_ = 0, in_size_ = 0;  // unread bytes
    std::size_t needed_ = 0;                  // so many before it is worth looking
    std::string out_;
    std::uint64_t body_left_ = 0;  // of a huge body
    time_point last_used_{};
    state state_ = state::reading;
    bool in_flight_ = false, writing_ = false, reading_ = false, last_ = false, closed_ = false;
};

}  // namespace shardgate::sim
