// SPDX-License-Identifier: Apache-2.0
// A handler URL taken apart: where to connect and what the request line and Host say. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "shardgate/base/result.hpp"

namespace shardgate::sink {

struct endpoint {
    enum class kind : std::uint8_t { http, https, unix_socket };

    kind type = kind::http;
    std::string host;  // a name or a literal, IPv6 without its brackets
    std::uint16_t port = 80;
    std::string path;         // unix_socket
    std::string target;       // request target, at least "/"
    std::string host_header;  // as RFC 9110 section 7.2 wants it
    std::string user_info;    // "user:password", decoded; for Basic when no secret is set
};

// "http://…", "https://…", "unix:/socket:/path". Fails with a sentence that shows no user info.
[[nodiscard]] result<endpoint> parse_endpoint(std::string_view url);

}  // namespace shardgate::sink
