// SPDX-License-Identifier: Apache-2.0
// The parts of an absolute URL a client connects by. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "shardgate/base/result.hpp"

namespace shardgate {

struct url_parts {
    std::string scheme;  // lower case
    std::string host;    // a name, or a literal without brackets
    std::uint16_t port = 0;
    std::string target;     // path and query as they go on the wire; never empty, no fragment
    std::string authority;  // for Host: port left out when it is the scheme's own

    [[nodiscard]] bool tls() const noexcept { return scheme == "https" || scheme == "wss"; }
};

// Fails on anything but http, https, ws and wss with a host; on user information, which would end
// up in logs; on characters that have no place in a request line. The failure never quotes `text`,
// which may hold a token.
[[nodiscard]] result<url_parts> parse_url(std::string_view text);

}  // namespace shardgate
