// SPDX-License-Identifier: Apache-2.0
// The socket that transport's dial opened is taken over as one of the concrete executor.
#include "sink/dialer.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <string>
#include <utility>

namespace shardgate::sink {
namespace {

namespace asio = boost::asio;

}  // namespace

void dialer::start(callback done) {
    done_ = std::move(done);
    if (to_.type != endpoint::kind::unix_socket) {
        // done_ keeps the owner, and with it this, until stop() or the end.
        dial_ = dial::start(socket_.get_executor(), to_.host, to_.port,
                            [this](dialled found) { take(std::move(found)); });
        return;
    }
    const protocol::endpoint address{asio::local::stream_protocol::endpoint(to_.path)};
    socket_.async_connect(address, [this, keep = done_](const error_code& ec) {
        finish(ec, ec ? to_.path + ": " + ec.message() : std::string());
    });
}

void dialer::take(dialled found) {
    if (found.code) {
        finish(found.code, found.detail);
        return;
    }
    error_code ec;
    const auto local = found.socket.local_endpoint(ec);
    found.socket.set_option(asio::ip::tcp::no_delay(true), ec);
    found.socket.set_option(asio::socket_base::keep_alive(true), ec);
    const auto handle = found.socket.release(ec);
    if (!ec) socket_.assign(protocol(local.protocol()), handle, ec);
    finish(ec, ec.message());
}

void dialer::finish(error_code ec, std::string_view detail) {
    if (!done_) return;
    if (!ec) socket_.non_blocking(true, ec);
    const auto done = std::exchange(done_, nullptr);
    done(ec, detail);
}

void dialer::stop() noexcept {
    dial_.reset();
    done_ = nullptr;
}

}  // namespace shardgate::sink
