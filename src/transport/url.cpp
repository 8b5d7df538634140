// SPDX-License-Identifier: Apache-2.0
// The parts of an absolute URL, by Boost.URL (RFC 3986).
#include "transport/url.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

namespace shardgate {
namespace {

failure bad_url(std::string_view why) {
    return failure(make_error_code(boost::system::errc::invalid_argument),
                   "not a usable URL: " + std::string(why));
}

std::uint16_t default_port(std::string_view scheme) {
    if (scheme == "https" || scheme == "wss") return 443;
    if (scheme == "http" || scheme == "ws") return 80;
    return 0;
}

// RFC 3986 allows more in a name than any lookup, certificate or log should be given.
bool is_host(const std::string& host) {
    error_code not_literal;
    boost::asio::ip::make_address(host, not_literal);
    if (!not_literal) return true;
    for (const char c : host)
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_'))
            return false;
    return true;
}

std::string lower(std::string text) {
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return text;
}

}  // namespace

result<url_parts> parse_url(std::string_view text) {
    const auto parsed = boost::urls::parse_uri(boost::core::string_view(text.data(), text.size()));
    if (!parsed) return bad_url("malformed");
    const boost::urls::url_view& url = *parsed;
    url_parts parts;
    parts.scheme = lower(std::string(url.scheme()));
    const std::uint16_t own_port = default_port(parts.scheme);
    if (own_port == 0) return bad_url("the scheme must be http, https, ws or wss");
    if (url.has_userinfo()) return bad_url("user information is not allowed");
    parts.host = lower(std::string(url.host_address()));
    if (parts.host.empty()) return bad_url("no host");
    if (!is_host(parts.host)) return bad_url("a host that is neither a name nor an address");
    parts.port = own_port;
    if (url.has_port() && !url.port().empty()) {
        parts.port = url.port_number();
        if (parts.port == 0) return bad_url("the port must be a number from 1 to 65535");
    }
    const std::string path(url.encoded_path());
    // Boost 1.81 takes "host:x" for an empty port and a path.
    if (!path.empty() && path.front() != '/') return bad_url("malformed");
    parts.target = path.empty() ? "/" : path;
    if (url.has_query()) parts.target += "?" + std::string(url.encoded_query());
    parts.authority = lower(std::string(url.encoded_host()));
    if (parts.port != own_port) parts.authority += ":" + std::to_string(parts.port);
    return parts;
}

}  // namespace shardgate
