// SPDX-License-Identifier: Apache-2.0
// One client of the admin server: its socket, what it has sent, and the one deadline of what is
// being waited for. Loop thread only. Owner: the coroutine that serves it.
#pragma once

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "admin/http_codec.hpp"
#include "admin/listener.hpp"
#include "shardgate/base/result.hpp"
#include "shardgate/base/time.hpp"

namespace shardgate::admin {

struct connection : std::enable_shared_from_this<connection> {
    explicit connection(stream_socket s)
        : socket(std::move(s)), timer(socket.get_executor()), answered(socket.get_executor()) {}

    // Lets the operation under way fail at `when`.
    void arm(time_point when) {
        expired = false;
        timer.expires_at(when);
        timer.async_wait([self = shared_from_this(), mine = ++epoch](const error_code& ec) {
            // Its completion may already be queued when the timer is cancelled.
            if (ec || mine != self->epoch) return;
            self->expired = true;
            error_code ignored;
            self->socket.cancel(ignored);
        });
    }
    void disarm() {
        ++epoch;
        timer.cancel();
    }
    // Ends what waits for an answer.
    void wake() {
        answered.cancel();
        error_code ignored;
        socket.cancel(ignored);
    }
    // Of a socket that can be read: has the peer gone, or sent more?
    [[nodiscard]] bool has_left() {
        error_code code;
        socket.non_blocking(true, code);
        char one = 0;
        socket.receive(boost::asio::buffer(&one, 1), boost::asio::socket_base::message_peek, code);
        return code && code != boost::asio::error::would_block;
    }

    stream_socket socket;
    boost::asio::steady_timer timer;
    boost::asio::steady_timer answered;  // waits for an answer while the socket cannot
    std::uint64_t epoch = 0;
    bool expired = false;

    request_reader reader;
    request_reader::state phase = request_reader::state::refused;  // none yet
    time_point until{};                                            // the phase's end
    bool first = true;                                             // no request came yet
    bool watched = true;  // while an answer is waited for: unread bytes would hide that it left
    std::array<char, 8192> chunk{};
};

}  // namespace shardgate::admin
