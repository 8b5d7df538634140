// SPDX-License-Identifier: Apache-2.0
// An HTTP server for tests whose answers are raw bytes decided per request, so that it can also be
// broken. Plain TCP or TLS, same loop as the client under test.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace shardgate::testing {

struct http_reply {
    enum class then : unsigned char { keep, close, reset };
    std::string bytes;
    then after = then::keep;

    http_reply(std::string b, then a = then::keep) : bytes(std::move(b)), after(a) {}
};

// A 200 with that body.
inline std::string http_ok(const std::string& body) {
    return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

class http_peer {
public:
    using tcp = boost::asio::ip::tcp;
    // `connection` counts from 1.
    using script = std::function<http_reply(const std::string& request, int connection)>;

    // `tls` null: plain.
    http_peer(boost::asio::io_context& loop, script answer,
              boost::asio::ssl::context* tls = nullptr)
        : loop_(loop),
          tls_(tls),
          answer_(std::move(answer)),
          acceptor_(loop, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0)) {
        boost::asio::co_spawn(loop_, accept(this), boost::asio::detached);
    }
    ~http_peer() {
        drop_all();
        boost::system::error_code ignored;
        acceptor_.close(ignored);
        loop_.restart();
        loop_.poll();
    }

    [[nodiscard]] std::string url(const std::string& path = "/") const {
        return (tls_ != nullptr ? "https://localhost:" : "http://localhost:") +
               std::to_string(acceptor_.local_endpoint().port()) + path;
    }
    // Closes every connection, as an idle time-out does.
    void drop_all() {
        boost::system::error_code ignored;
        for (const auto& weak : sockets_)
            if (const auto s = weak.lock()) s->lowest_layer().close(ignored);
        sockets_.clear();
    }

    int connections = 0;
    std::vector<std::string> requests;

private:
    using stream = boost::asio::ssl::stream<tcp::socket>;
    static constexpr auto quietly = boost::asio::as_tuple(boost::asio::use_awaitable);

    static boost::asio::awaitable<void> accept(http_peer* self) {
        for (;;) {
            auto [code, socket] = co_await self->acceptor_.async_accept(quietly);
            if (code) co_return;
            const int number = ++self->connections;
            static boost::asio::ssl::context unused(boost::asio::ssl::context::tls_server);
            auto s = std::make_shared<stream>(std::move(socket),
                                              self->tls_ != nullptr ? *self->tls_ : unused);
            self->sockets_.push_back(s);
            if (self->tls_ == nullptr)
                boost::asio::co_spawn(self->loop_, serve(self, s, number), boost::asio::detached);
            else
                boost::asio::co_spawn(self->loop_, serve_tls(self, s, number),
                                      boost::asio::detached);
        }
    }
    static boost::asio::awaitable<void> serve(http_peer* self, std::shared_ptr<stream> s, int n) {
        co_await requests_of(self, s, &s->next_layer(), n);
    }
    static boost::asio::awaitable<void> serve_tls(http_peer* self, std::shared_ptr<stream> s,
                                                  int n) {
        auto [failed] = co_await s->async_handshake(boost::asio::ssl::stream_base::server, quietly);
        if (!failed) co_await requests_of(self, s, s.get(), n);
    }

    // Bytes of the first whole request in `in`; 0: not yet.
    static std::size_t whole(const std::string& in) {
        const std::size_t end = in.find("\r\n\r\n");
        if (end == std::string::npos) return 0;
        const std::size_t at = in.find("Content-Length: ");
        const std::size_t body = at < end ? std::strtoull(in.c_str() + at + 16, nullptr, 10) : 0;
        return in.size() >= end + 4 + body ? end + 4 + body : 0;
    }

    template <class Stream>
    static boost::asio::awaitable<void> requests_of(http_peer* self, std::shared_ptr<stream> keep,
                                                    Stream* io, int number) {
        std::string in;
        std::string part(16384, '\0');
        for (;;) {
            while (whole(in) == 0) {
                auto [failed, n] = co_await io->async_read_some(boost::asio::buffer(part), quietly);
                if (failed) co_return;
                in.append(part, 0, n);
            }
            const std::string request = in.substr(0, whole(in));
            in.erase(0, request.size());
            self->requests.push_back(request);
            const http_reply reply = self->answer_(request, number);
            if (!reply.bytes.empty()) {
                auto [failed, n] = co_await boost::asio::async_write(
                    *io, boost::asio::buffer(reply.bytes), quietly);
                if (failed || n == 0) co_return;
            }
            if (reply.after == http_reply::then::keep) continue;
            boost::system::error_code ignored;
            const boost::asio::socket_base::linger at_once(true, 0);
            if (reply.after == http_reply::then::reset)
                keep->next_layer().set_option(at_once, ignored);
            else
                keep->next_layer().shutdown(tcp::socket::shutdown_send, ignored);
            keep->next_layer().close(ignored);
            co_return;
        }
    }

    boost::asio::io_context& loop_;
    boost::asio::ssl::context* tls_;
    script answer_;
    tcp::acceptor acceptor_;
    std::vector<std::weak_ptr<stream>> sockets_;
};

}  // namespace shardgate::testing
