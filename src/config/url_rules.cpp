// SPDX-License-Identifier: Apache-2.0
// Which URLs and listening addresses each key takes.
#include <optional>

#include "config/rules.hpp"
#include "config/text.hpp"
#include "config/url.hpp"
#include "shardgate/config/address.hpp"

namespace shardgate::config {
namespace {

constexpr std::string_view unix_scheme = "unix:";

bool is_unix(std::string_view text) {
    return text.substr(0, unix_scheme.size()) == unix_scheme;
}

// "unix:/run/bot.sock:/path?query": the socket's path ends before the last ":/".
std::string check_unix_url(std::string_view text) {
    if (text.size() > max_url) return "is longer than " + std::to_string(max_url) + " bytes";
    std::string_view socket = text.substr(unix_scheme.size());
    const std::size_t split = socket.rfind(":/");
    std::string_view target = "/";
    if (split != std::string_view::npos) {
        target = socket.substr(split + 1);
        socket = socket.substr(0, split);
    }
    if (!is_visible_ascii(target) || target.find('#') != std::string_view::npos)
        return "has a path that no HTTP request can carry";
    return check_socket_path(socket);
}

struct host_port {
    std::string_view host, port;
};

// Splits host:port and [v6]:port; empty when it is neither.
std::optional<host_port> split_listen(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    host_port parts{text.substr(0, colon), text.substr(colon + 1)};
    if (!port_number(parts.port)) return std::nullopt;
    const bool bracketed =
        parts.host.size() > 2 && parts.host.front() == '[' && parts.host.back() == ']';
    if (bracketed) parts.host = parts.host.substr(1, parts.host.size() - 2);
    if (bracketed ? !is_ipv6(parts.host) : !is_host_name(parts.host)) return std::nullopt;
    return parts;
}

}  // namespace

std::string api_url_rule(std::string& text) {
    if (std::string wrong = check_url(text, {"https", "http"}, false); !wrong.empty()) return wrong;
    if (has_scheme(text, "http") && is_discord_url(text))
        return "would send the token to Discord unencrypted";
    while (text.back() == '/')
        text.pop_back();
    return {};
}

std::string gateway_url_rule(std::string& text) {
    return text.empty() ? std::string() : check_url(text, {"wss"}, false);
}

std::string handler_url_rule(std::string& text) {
    if (text.empty()) return "is empty";
    return is_unix(text) ? check_unix_url(text) : check_url(text, {"http", "https"}, true);
}

std::string support_url_rule(std::string& text) {
    return text.empty() ? std::string() : check_url(text, {"https", "http"}, true);
}

std::string nats_url_rule(std::string& text) {
    return text.empty() ? std::string() : check_url(text, {"nats", "tls"}, false);
}

std::string listen_rule(std::string& text) {
    if (text.empty()) return {};
    if (is_unix(text)) return check_socket_path(std::string_view(text).substr(unix_scheme.size()));
    return split_listen(text) ? std::string() : "is " + in_quotes(text);
}

bool is_local_listen(std::string_view listen) {
    if (listen.empty() || is_unix(listen)) return true;
    const auto parts = split_listen(listen);
    return parts && is_loopback(parts->host);
}

}  // namespace shardgate::config
