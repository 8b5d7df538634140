// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 messages of the client (RFC 9112): request to bytes, bytes to response. Pure; the
// response is read by Beast's parser.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "shardgate/base/result.hpp"
#include "shardgate/transport/http_client.hpp"
#include "transport/url.hpp"

namespace shardgate {

// The request's bytes. Fails when a method, header name or value could not stand in one (a line
// break in a value would be another header); says which header, never its value.
[[nodiscard]] result<std::string> http_request_text(const http_request& request,
                                                    const url_parts& url,
                                                    std::string_view user_agent);

// Reads one response; interim ones (1xx) are skipped.
class http_response_reader {
public:
    static constexpr std::uint32_t max_header = 16U << 10;
    static constexpr std::uint64_t max_body = 1U << 20;

    enum class step : std::uint8_t { more, done, failed };

    // `bodiless`: the request was a HEAD.
    explicit http_response_reader(bool bodiless);
    ~http_response_reader();
    http_response_reader(const http_response_reader&) = delete;
    http_response_reader& operator=(const http_response_reader&) = delete;

    [[nodiscard]] step feed(std::string_view bytes);
    // The peer closed: done if that ends the body (RFC 9112 section 6.3), else failed.
    [[nodiscard]] step end_of_stream();

    [[nodiscard]] bool started() const noexcept;  // any byte was fed
    // Pre: done. Whether the connection can carry another request: it may stay open and nothing
    // came behind the response.
    [[nodiscard]] bool reusable() const;
    [[nodiscard]] http_response take();
    [[nodiscard]] const failure& fault() const noexcept;  // pre: failed

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace shardgate
