// SPDX-License-Identifier: Apache-2.0
// URLs and hosts, by Boost.URL.
#include "config/url.hpp"

#include <algorithm>
#include <array>
#include <boost/url/ipv4_address.hpp>
#include <boost/url/ipv6_address.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <charconv>
#include <system_error>

#include "config/text.hpp"
#include "shardgate/config/address.hpp"

namespace shardgate::config {
namespace {

// sockaddr_un::sun_path less the final zero (unix(7)).
constexpr std::size_t max_socket_path = 107;
constexpr std::size_t max_host_name = 253;  // RFC 1035, 2.3.4

constexpr std::array<std::string_view, 3> discord_domains{"discord.com", "discordapp.com",
                                                          "discord.gg"};

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool equal_caseless(std::string_view a, std::string_view b) noexcept {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return lower(x) == lower(y); });
}

std::string check_authority(const boost::urls::url_view& url) {
    if (!url.has_authority() || url.encoded_host().empty()) return "has no host";
    if (url.has_userinfo()) return "has a user name or password in it";
    const std::string host = url.host();
    const bool plain = is_visible_ascii(host) && host.find('%') == std::string::npos;
    if (!plain) return "has a host that is no host name";
    if (!url.has_port()) return {};
    const std::string port(url.port());
    if (port_number(port).value_or(0) == 0) return "has a wrong port";
    return {};
}

}  // namespace

std::string check_url(std::string_view text, std::initializer_list<std::string_view> schemes,
                      bool query_allowed) {
    if (text.size() > max_url) return "is longer than " + std::to_string(max_url) + " bytes";
    const auto parsed = boost::urls::parse_uri(text);
    if (!parsed) return "is not a URL";
    const boost::urls::url_view& url = *parsed;
    const bool known = std::any_of(schemes.begin(), schemes.end(), [text](std::string_view name) {
        return has_scheme(text, name);
    });
    if (!known) return "has the scheme " + in_quotes(std::string(url.scheme()));
    if (std::string wrong = check_authority(url); !wrong.empty()) return wrong;
    if (url.has_fragment()) return "has a fragment (#)";
    if (url.has_query() && !query_allowed) return "has a query (?)";
    return {};
}

std::string host_of(std::string_view url) {
    if (url.size() > max_url) return {};
    const auto parsed = boost::urls::parse_uri(url);
    if (!parsed) return {};
    return parsed->host();
}

bool has_scheme(std::string_view url, std::string_view scheme) noexcept {
    return url.size() > scheme.size() && url[scheme.size()] == ':' &&
           equal_caseless(url.substr(0, scheme.size()), scheme);
}

bool is_ipv6(std::string_view text) {
    return boost::urls::parse_ipv6_address(text).has_value();
}

bool is_loopback(std::string_view host) {
    if (equal_caseless(host, "localhost")) return true;
    if (const auto v4 = boost::urls::parse_ipv4_address(host)) return v4->is_loopback();
    if (const auto v6 = boost::urls::parse_ipv6_address(host)) return v6->is_loopback();
    return false;
}

bool is_host_name(std::string_view text) noexcept {
    if (text.empty() || text.size() > max_host_name) return false;
    return std::all_of(text.begin(), text.end(), [](char c) {
        const char l = lower(c);
        return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
    });
}

std::optional<std::uint16_t> port_number(std::string_view digits) noexcept {
    std::uint16_t value = 0;
    const char* const end = digits.data() + digits.size();
    const auto [rest, error] = std::from_chars(digits.data(), end, value);
    if (error != std::errc{} || rest != end || digits.empty()) return std::nullopt;
    return value;
}

std::string check_socket_path(std::string_view path) {
    if (path.empty() || path.front() != '/') return "has no absolute socket path";
    if (path.size() > max_socket_path)
        return "has a socket path longer than " + std::to_string(max_socket_path) + " bytes";
    if (std::any_of(path.begin(), path.end(), is_control)) return "has a control character";
    return {};
}

bool is_discord_host(std::string_view host) noexcept {
    if (!host.empty() && host.back() == '.') host.remove_suffix(1);
    return std::any_of(discord_domains.begin(), discord_domains.end(), [host](auto domain) {
        if (host.size() < domain.size()) return false;
        const std::size_t head = host.size() - domain.size();
        return equal_caseless(host.substr(head), domain) && (head == 0 || host[head - 1] == '.');
    });
}

bool is_discord_url(std::string_view url) {
    return is_discord_host(host_of(url));
}

}  // namespace shardgate::config
