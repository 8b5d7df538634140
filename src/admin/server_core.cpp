// SPDX-License-Identifier: Apache-2.0
#include "admin/server_core.hpp"

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "admin/connection.hpp"
#include "admin/http_codec.hpp"
#include "admin/problem.hpp"
#include "shardgate/base/log.hpp"
#include "shardgate/runtime/sleep.hpp"

namespace shardgate::admin {

namespace asio = boost::asio;

namespace {

constexpr auto token = asio::as_tuple(asio::deferred);
constexpr std::size_t linger_bytes = 256 * 1024;

wall_ms wall_now() {
    return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

}  // namespace

// An answer that may not be there yet.
struct pending_answer {
    std::optional<http_response> answer;
    std::function<void()> wake;  // whoever waits for it
};

server_core::server_core(asio::any_io_executor loop, listener l, guard_rules rules,
                         daemon_view& view, server_limits limits)
    : loop_(loop),
      listener_(std::move(l)),
      limits_(limits),
      feeds_(view),
      router_(
          std::move(rules), view,
          [this] {
              counters_.tail_dropped = feeds_.tail.dropped();
              counters_.streams = feeds_.tail.clients() + feeds_.stats.clients();
              return page_extras{read_process_stats(), counters_, log::lost_lines()};
          },
          &feeds_),
      tasks_(std::move(loop)) {}

void server_core::start(const std::shared_ptr<server_core>& self) {
    self->tasks_.spawn("admin accept", accept(self));
}

void server_core::stop() {
    if (stopped_) return;
    stopped_ = true;
    listener_.close();
    feeds_.close();
    // From inside the loop at once, else on its next turn: Asio 1.26 posts a cancellation that is
    // emitted from outside and by then may find its task gone (chriskohlhoff/asio issue 1332).
    asio::dispatch(loop_, [self = shared_from_this()] { self->tasks_.cancel(); });
}

asio::awaitable<void> server_core::accept(shared self) {
    while (!self->stopped_) {
        stream_socket socket(self->loop_);
        auto [ec] = co_await self->listener_.acceptor().async_accept(socket, token);
        if (self->stopped_) co_return;
        if (ec == asio::error::connection_aborted) continue;
        if (ec) {
            // Out of descriptors, usually: the queue keeps the connection until there are some.
            log::write_limited(log::level::warn, "admin-accept", "admin API cannot accept",
                               {{"why", ec.message()}});
            co_await sleep_for(std::chrono::milliseconds(100));
            continue;
        }
        if (self->counters_.connections >= self->limits_.connections) {
            self->refuse(socket);
            continue;
        }
        error_code ignored;
        socket.set_option(asio::ip::tcp::no_delay(true), ignored);  // not for unix sockets
        ++self->counters_.connections;
        auto c = std::make_shared<connection>(std::move(socket));
        self->tasks_.spawn("admin connection", serve(self, c));
    }
}

// No waiting and no coroutine for those over the limit: what the kernel does not take is lost.
void server_core::refuse(stream_socket& socket) {
    ++counters_.refused;
    log::write_limited(log::level::warn, "admin-full", "admin API refuses connections",
                       {{"limit", limits_.connections}});
    const std::string text =
        serialize(problem(503, "The admin API has too many connections open; try again."),
                  http_request{}, false, wall_now());
    error_code ignored;
    socket.non_blocking(true, ignored);
    std::array<char, 4096> unread;
    socket.read_some(asio::buffer(unread), ignored);
    socket.write_some(asio::buffer(text), ignored);
    socket.shutdown(asio::socket_base::shutdown_send, ignored);
}

asio::awaitable<void> server_core::serve(shared self, peer c) {
    using state = request_reader::state;
    bool open = true;
    while (open && !self->stopped_) {
        switch (c->reader.now()) {
        case state::complete: open = co_await answer(self, c); break;
        case state::refused: {
            ++self->counters_.bad_requests;
            http_response why = c->reader.refusal();
            co_await say_goodbye(self, c, std::move(why));
            open = false;
            break;
        }
        case state::wants_continue: {
            std::string text = "HTTP/1.1 100 Continue\r\n\r\n";
            open = co_await send(self, c, std::move(text));
            c->reader.continued();
            break;
        }
        case state::empty:
        case state::headers:
        case state::body: open = co_await receive(self, c); break;
        }
    }
    c->disarm();
    error_code ignored;
    c->socket.close(ignored);
    --self->counters_.connections;
}

asio::awaitable<bool> server_core::receive(shared self, peer c) {
    using state = request_reader::state;
    const state at = c->reader.now();
    if (at != c->phase) {
        // One end for the whole phase: a byte now and then does not move it.
        const server_limits& l = self->limits_;
        const duration span = at == state::body                  ? l.body_timeout
                              : at == state::headers || c->first ? l.header_timeout
                                                                 : l.idle_timeout;
        c->phase = at;
        c->until = later(clock::now(), span);
    }
    c->arm(c->until);
    auto into = asio::buffer(c->chunk);
    auto [ec, n] = co_await c->socket.async_read_some(into, token);
    c->disarm();
    bool open = !ec;
    if (open) {
        c->reader.feed(std::string_view(c->chunk.data(), n));
    } else if (c->expired && at != state::empty && !self->stopped_) {
        ++self->counters_.timeouts;
        http_response why = problem(408, "The request did not arrive in time.");
        co_await say_goodbye(self, c, std::move(why));
    }
    co_return open;
}

later_answer server_core::later_into(const std::shared_ptr<pending_answer>& pending) {
    if (later_answers_ >= limits_.later_answers) return {};
    ++later_answers_;
    // Counts for as long as somebody may call it, also when the client has long left.
    std::shared_ptr<void> counted(nullptr, [core = weak_from_this()](void*) {
        if (const auto alive = core.lock()) --alive->later_answers_;
    });
    return [to = std::weak_ptr(pending), counted = std::move(counted)](http_response answer) {
        const auto slot = to.lock();
        if (!slot || slot->answer) return;
        slot->answer = std::move(answer);
        if (slot->wake) slot->wake();
    };
}

void server_core::route(const http_request& request, const std::shared_ptr<pending_answer>& into) {
    ++counters_.requests;
    try {
        if (auto at_once = router_.handle(request, later_into(into)))
            into->answer = std::move(*at_once);
    } catch (const std::exception& e) {
        log::error("admin request failed", {{"what", e.what()}});
        into->answer = problem(500, "The daemon could not answer; its log says why.");
    }
    if (into->answer && into->answer->status == 401)
        log::write_limited(log::level::warn, "admin-unauthorized",
                           "admin request without the right token");
}

asio::awaitable<void> server_core::wait_for(shared self, peer c,
                                            std::shared_ptr<pending_answer> pending) {
    const time_point until = later(clock::now(), self->limits_.answer_timeout);
    std::function<void()> wake = [c] { c->wake(); };
    pending->wake = std::move(wake);
    // A socket with unread bytes cannot tell whether more than those will come.
    bool watched = true;
    while (!pending->answer && !self->stopped_) {
        if (clock::now() >= until) {
            pending->answer =
                problem(504, "There is no answer yet; what was asked for may still be done.");
            break;
        }
        error_code code;
        if (watched) {
            c->arm(until);
            auto [ec] = co_await c->socket.async_wait(stream_socket::wait_read, token);
            c->disarm();
            code = ec;
        } else {
            c->answered.expires_at(until);
            auto [ec] = co_await c->answered.async_wait(token);
            code = ec;
        }
        if (pending->answer || !watched || c->expired) continue;
        if (code || c->has_left()) break;
        watched = false;
    }
    pending->wake = nullptr;
}

asio::awaitable<bool> server_core::answer(shared self, peer c) {
    const http_request request = c->reader.take();
    c->first = false;
    c->phase = request_reader::state::complete;  // whatever follows has its own time
    const auto pending = std::make_shared<pending_answer>();
    self->route(request, pending);
    if (!pending->answer) co_await wait_for(self, c, pending);
    if (!pending->answer) co_return false;
    if (pending->answer->stream) {
        const bool whole = co_await stream(self, c, request, std::move(*pending->answer));
        co_return whole;
    }
    std::string text = serialize(*pending->answer, request, request.keep_alive, wall_now());
    const bool sent = co_await send(self, c, std::move(text));
    const bool open = sent && request.keep_alive;
    if (sent && !open) {
        error_code ignored;
        c->socket.shutdown(asio::socket_base::shutdown_send, ignored);
    }
    co_return open;
}

asio::awaitable<bool> server_core::send(shared self, peer c, std::string text) {
    c->arm(later(clock::now(), self->limits_.write_timeout));
    auto from = asio::buffer(text);
    auto [ec, n] = co_await asio::async_write(c->socket, from, token);
    c->disarm();
    const bool sent = !ec && n == text.size() && !self->stopped_;
    co_return sent;
}

asio::awaitable<void> server_core::say_goodbye(shared self, peer c, http_response why) {
    const http_request nobody;
    std::string text = serialize(why, nobody, false, wall_now());
    const bool sent = co_await send(self, c, std::move(text));
    if (!sent) co_return;
    error_code ignored;
    c->socket.shutdown(asio::socket_base::shutdown_send, ignored);
    const time_point until = later(clock::now(), self->limits_.linger);
    for (std::size_t left = linger_bytes; !self->stopped_;) {
        c->arm(until);
        auto into = asio::buffer(c->chunk);
        auto [ec, n] = co_await c->socket.async_read_some(into, token);
        c->disarm();
        if (ec || n >= left) co_return;
        left -= n;
    }
}

}  // namespace shardgate::admin
