// SPDX-License-Identifier: Apache-2.0
#include "sim/gateway_server.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <optional>
#include <unordered_set>
#include <vector>

#include "shardgate/base/result.hpp"
#include "sim/gateway_connection.hpp"

namespace shardgate::sim {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

struct gateway_server::impl : std::enable_shared_from_this<impl> {
    struct door {
        std::optional<tcp::acceptor> acceptor;
        tcp::endpoint address;
        bool generic = true;
    };

    asio::io_context& loop;
    asio::ssl::context& tls;
    gateway& logic;
    const options& settings;
    door main_door, resume_door;
    asio::steady_timer revival;
    std::unordered_set<std::shared_ptr<gateway_connection>> connections;
    std::uint64_t accepted = 0;

    impl(asio::io_context& io, asio::ssl::context& context, gateway& g, const options& o)
        : loop(io), tls(context), logic(g), settings(o), revival(io) {}

    void open(door& d) {
        tcp::acceptor a(loop);
        a.open(d.address.protocol());
        a.set_option(asio::socket_base::reuse_address(true));
        a.bind(d.address);
        a.listen(4096);
        d.address = a.local_endpoint();
        d.acceptor.emplace(std::move(a));
        accept(d);
    }

    void accept(door& d) {
        d.acceptor->async_accept([me = shared_from_this(), &d](error_code ec, tcp::socket socket) {
            // Aborted: the door was shut; a new one has its own loop.
            if (ec == asio::error::operation_aborted || !d.acceptor) return;
            if (!ec) me->take(std::move(socket), d.generic);
            me->accept(d);
        });
    }

    void take(tcp::socket socket, bool generic) {
        auto c = std::make_shared<gateway_connection>(
            std::move(socket), tls, logic, settings, generic, mix(settings.seed, ++accepted),
            [weak = weak_from_this()](gateway_connection& gone) {
                if (const auto me = weak.lock()) me->connections.erase(gone.shared_from_this());
            });
        connections.insert(c);
        c->start();
    }
};

gateway_server::gateway_server(asio::io_context& loop, asio::ssl::context& tls, gateway& logic,
                               const options& o)
    : impl_(std::make_shared<impl>(loop, tls, logic, o)) {}

gateway_server::~gateway_server() {
    stop();
}

void gateway_server::start() {
    const endpoint_options& e = impl_->settings.endpoints;
    impl_->main_door.address = tcp::endpoint(asio::ip::make_address(e.host), e.gateway);
    impl_->resume_door.address = tcp::endpoint(asio::ip::make_address(e.host), e.resume);
    impl_->resume_door.generic = false;
    impl_->open(impl_->main_door);
    impl_->open(impl_->resume_door);
}

std::uint16_t gateway_server::port() const noexcept {
    return impl_->main_door.address.port();
}

std::uint16_t gateway_server::resume_port() const noexcept {
    return impl_->resume_door.address.port();
}

void gateway_server::kill_resume(duration how_long) {
    boost::system::error_code ignored;
    if (impl_->resume_door.acceptor) impl_->resume_door.acceptor->close(ignored);
    impl_->resume_door.acceptor.reset();
    if (how_long == duration::max()) return;
    impl_->revival.expires_after(how_long);
    impl_->revival.async_wait([this, keep = impl_](error_code ec) {
        if (!ec) revive();
    });
}

void gateway_server::revive() {
    impl_->revival.cancel();
    if (!impl_->resume_door.acceptor) impl_->open(impl_->resume_door);
}

void gateway_server::stop() {
    boost::system::error_code ignored;
    impl_->revival.cancel();
    for (auto* d : {&impl_->main_door, &impl_->resume_door}) {
        if (d->acceptor) d->acceptor->close(ignored);
        d->acceptor.reset();
    }
    const std::vector<std::shared_ptr<gateway_connection>> all(impl_->connections.begin(),
                                                               impl_->connections.end());
    for (const auto& c : all)
        c->abandon();
}

}  // namespace shardgate::sim
