// SPDX-License-Identifier: Apache-2.0
// Bytes to requests and answers to bytes, bounded on the way in. No socket: the server feeds it,
// and so do the fuzzer and the tests. Spec: RFC 9112. Owner: one connection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "admin/http_message.hpp"
#include "shardgate/base/time.hpp"

namespace shardgate::admin {

inline constexpr std::size_t header_limit = 8 * 1024;
inline constexpr std::size_t body_limit = 64 * 1024;

class request_reader {
public:
    enum class state : std::uint8_t {
        empty,           // between requests: nothing of the next one is here
        headers,         // waiting for the rest of the header section
        body,            // waiting for the rest of the body
        wants_continue,  // as body; the client waits for "100 Continue" first
        complete,        // take() has a request
        refused,         // refusal() has the answer; nothing more can be read
    };

    request_reader();
    ~request_reader();
    request_reader(const request_reader&) = delete;
    request_reader& operator=(const request_reader&) = delete;

    // Reads on. While a request is complete the bytes wait; so feed no more before take().
    state feed(std::string_view bytes);
    [[nodiscard]] state now() const noexcept;
    // The client was told to go on.
    void continued() noexcept;
    // Pre: complete. Goes on with what followed the request (pipelining); see now() for the result.
    [[nodiscard]] http_request take();
    // Pre: refused.
    [[nodiscard]] const http_response& refusal() const noexcept;

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

// The answer's bytes, with Date, Content-Length and Connection. HEAD gets the length but no body.
// Of an answer with a stream the head alone; its pieces follow as chunks, or, for HTTP/1.0, as they
// are until the connection ends.
[[nodiscard]] std::string serialize(const http_response& answer, const http_request& request,
                                    bool keep_alive, wall_ms date);

// A piece of a chunked body (RFC 9112 section 7.1); nothing for an empty one.
void append_chunk(std::string& out, std::string_view piece);
inline constexpr std::string_view last_chunk = "0\r\n\r\n";

}  // namespace shardgate::admin
