// SPDX-License-Identifier: Apache-2.0
// The server side of RFC 6455, frame by frame. Our own, not Beast's: many frames go into one TLS
// write, and the faults need bytes that a correct library refuses to send. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "shardgate/protocol/close_code.hpp"

namespace shardgate::sim {

enum class ws_opcode : std::uint8_t {
    continuation = 0,
    text = 1,
    binary = 2,
    close = 8,
    ping = 9,
    pong = 10,
};

// Appends the header of an unmasked frame (RFC 6455 section 5.2).
void write_frame_header(std::string& out, ws_opcode op, std::size_t size, bool fin = true);
// A close frame; code 0 = without a body.
void write_close_frame(std::string& out, close_code code);

// What a client sent: whole messages, fragments put together, masks taken off.
class ws_decoder {
public:
    explicit ws_decoder(std::size_t max_message) : max_(max_message) {}

    enum class kind : std::uint8_t { none, text, binary, close_frame, ping, pong, broken };
    struct item {
        kind what = kind::none;
        std::string payload;  // close_frame: the reason
        close_code code = 0;  // close_frame: the peer's; broken: the one to answer with
    };

    void feed(std::string_view bytes) { buffer_.append(bytes); }
    // The next message, `none` when more bytes are needed. After `broken` nothing else comes.
    item next();

private:
    struct header {
        std::size_t size = 0;      // header bytes
        std::uint64_t length = 0;  // payload bytes
        std::uint8_t op = 0;
        bool fin = false;
        bool masked = false;
        bool reserved = false;
    };
    [[nodiscard]] std::optional<header> peek() const;
    [[nodiscard]] close_code check(const header& h) const;
    item control(ws_opcode op, std::string payload) const;
    item broken(close_code code);

    std::size_t max_;
    std::string buffer_;
    std::string message_;  // fragments so far
    ws_opcode message_op_ = ws_opcode::continuation;
    bool broken_ = false;
};

// Sec-WebSocket-Accept for a key (RFC 6455 section 4.2.2).
[[nodiscard]] std::string accept_key(std::string_view key);

// A client's upgrade request.
struct upgrade_request {
    std::string target;
    std::string key;
    std::string user_agent;
    bool valid = false;  // GET, HTTP/1.1, upgrade headers all there
};
// Pre: `head` ends with the empty line.
[[nodiscard]] upgrade_request parse_upgrade(std::string_view head);
// One query parameter of a target; empty when absent.
[[nodiscard]] std::string query_value(std::string_view target, std::string_view name);

}  // namespace shardgate::sim
