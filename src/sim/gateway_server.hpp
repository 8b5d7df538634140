// SPDX-License-Identifier: Apache-2.0
// The gateway's sockets: TLS listeners whose connections speak WebSocket to the gateway's logic.
// Loop thread only.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "sim/gateway.hpp"
#include "sim/options.hpp"

namespace shardgate::sim {

class gateway_server {
public:
    // References outlive this.
    gateway_server(boost::asio::io_context& loop, boost::asio::ssl::context& tls, gateway& logic,
                   const options& o);
    ~gateway_server();

    // Binds the generic address and READY's resume address. Throws boost::system::system_error.
    void start();
    [[nodiscard]] std::uint16_t port() const noexcept;
    [[nodiscard]] std::uint16_t resume_port() const noexcept;
    // Refuses connections to the resume address for a while; duration::max() = until revive().
    void kill_resume(duration how_long);
    void revive();
    void stop();

    struct impl;

private:
    std::shared_ptr<impl> impl_;
};

}  // namespace shardgate::sim
