// SPDX-License-Identifier: Apache-2.0
// Connects a socket to a handler, by TCP (transport's dial) or unix socket. Bounded by the
// connection's own deadline, which stops it. Loop thread only.
#pragma once

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <functional>
#include <memory>
#include <string_view>

#include "shardgate/transport/dial.hpp"
#include "sink/stream.hpp"

namespace shardgate::sink {

class dialer {
public:
    using protocol = boost::asio::generic::stream_protocol;
    using socket = boost::asio::basic_stream_socket<protocol, loop_executor>;
    using callback = std::function<void(const error_code&, std::string_view detail)>;

    // Both belong to the dialer's owner.
    dialer(socket& to_open, const endpoint& to) : socket_(to_open), to_(to) {}

    // `done` is called once, from the loop, unless stop() comes first. It keeps the owner alive.
    void start(callback done);
    void stop() noexcept;

private:
    void take(dialled found);
    void finish(error_code ec, std::string_view detail);

    socket& socket_;
    const endpoint& to_;
    std::unique_ptr<dial> dial_;
    callback done_;
};

}  // namespace shardgate::sink
