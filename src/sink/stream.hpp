// SPDX-License-Identifier: Apache-2.0
// A byte stream to a handler: TCP, TLS over TCP, or a unix socket. Owned by one connection, which
// every operation under way keeps alive. Loop thread only.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "shardgate/base/result.hpp"
#include "sink/endpoint.hpp"

namespace shardgate {
class tls_client;
}

namespace shardgate::sink {

// The concrete executor: a type-erased one costs an allocation and two indirections an operation.
using loop_executor = boost::asio::io_context::executor_type;

class stream_listener {
public:
    virtual ~stream_listener() = default;
    // `detail` lives during the call.
    virtual void on_connected(const error_code& ec, std::string_view detail) = 0;
    virtual void on_read(const error_code& ec, std::size_t size) = 0;
    virtual void on_written(const error_code& ec) = 0;  // after tell_written()
};

// No callback is called from inside a call. After close() they still come, with an error.
class stream {
public:
    using owner = std::shared_ptr<stream_listener>;

    virtual ~stream() = default;
    virtual void connect(owner keep) = 0;
    // At most one read and one write under way.
    virtual void read(char* to, std::size_t size, owner keep) = 0;

    enum class write_result : std::uint8_t {
        all,     // taken over whole
        later,   // call tell_written(); the pieces' bytes must stay where they are until then
        failed,  // the connection is broken: the read under way will say how
    };
    [[nodiscard]] virtual write_result write(const std::vector<std::string_view>& pieces) = 0;
    // At once after write() said later: on_written follows.
    virtual void tell_written(owner keep) = 0;
    virtual void close() noexcept = 0;
};

[[nodiscard]] std::unique_ptr<stream> make_plain_stream(const loop_executor& loop,
                                                        const endpoint& to);
[[nodiscard]] std::unique_ptr<stream> make_tls_stream(const loop_executor& loop, const endpoint& to,
                                                      tls_client& tls);

}  // namespace shardgate::sink
