// SPDX-License-Identifier: Apache-2.0
// The only file of the simulator that includes Beast's HTTP.
#include "sim/http_server.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <optional>
#include <unordered_set>

#include "shardgate/base/result.hpp"
#include "shardgate/runtime/sleep.hpp"
#include "shardgate/runtime/task_group.hpp"

namespace shardgate::sim {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;

namespace {

constexpr std::size_t body_max = 16U << 20;
constexpr auto done = asio::as_tuple(asio::deferred);
using plain_stream = tcp::socket;
using tls_stream = asio::ssl::stream<tcp::socket>;
using request = http::request<http::string_body>;
using response = http::response<http::string_body>;

http_call call_of(request& in, const std::string& source) {
    http_call c;
    c.source = source;
    c.method = std::string(in.method_string());
    c.target = std::string(in.target());
    c.authorization = std::string(in[http::field::authorization]);
    c.user_agent = std::string(in[http::field::user_agent]);
    c.content_type = std::string(in[http::field::content_type]);
    c.body = std::move(in.body());
    return c;
}

std::string address_of(const tcp::socket& socket) {
    boost::system::error_code gone;
    const tcp::endpoint other = socket.remote_endpoint(gone);
    return gone ? std::string() : other.address().to_string();
}

response response_of(const request& in, http_answer& a) {
    response out;
    out.version(in.version());
    out.result(a.status);
    out.keep_alive(in.keep_alive());
    for (const auto& [name, value] : a.headers)
        out.set(name, value);
    if (!a.body.empty()) out.set(http::field::content_type, a.content_type);
    out.body() = std::move(a.body);
    // 204 has neither body nor length (RFC 9110 section 8.6).
    if (a.status != 204) out.prepare_payload();
    return out;
}

}  // namespace

struct http_server::impl : std::enable_shared_from_this<impl> {
    asio::io_context& loop;
    tcp::endpoint address;
    asio::ssl::context* tls;
    handler answer;
    std::optional<tcp::acceptor> acceptor;
    task_group tasks;

    impl(asio::io_context& io, tcp::endpoint at, asio::ssl::context* context, handler h)
        : loop(io), address(at), tls(context), answer(std::move(h)), tasks(io.get_executor()) {}

    template <class Stream>
    static asio::awaitable<void> serve(std::shared_ptr<impl> self, Stream& stream,
                                       std::string source) {
        boost::beast::flat_buffer buffer;
        for (bool open = true; open;) {
            http::request_parser<http::string_body> parser;
            parser.body_limit(body_max);
            auto [read_error, n] = co_await http::async_read(stream, buffer, parser, done);
            if (read_error) co_return;
            request in = parser.release();
            http_call call = call_of(in, source);
            http_answer a = self->answer(call);
            if (a.hang_up) co_return;
            if (a.delay > duration::zero()) {
                const error_code slept = co_await sleep_for(a.delay);
                if (slept) co_return;
            }
            response out = response_of(in, a);
            open = out.keep_alive();
            auto [write_error, m] = co_await http::async_write(stream, out, done);
            if (write_error) co_return;
        }
    }

    static asio::awaitable<void> serve_plain(std::shared_ptr<impl> self, tcp::socket socket) {
        std::string source = address_of(socket);
        co_await serve(self, socket, std::move(source));
        boost::system::error_code ignored;
        socket.shutdown(tcp::socket::shutdown_send, ignored);
    }

    static asio::awaitable<void> serve_tls(std::shared_ptr<impl> self, tcp::socket socket) {
        tls_stream stream(std::move(socket), *self->tls);
        auto [error] = co_await stream.async_handshake(asio::ssl::stream_base::server, done);
        if (error) co_return;
        std::string source = address_of(stream.next_layer());
        co_await serve(self, stream, std::move(source));
        boost::system::error_code ignored;
        stream.next_layer().shutdown(tcp::socket::shutdown_send, ignored);
    }

    void accept() {
        acceptor->async_accept([me = shared_from_this()](error_code ec, tcp::socket socket) {
            if (ec == asio::error::operation_aborted || !me->acceptor) return;
            if (!ec) {
                boost::system::error_code ignored;
                socket.set_option(tcp::no_delay(true), ignored);
                if (me->tls)
                    me->tasks.spawn("http", serve_tls(me, std::move(socket)));
                else
                    me->tasks.spawn("http", serve_plain(me, std::move(socket)));
            }
            me->accept();
        });
    }
};

http_server::http_server(asio::io_context& loop, std::string host, std::uint16_t port,
                         asio::ssl::context* tls, handler answer)
    : impl_(std::make_shared<impl>(loop, tcp::endpoint(asio::ip::make_address(host), port), tls,
                                   std::move(answer))) {}

http_server::~http_server() {
    stop();
}

void http_server::start() {
    tcp::acceptor a(impl_->loop);
    a.open(impl_->address.protocol());
    a.set_option(asio::socket_base::reuse_address(true));
    a.bind(impl_->address);
    a.listen(1024);
    impl_->address = a.local_endpoint();
    impl_->acceptor.emplace(std::move(a));
    impl_->accept();
}

void http_server::stop() {
    boost::system::error_code ignored;
    if (impl_->acceptor) impl_->acceptor->close(ignored);
    impl_->acceptor.reset();
    impl_->tasks.cancel();
}

std::uint16_t http_server::port() const noexcept {
    return impl_->address.port();
}

}  // namespace shardgate::sim
