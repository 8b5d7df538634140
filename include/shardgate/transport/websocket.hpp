// SPDX-License-Identifier: Apache-2.0
// A client WebSocket over TLS, without a word of Beast or OpenSSL. Loop thread only.
// Callbacks instead of coroutines: one read delivers many messages and must not cost a frame each.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "shardgate/base/result.hpp"
#include "shardgate/base/time.hpp"
#include "shardgate/protocol/close_code.hpp"

namespace shardgate {

class tls_client;  // transport/tls_client.hpp: shared verification settings

// How a connection ended. Exactly one of: a peer's close frame (code from it), our own close or
// abort, an error on the way.
struct websocket_end {
    enum class cause : std::uint8_t {
        closed_by_peer,  // code = the close frame's, 0 if it had none
        closed_by_us,    // close() or abort() finished (code 0)
        connect_failed,  // before the upgrade was answered; http_status set if it was answered
                         // wrongly
        lost,            // reset, end of stream, TLS error
        too_big,         // a message above max_message
        timed_out,       // connecting or closing took too long
    };
    cause why = cause::lost;
    close_code code = 0;
    unsigned http_status = 0;  // connect_failed: 429, 503, …
    std::string detail;        // for the log: never a URL's query, never a secret
};

class websocket_listener {
public:
    virtual ~websocket_listener() = default;
    virtual void on_open() = 0;
    // `message` has scanner::padding readable bytes behind it and lives until the call returns.
    // `binary` tells the frame type; `now` is when its last bytes were read, the same for all that
    // one read brought. The listener may call close(), abort() or destroy the websocket.
    virtual void on_message(std::string_view message, bool binary, time_point now) = 0;
    // Exactly once, never from inside open(), close(), send() or abort(); nothing follows it.
    virtual void on_end(const websocket_end& end) = 0;
};

struct websocket_options {
    std::string user_agent;
    std::size_t max_message = 32U << 20;                  // bytes on the wire of one message
    duration connect_timeout = std::chrono::seconds(20);  // DNS, TCP, TLS and upgrade together
    duration close_timeout = std::chrono::seconds(3);     // wait for the peer's close frame
};

class websocket {
public:
    // Destroying it drops the connection (TCP close, no close frame) and ends all callbacks at
    // once.
    virtual ~websocket() = default;

    // Queues a text frame; written in order. Ignored before on_open and after close() or abort().
    // A peer that leaves 1 MiB or 1,024 frames unread is given up (lost).
    virtual void send(std::string text) = 0;
    // Sends a close frame with `code`, then on_end after the peer's answer or close_timeout. No
    // message is delivered any more. Before on_open the same as abort().
    virtual void close(close_code code) = 0;
    // Drops the TCP connection without a close frame; on_end follows.
    virtual void abort() = 0;
    // Bytes received from the network on this connection, TLS overhead excluded.
    [[nodiscard]] virtual std::uint64_t wire_bytes() const noexcept = 0;
};

// A peer's close frame is answered with its own code if that is 3000-4999, else with
// close_to_resume: 1000 and 1001 are sent only when close() is asked to.
//
// Starts connecting to `address` ("wss://host[:port]/path?query"). DNS is asked anew each time,
// IPv6 and IPv4 are tried with fallback, SNI and host name verification are always on. `listener`
// must outlive the returned object.
[[nodiscard]] std::unique_ptr<websocket> open_websocket(boost::asio::any_io_executor loop,
                                                        tls_client& tls, std::string address,
                                                        websocket_options options,
                                                        websocket_listener& listener);

}  // namespace shardgate
