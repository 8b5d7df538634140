// SPDX-License-Identifier: Apache-2.0
// Where something listens or is listened to, as configuration writes it: "host:port", "[v6]:port",
// "unix:/path". Pure; names are not looked up here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "shardgate/base/result.hpp"

namespace shardgate {

struct address {
    enum class kind : std::uint8_t { tcp, unix_socket };
    kind type = kind::tcp;
    std::string host;  // a name or a literal, IPv6 without its brackets
    std::uint16_t port = 0;
    std::string path;  // unix_socket
};

// Fails with a sentence that says what is allowed. Port 0 is legal (the system chooses one).
[[nodiscard]] result<address> parse_address(std::string_view text);

// As parse_address() reads it.
[[nodiscard]] std::string to_string(const address& a);

// A unix socket, a loopback literal, or "localhost": nobody else's machine can reach it.
[[nodiscard]] bool is_local(const address& a);

}  // namespace shardgate
