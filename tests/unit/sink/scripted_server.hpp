// SPDX-License-Identifier: Apache-2.0
// A server that does with each request what the test says, on a real socket and the test's loop.
#pragma once

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace shardgate::testing {

namespace asio = boost::asio;

class scripted_server;

// One accepted connection.
class peer : public std::enable_shared_from_this<peer> {
public:
    using socket = asio::generic::stream_protocol::socket;

    peer(scripted_server& server, socket s, asio::ssl::context* tls, std::size_t which)
        : number(which), server_(server), socket_(std::move(s)) {
        if (tls != nullptr) tls_ = std::make_unique<asio::ssl::stream<socket&>>(socket_, *tls);
    }

    void start() {
        if (!tls_) return read();
        tls_->async_handshake(asio::ssl::stream_base::server, [self = shared_from_this()](auto ec) {
            if (!ec) self->read();
        });
    }
    void send(std::string bytes) {
        auto kept = std::make_shared<std::string>(std::move(bytes));
        const auto done = [self = shared_from_this(), kept](auto, auto) {};
        if (tls_)
            asio::async_write(*tls_, asio::buffer(*kept), done);
        else
            asio::async_write(socket_, asio::buffer(*kept), done);
    }
    void ok() { send("HTTP/1.1 204 No Content\r\n\r\n"); }
    void close() {
        boost::system::error_code ignored;
        socket_.close(ignored);
    }
    void reset() {
        boost::system::error_code ignored;
        socket_.set_option(asio::socket_base::linger(true, 0), ignored);
        socket_.close(ignored);
    }
    void stop_reading() { reading_ = false; }

    const std::size_t number;  // from 0, in order of their acceptance
    std::size_t requests = 0;

private:
    void read();
    void take();

    scripted_server& server_;
    socket socket_;
    std::unique_ptr<asio::ssl::stream<socket&>> tls_;
    std::string in_;
    char chunk_[65536];
    bool reading_ = true;
};

class scripted_server {
public:
    struct request {
        std::string head, body;
    };
    using script = std::function<void(peer&, const request&)>;

    explicit scripted_server(asio::io_context& io, std::string unix_path = {})
        : acceptor_(io), unix_path_(std::move(unix_path)) {
        on_request = [](peer& p, const request&) { p.ok(); };
        listen();
    }
    ~scripted_server() { stop(); }

    void listen() {
        using protocol = asio::generic::stream_protocol;
        protocol::endpoint where;
        if (unix_path_.empty()) {
            where = asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), port_);
        } else {
            where = asio::local::stream_protocol::endpoint(unix_path_);
        }
        acceptor_.open(where.protocol());
        if (unix_path_.empty()) acceptor_.set_option(asio::socket_base::reuse_address(true));
        acceptor_.bind(where);
        acceptor_.listen();
        if (unix_path_.empty()) {
            const auto bound = acceptor_.local_endpoint();
            port_ = ntohs(reinterpret_cast<const sockaddr_in*>(bound.data())->sin_port);
        }
        accept();
    }
    void stop() {
        boost::system::error_code ignored;
        acceptor_.close(ignored);
        for (auto& p : peers)
            p->close();
    }
    void use_tls(asio::ssl::context context) { tls_.emplace(std::move(context)); }

    [[nodiscard]] std::string url(const std::string& path = "/") const {
        if (!unix_path_.empty()) return "unix:" + unix_path_ + ":" + path;
        return (tls_ ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(port_) + path;
    }

    script on_request;
    std::function<void(peer&)> on_accept;
    std::vector<std::shared_ptr<peer>> peers;
    std::vector<request> seen;

private:
    void accept() {
        acceptor_.async_accept([this](auto ec, peer::socket s) {
            if (ec) return;
            peers.push_back(
                std::make_shared<peer>(*this, std::move(s), tls_ ? &*tls_ : nullptr, peers.size()));
            if (on_accept) on_accept(*peers.back());
            peers.back()->start();
            accept();
        });
    }

    asio::basic_socket_acceptor<asio::generic::stream_protocol> acceptor_;
    std::string unix_path_;
    unsigned short port_ = 0;
    std::optional<asio::ssl::context> tls_;
};

inline void peer::read() {
    const auto got = [self = shared_from_this()](auto ec, std::size_t n) {
        if (ec) return;
        self->in_.append(self->chunk_, n);
        self->take();
        if (self->reading_) self->read();
    };
    if (tls_)
        tls_->async_read_some(asio::buffer(chunk_), got);
    else
        socket_.async_read_some(asio::buffer(chunk_), got);
}

inline void peer::take() {
    for (;;) {
        const auto end = in_.find("\r\n\r\n");
        if (end == std::string::npos) return;
        const std::string name = "Content-Length: ";
        const auto at = in_.find(name);
        const auto length = std::stoul(in_.substr(at + name.size()));
        if (in_.size() < end + 4 + length) return;
        scripted_server::request r{in_.substr(0, end + 2), in_.substr(end + 4, length)};
        in_.erase(0, end + 4 + length);
        ++requests;
        server_.seen.push_back(r);
        server_.on_request(*this, r);
    }
}

}  // namespace shardgate::testing
