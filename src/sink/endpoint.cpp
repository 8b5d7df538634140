// SPDX-License-Identifier: Apache-2.0
// Handler URLs. Strict: what is not certainly right is refused, so that nothing of a URL can get
// into a request's head in another place than its own.
#include "sink/endpoint.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace shardgate::sink {
namespace {

constexpr std::size_t socket_path_max = 107;  // sockaddr_un's, without the terminator

bool is_clean(std::string_view url) noexcept {
    return std::all_of(url.begin(), url.end(), [](char c) { return c > ' ' && c != '\x7f'; });
}

std::optional<std::string> percent_decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        unsigned value = 0;
        if (i + 2 >= text.size()) return std::nullopt;
        const char* const first = text.data() + i + 1;
        if (std::from_chars(first, first + 2, value, 16).ptr != first + 2) return std::nullopt;
        out += static_cast<char>(value);
        i += 2;
    }
    return out;
}

result<endpoint> parse_unix(std::string_view rest) {
    endpoint out;
    out.type = endpoint::kind::unix_socket;
    const auto split = rest.find(":/");
    out.path = rest.substr(0, split);
    out.target = split == std::string_view::npos ? "/" : std::string(rest.substr(split + 1));
    out.host = out.host_header = "localhost";
    out.port = 0;
    if (out.path.empty() || out.path.front() != '/')
        return failure("a unix: URL needs an absolute path: unix:/run/bot.sock:/path");
    if (out.path.size() > socket_path_max)
        return failure("the unix socket's path is longer than 107 bytes");
    return out;
}

bool parse_port(std::string_view text, std::uint16_t& port) {
    const auto end = text.data() + text.size();
    const auto [at, ec] = std::from_chars(text.data(), end, port);
    return ec == std::errc{} && at == end && port != 0;
}

// host, host:port, [v6], [v6]:port.
bool parse_authority(std::string_view text, endpoint& out) {
    std::string_view port;
    if (!text.empty() && text.front() == '[') {
        const auto close = text.find(']');
        if (close == std::string_view::npos) return false;
        out.host = text.substr(1, close - 1);
        const auto rest = text.substr(close + 1);
        if (!rest.empty() && rest.front() != ':') return false;
        if (!rest.empty()) port = rest.substr(1);
        if (!rest.empty() && port.empty()) return false;
    } else {
        const auto colon = text.find(':');
        out.host = text.substr(0, colon);
        if (colon != std::string_view::npos) {
            port = text.substr(colon + 1);
            if (port.empty()) return false;
        }
    }
    const bool allowed = out.host.find_first_of("\"<>\\^`{|}[]@") == std::string::npos;
    return !out.host.empty() && allowed && (port.empty() || parse_port(port, out.port));
}

}  // namespace

result<endpoint> parse_endpoint(std::string_view url) {
    if (!is_clean(url)) return failure("a handler URL holds a space or a control character");
    if (url.starts_with("unix:")) return parse_unix(url.substr(5));
    endpoint out;
    if (url.starts_with("https://")) {
        out.type = endpoint::kind::https;
        out.port = 443;
    } else if (!url.starts_with("http://")) {
        return failure("a handler URL begins with http://, https:// or unix:/");
    }
    url.remove_prefix(url.find("//") + 2);
    url = url.substr(0, url.find('#'));
    const auto slash = std::min(url.find_first_of("/?"), url.size());
    std::string_view authority = url.substr(0, slash);
    out.target = url.substr(slash);
    if (out.target.empty() || out.target.front() != '/') out.target.insert(0, 1, '/');

    if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
        auto decoded = percent_decoded(authority.substr(0, at));
        if (!decoded) return failure("a handler URL's user info is not percent-encoded rightly");
        out.user_info = std::move(*decoded);
        authority.remove_prefix(at + 1);
    }
    if (!parse_authority(authority, out))
        return failure("a handler URL's host or port cannot be read");
    out.host_header = authority;
    return out;
}

}  // namespace shardgate::sink
