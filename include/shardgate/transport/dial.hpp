// SPDX-License-Identifier: Apache-2.0
// Opens a TCP connection to a name: asks for its addresses anew, tries IPv6 and IPv4 in turn, each
// attempt with a head start of 250 ms (RFC 8305, Happy Eyeballs). The overall deadline is the
// caller's: it cancels. Loop thread only.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "shardgate/base/result.hpp"
#include "shardgate/base/time.hpp"

namespace shardgate {

struct dialled {
    error_code code;  // set when `socket` is not connected
    bool looked_up = false;
    std::string detail;  // of a failure, for a person: host and how many addresses
    boost::asio::ip::tcp::socket socket;

    explicit dialled(const boost::asio::any_io_executor& loop) : socket(loop) {}
};

// RFC 8305 section 4: families alternate, beginning with that of the first address (the system's
// preference); at most `limit` addresses. Pure.
[[nodiscard]] std::vector<boost::asio::ip::address> interleave_families(
    const std::vector<boost::asio::ip::address>& addresses, std::size_t limit);

class dial {
public:
    // RFC 8305 section 5, Connection Attempt Delay.
    static constexpr duration attempt_delay = std::chrono::milliseconds(250);
    static constexpr std::size_t max_addresses = 8;

    // `done` is called once on the loop, never from inside start().
    [[nodiscard]] static std::unique_ptr<dial> start(boost::asio::any_io_executor loop,
                                                     std::string host, std::uint16_t port,
                                                     std::function<void(dialled)> done);
    // Cancels; `done` is not called any more.
    ~dial();
    dial(const dial&) = delete;
    dial& operator=(const dial&) = delete;

    // False while the name is still being looked up: says what took so long.
    [[nodiscard]] bool looked_up() const noexcept;

private:
    struct impl;
    explicit dial(std::shared_ptr<impl> i);
    std::shared_ptr<impl> impl_;
};

}  // namespace shardgate
