// SPDX-License-Identifier: Apache-2.0
// The socket the admin API listens on: TCP or unix, one type for both. Start-up only: a host name
// is looked up while the caller waits.
#pragma once

#include <sys/types.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <string>

#include "shardgate/base/result.hpp"
#include "shardgate/runtime/address.hpp"

namespace shardgate::admin {

using stream_socket = boost::asio::generic::stream_protocol::socket;
using stream_acceptor = boost::asio::basic_socket_acceptor<boost::asio::generic::stream_protocol>;

class listener {
public:
    // Bound and listening, or a sentence that names the address. A unix socket that nobody listens
    // on any more is replaced; one in use, and anything that is no socket, is left alone.
    [[nodiscard]] static result<listener> open(const boost::asio::any_io_executor& loop,
                                               const address& where);
    ~listener() { close(); }
    listener(listener&& other) noexcept;
    listener& operator=(listener&&) = delete;

    // Stops listening and takes the unix socket away if it is still ours.
    void close() noexcept;

    [[nodiscard]] stream_acceptor& acceptor() noexcept { return acceptor_; }
    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    [[nodiscard]] bool is_unix() const noexcept { return !path_.empty(); }

private:
    explicit listener(stream_acceptor a) : acceptor_(std::move(a)) {}
    static result<listener> open_unix(const boost::asio::any_io_executor& loop, const address& at);
    static result<listener> open_tcp(const boost::asio::any_io_executor& loop, const address& at);

    stream_acceptor acceptor_;
    std::string text_;
    std::string path_;  // unix socket
    dev_t device_ = 0;
    ino_t inode_ = 0;
};

}  // namespace shardgate::admin
