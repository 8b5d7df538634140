// SPDX-License-Identifier: Apache-2.0
#include "client/endpoint.hpp"

#include <algorithm>
#include <utility>

namespace shardgate::client {

namespace {

// The URL itself is not said again: who writes a password into it should not find it in a log.
failure not_usable(std::string_view why) {
    return failure("the admin address " + std::string(why) +
                   "; allowed: http://HOST:PORT or unix:/PATH");
}

bool is_path(std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return c > 0x20 && c < 0x7F && c != '?' && c != '#'; });
}

// RFC 9110 section 4.2.1: without a port it is 80.
std::string with_port(std::string_view authority) {
    const std::size_t colon = authority.rfind(':');
    const std::size_t bracket = authority.rfind(']');
    const bool has_port =
        colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
    return std::string(authority) + (has_port ? "" : ":80");
}

}  // namespace

result<endpoint> parse_endpoint(std::string_view url) {
    constexpr std::string_view http = "http://";
    endpoint to;
    std::string authority;
    if (url.starts_with("unix:")) {
        authority = std::string(url);
        to.host = "localhost";
    } else if (url.starts_with("https://")) {
        return not_usable(
            "cannot be https: the daemon speaks plain HTTP, reach it through a tunnel");
    } else if (url.starts_with(http)) {
        url.remove_prefix(http.size());
        const std::size_t slash = std::min(url.find('/'), url.size());
        authority = with_port(url.substr(0, slash));
        to.host = std::string(url.substr(0, slash));
        to.base = std::string(url.substr(slash));
        while (!to.base.empty() && to.base.back() == '/')
            to.base.pop_back();
        if (!is_path(to.base)) return not_usable("has a path that no request can carry");
    } else {
        return not_usable("has to begin with http:// or unix:");
    }
    auto where = parse_address(authority);
    if (!where) return not_usable("cannot be used (" + where.error().detail + ")");
    if (where->type == address::kind::tcp && where->port == 0)
        return not_usable("has port 0, where nobody listens");
    to.where = std::move(*where);
    return result<endpoint>(boost::system::in_place_value, std::move(to));
}

}  // namespace shardgate::client
