// SPDX-License-Identifier: Apache-2.0
// Happy Eyeballs (RFC 8305) over the loop's resolver.
#include "shardgate/transport/dial.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <utility>

#include "shardgate/transport/resolver.hpp"

namespace shardgate {

namespace asio = boost::asio;
using asio::ip::tcp;

std::vector<asio::ip::address> interleave_families(const std::vector<asio::ip::address>& addresses,
                                                   std::size_t limit) {
    std::vector<asio::ip::address> first, second, order;
    for (const asio::ip::address& a : addresses)
        (a.is_v6() == addresses.front().is_v6() ? first : second).push_back(a);
    for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
        if (i < first.size() && order.size() < limit) order.push_back(first[i]);
        if (i < second.size() && order.size() < limit) order.push_back(second[i]);
    }
    return order;
}

struct dial::impl : std::enable_shared_from_this<dial::impl> {
    asio::any_io_executor loop;
    std::string host;
    std::uint16_t port;
    std::function<void(dialled)> done;  // empty once called or cancelled
    resolver::ticket lookup;
    asio::steady_timer next_attempt;
    std::vector<asio::ip::address> addresses;
    std::vector<std::shared_ptr<tcp::socket>> attempts;  // by address; null once failed
    std::size_t failed = 0;
    error_code last_error;
    bool looked_up = false;

    impl(asio::any_io_executor l, std::string h, std::uint16_t p,
         std::function<void(dialled)> callback)
        : loop(std::move(l)),
          host(std::move(h)),
          port(p),
          done(std::move(callback)),
          next_attempt(loop) {}

    void begin() {
        auto answered = [weak = weak_from_this()](const error_code& code,
                                                  const resolver::addresses& found) {
            if (const auto self = weak.lock()) self->resolved(code, found);
        };
        lookup = resolver::of(loop).lookup(loop, host, std::move(answered));
    }

    void resolved(const error_code& code, const resolver::addresses& found) {
        if (!done) return;
        if (code) {
            dialled failure(loop);
            failure.code = code;
            failure.detail = "cannot look up " + host + ": " + code.message();
            finish(std::move(failure));
            return;
        }
        looked_up = true;
        addresses = interleave_families(found, max_addresses);
        attempt();
    }

    void attempt() {
        next_attempt.cancel();
        const std::size_t number = attempts.size();
        if (number == addresses.size()) return;
        auto socket = std::make_shared<tcp::socket>(loop);
        attempts.push_back(socket);
        auto connected = [self = shared_from_this(), number](const error_code& code) {
            self->attempted(number, code);
        };
        socket->async_connect(tcp::endpoint(addresses[number], port), std::move(connected));
        if (attempts.size() == addresses.size()) return;
        next_attempt.expires_after(attempt_delay);
        next_attempt.async_wait([self = shared_from_this(), number](const error_code& code) {
            // Compared, since a cancelled timer may already be on its way (style: 5.3).
            if (!code && self->done && self->attempts.size() == number + 1) self->attempt();
        });
    }

    void attempted(std::size_t number, const error_code& code) {
        if (!done) return;
        if (!code) {
            dialled success(loop);
            success.looked_up = true;
            success.socket = std::move(*attempts[number]);
            finish(std::move(success));
            return;
        }
        last_error = code;
        attempts[number].reset();
        if (++failed < addresses.size()) {
            // Section 5: a failure starts the next attempt at once.
            if (failed == attempts.size()) attempt();
            return;
        }
        dialled failure(loop);
        failure.code = last_error;
        failure.looked_up = true;
        failure.detail = "cannot connect to " + host + " port " + std::to_string(port) + " (" +
                         std::to_string(addresses.size()) +
                         (addresses.size() == 1 ? " address): " : " addresses): ") +
                         last_error.message();
        finish(std::move(failure));
    }

    void finish(dialled result) {
        const auto callback = std::exchange(done, nullptr);
        const auto self = shared_from_this();
        cancel();
        callback(std::move(result));
    }

    void cancel() {
        done = nullptr;
        lookup.withdraw();
        next_attempt.cancel();
        error_code ignored;
        for (const auto& socket : attempts)
            if (socket) socket->close(ignored);
    }
};

std::unique_ptr<dial> dial::start(asio::any_io_executor loop, std::string host, std::uint16_t port,
                                  std::function<void(dialled)> done) {
    auto made = std::make_shared<impl>(std::move(loop), std::move(host), port, std::move(done));
    made->begin();
    return std::unique_ptr<dial>(new dial(std::move(made)));
}

dial::dial(std::shared_ptr<impl> i) : impl_(std::move(i)) {}
dial::~dial() {
    impl_->cancel();
}

bool dial::looked_up() const noexcept {
    return impl_->looked_up;
}

}  // namespace shardgate
