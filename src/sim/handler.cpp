// SPDX-License-Identifier: Apache-2.0
// The event handler's listener, its switches, and who may post.
#include "sim/handler.hpp"

#include <unistd.h>

#include <algorithm>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <stdexcept>
#include <utility>

#include "shardgate/runtime/address.hpp"
#include "sim/handler_connection.hpp"
#include "sim/post_signature.hpp"

namespace shardgate::sim {
namespace {

namespace asio = boost::asio;
using loop_executor = asio::io_context::executor_type;
using protocol = asio::generic::stream_protocol;

loop_executor concrete(const asio::any_io_executor& loop) {
    const auto* executor = loop.target<loop_executor>();
    if (executor == nullptr) throw std::logic_error("event_handler needs an io_context's executor");
    return *executor;
}

}  // namespace

bool handler_shared::read(const post& request) {
    const bool bare = options.plain && request.head.key.empty() && request.head.event.empty();
    return bare ? read_plain(request, events) : read_events(request, events);
}

unsigned handler_shared::refuse(const post& request) {
    if (!options.secret.empty() &&
        !equal_in_constant_time(request.head.authorization, options.secret)) {
        ++record.counts.unauthorized;
        return 401;
    }
    if (!options.signing_keys.empty() && !signature_holds(request, options.signing_keys)) {
        ++record.counts.bad_signature;
        return 401;
    }
    if (request.head.method != "POST") return 405;
    if (!read(request)) {
        record.problem("the body is no event in an envelope: " +
                       std::string(request.body.substr(0, 200)));
        return 400;
    }
    if (!options.plain || !request.head.key.empty()) check(request);
    return 0;
}

void handler_shared::check(const post& request) {
    if (options.validate_every == 0 || record.counts.requests % options.validate_every != 0) return;
    if (auto problem = check_body(request); !problem.empty()) record.problem(std::move(problem));
}

struct event_handler::impl : std::enable_shared_from_this<impl> {
    impl(const asio::any_io_executor& loop, handler_options options, truth& book)
        : shared(std::make_shared<handler_shared>(std::move(options), book)),
          executor(concrete(loop)),
          acceptor(executor),
          sweeper(executor) {}

    result<void> listen() {
        auto parsed = parse_address(shared->options.listen);
        if (parsed.has_error()) return parsed.error();
        const bool local = parsed->type == address::kind::unix_socket;
        error_code ec;
        protocol::endpoint where;
        if (local) {
            ::unlink(parsed->path.c_str());  // what an earlier listener left
            where = asio::local::stream_protocol::endpoint(parsed->path);
        } else {
            const auto ip = asio::ip::make_address(parsed->host, ec);
            if (ec) return failure(ec, shared->options.listen + ": an address is wanted");
            where = asio::ip::tcp::endpoint(ip, port != 0 ? port : parsed->port);
        }
        acceptor.open(where.protocol(), ec);
        if (!ec && !local) acceptor.set_option(asio::socket_base::reuse_address(true), ec);
        if (!ec) acceptor.bind(where, ec);
        if (!ec) acceptor.listen(asio::socket_base::max_listen_connections, ec);
        if (ec) return failure(ec, shared->options.listen + ": " + ec.message());
        if (local) {
            shown = "unix:" + parsed->path + ":/";
        } else {
            asio::ip::tcp::endpoint bound;
            const auto found = acceptor.local_endpoint();
            bound.resize(found.size());
            std::copy_n(reinterpret_cast<const char*>(found.data()), found.size(),
                        reinterpret_cast<char*>(bound.data()));
            port = bound.port();
            shown =
                "http://" + to_string(address{address::kind::tcp, parsed->host, port, {}}) + "/";
        }
        accept();
        return {};
    }

    void accept() {
        acceptor.async_accept(
            [weak = weak_from_this()](const error_code& ec, handler_connection::socket s) {
                const auto self = weak.lock();
                if (!self || ec == asio::error::operation_aborted || self->down) return;
                if (!ec) self->take(std::move(s));
                if (self->acceptor.is_open()) self->accept();
            });
    }

    void take(handler_connection::socket s) {
        error_code ignored;
        s.non_blocking(true, ignored);
        // Refused on a unix socket, where it means nothing.
        s.set_option(asio::ip::tcp::no_delay(true), ignored);
        ++shared->record.counts.connections;
        auto made = std::make_shared<handler_connection>(shared, std::move(s));
        shared->connections.push_back(made);
        made->start();
    }

    void close_if(const auto& which) {
        const auto all = shared->connections;
        for (const auto& c : all)
            if (which(*c)) c->close();
    }

    void set_down(bool wanted) {
        if (wanted == down) return;
        down = wanted;
        if (down) {
            error_code ignored;
            acceptor.close(ignored);
            close_if([](const handler_connection&) { return true; });
        } else {
            shared->record.arm(clock::now());
            if (const auto opened = listen(); opened.has_error())
                shared->record.problem(opened.error().detail);
        }
    }

    void clear_rules() {
        shared->rules.clear();
        shared->record.arm(clock::now());
        close_if([](const handler_connection& c) { return c.stuck(); });
    }

    void sweep() {
        const duration after = shared->idle_close;
        if (after <= duration::zero() || std::exchange(sweeping, true)) return;
        sweeper.expires_after(std::max<duration>(after / 4, std::chrono::milliseconds(5)));
        sweeper.async_wait([weak = weak_from_this()](const error_code& ec) {
            const auto self = weak.lock();
            if (ec || !self) return;
            self->sweeping = false;
            const time_point limit = clock::now() - self->shared->idle_close;
            self->close_if([limit](const handler_connection& c) { return c.idle_since(limit); });
            self->sweep();
        });
    }

    void stop() {
        error_code ignored;
        down = true;
        acceptor.close(ignored);
        sweeper.cancel();
        close_if([](const handler_connection&) { return true; });
    }

    std::shared_ptr<handler_shared> shared;
    loop_executor executor;
    asio::basic_socket_acceptor<protocol, loop_executor> acceptor;
    asio::steady_timer sweeper;
    std::string shown;
    std::uint16_t port = 0;  // once bound, for coming up again
    bool down = false, sweeping = false;
};

event_handler::event_handler(asio::any_io_executor loop, handler_options options, truth& book)
    : impl_(std::make_shared<impl>(loop, std::move(options), book)) {}

event_handler::~event_handler() {
    impl_->stop();
}

result<void> event_handler::start() {
    return impl_->listen();
}
std::string event_handler::url() const {
    return impl_->shown;
}
void event_handler::set_down(bool down) {
    impl_->set_down(down);
}
std::uint64_t event_handler::add_rule(handler_rule rule) {
    return impl_->shared->rules.add(std::move(rule));
}
bool event_handler::remove_rule(std::uint64_t number) {
    return impl_->shared->rules.remove(number);
}
void event_handler::clear_rules() {
    impl_->clear_rules();
}
void event_handler::set_idle_close(duration after) {
    impl_->shared->idle_close = after;
    impl_->sweep();
}
void event_handler::set_close_after_each(bool close) {
    impl_->shared->close_after_each = close;
}
void event_handler::arm_in_flight_record() {
    impl_->shared->record.arm(clock::now());
}

boost::json::object event_handler::gaps() const {
    return impl_->shared->record.gaps().report();
}

boost::json::object event_handler::report(bool with_events) const {
    auto out = impl_->shared->record.report(with_events, impl_->shared->connections.size());
    out["down"] = impl_->down;
    out["url"] = impl_->shown;
    return out;
}

}  // namespace shardgate::sim
