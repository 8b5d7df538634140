// SPDX-License-Identifier: Apache-2.0
// Answers that come piece by piece. A peer that does not read is dropped after write_timeout: what
// waits for it is bounded by its stream, and by the kernel's buffer.
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/socket_base.hpp>
#include <memory>
#include <string>
#include <utility>

#include "admin/connection.hpp"
#include "admin/server_core.hpp"

namespace shardgate::admin {

namespace asio = boost::asio;

namespace {

constexpr auto token = asio::as_tuple(asio::deferred);

wall_ms wall_now() {
    return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

}  // namespace

asio::awaitable<bool> server_core::stream(shared self, peer c, http_request request,
                                          http_response head) {
    using next = body_stream::next;
    const bool chunked = !request.http_1_0;
    const bool keep_alive = chunked && request.keep_alive;
    std::string text = serialize(head, request, keep_alive, wall_now());
    if (request.method == "HEAD") {
        const bool sent = co_await send(self, c, std::move(text));
        co_return sent&& keep_alive;
    }
    const std::shared_ptr<body_stream> from = std::move(head.stream);
    for (;;) {
        std::string piece;
        const next what = from->read(piece, clock::now());
        if (chunked)
            append_chunk(text, piece);
        else
            text += piece;
        if (what == next::end && chunked) text += last_chunk;
        if (!text.empty()) {
            const bool sent = co_await send_piece(self, c, std::exchange(text, {}));
            if (!sent) co_return false;
            // Others of the loop go between two pieces in any case, for the sake of long answers.
            if (what != next::end) {
                c->answered.expires_after(from->pace());
                const auto paced = co_await c->answered.async_wait(token);
                static_cast<void>(paced);
                if (self->stopped_) co_return false;
            }
        }
        if (what == next::end) co_return keep_alive;
        if (what == next::wait && piece.empty()) {
            const bool there = co_await wait_for_more(self, c, from);
            if (!there) co_return false;
        }
    }
}

asio::awaitable<bool> server_core::send_piece(shared self, peer c, std::string text) {
    const bool sent = co_await send(self, c, std::move(text));
    if (!sent && c->expired) {
        ++self->counters_.slow_readers;
        // What the kernel still holds for it is of no use to anybody.
        error_code ignored;
        const asio::socket_base::linger at_once(true, 0);
        c->socket.set_option(at_once, ignored);
    }
    co_return sent;
}

asio::awaitable<bool> server_core::wait_for_more(shared self, peer c,
                                                 std::shared_ptr<body_stream> from) {
    std::function<void()> wake = [weak = std::weak_ptr(c)] {
        if (const peer there = weak.lock()) there->wake();
    };
    from->wake = std::move(wake);
    const time_point until = from->deadline();
    error_code code;
    const bool watched = c->watched;
    if (watched) {
        c->arm(until);
        auto [ec] = co_await c->socket.async_wait(stream_socket::wait_read, token);
        c->disarm();
        code = ec;
    } else {
        c->answered.expires_at(until);
        const auto waited = co_await c->answered.async_wait(token);
        static_cast<void>(waited);
    }
    from->wake = nullptr;
    if (self->stopped_) co_return false;
    // Cancelled: woken, or it is time.
    if (!watched || code == asio::error::operation_aborted) co_return true;
    if (code || c->has_left()) co_return false;
    c->watched = false;  // it has sent more, which is read when this answer is over
    co_return true;
}

}  // namespace shardgate::admin
