// SPDX-License-Identifier: Apache-2.0
// "host:port", "[v6]:port" and "unix:/path".
#include "shardgate/runtime/address.hpp"

#include <sys/un.h>

#include <boost/asio/ip/address.hpp>
#include <charconv>
#include <optional>

namespace shardgate {
namespace {

constexpr std::string_view unix_prefix = "unix:";

failure not_an_address(std::string_view why) {
    return failure(make_error_code(boost::system::errc::invalid_argument),
                   std::string(why) + R"(; allowed: "host:port", "[v6]:port", "unix:/path")");
}

result<address> parse_unix(std::string_view path) {
    if (path.empty() || path.front() != '/') return not_an_address("the path must be absolute");
    if (path.find('\0') != std::string_view::npos) return not_an_address("the path has a NUL");
    if (path.size() >= sizeof(::sockaddr_un::sun_path))  // the kernel's limit, its NUL included
        return not_an_address("the path is too long for a unix socket");
    address a;
    a.type = address::kind::unix_socket;
    a.path = std::string(path);
    return a;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const char* const end = text.data() + text.size();
    const auto [stopped, bad] = std::from_chars(text.data(), end, port);
    if (text.empty() || bad != std::errc() || stopped != end) return std::nullopt;
    return port;
}

bool is_host_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
}

}  // namespace

result<address> parse_address(std::string_view text) {
    if (text.substr(0, unix_prefix.size()) == unix_prefix)
        return parse_unix(text.substr(unix_prefix.size()));
    address a;
    std::string_view rest;
    if (!text.empty() && text.front() == '[') {
        const std::size_t close = text.find(']');
        if (close == std::string_view::npos) return not_an_address("a \"[\" without \"]\"");
        a.host = std::string(text.substr(1, close - 1));
        rest = text.substr(close + 1);
        error_code bad;
        boost::asio::ip::make_address_v6(a.host, bad);
        if (bad) return not_an_address("not an IPv6 address between the brackets");
    } else {
        const std::size_t colon = text.find(':');
        a.host = std::string(text.substr(0, colon));
        rest = colon == std::string_view::npos ? std::string_view() : text.substr(colon);
        if (a.host.empty()) return not_an_address("no host");
        for (const char c : a.host)
            if (!is_host_character(c)) return not_an_address("a character no host name has");
    }
    if (rest.empty() || rest.front() != ':') return not_an_address("no port");
    const std::optional<std::uint16_t> port = parse_port(rest.substr(1));
    if (!port) return not_an_address("the port must be a number from 0 to 65535");
    a.port = *port;
    return a;
}

std::string to_string(const address& a) {
    if (a.type == address::kind::unix_socket) return std::string(unix_prefix) + a.path;
    const bool v6 = a.host.find(':') != std::string::npos;
    const std::string host = v6 ? "[" + a.host + "]" : a.host;
    return host + ":" + std::to_string(a.port);
}

bool is_local(const address& a) {
    if (a.type == address::kind::unix_socket || a.host == "localhost") return true;
    error_code not_literal;
    const auto literal = boost::asio::ip::make_address(a.host, not_literal);
    return !not_literal && literal.is_loopback();
}

}  // namespace shardgate
