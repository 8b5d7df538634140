// SPDX-License-Identifier: Apache-2.0
// Checks of URLs and of what they are made of. The only part that knows Boost.URL.
// Pure, private to src/config.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace shardgate::config {

inline constexpr std::size_t max_url = 2048;

// What is wrong with `text` as an absolute URL with a host, without user info or fragment.
// Never repeats the URL: it may carry a password.
[[nodiscard]] std::string check_url(std::string_view text,
                                    std::initializer_list<std::string_view> schemes,
                                    bool query_allowed);
// The host, percent-decoded; IPv6 in brackets. Empty for what is no URL.
[[nodiscard]] std::string host_of(std::string_view url);
[[nodiscard]] bool has_scheme(std::string_view url, std::string_view scheme) noexcept;

[[nodiscard]] bool is_ipv6(std::string_view text);
// 127.0.0.0/8, ::1 or "localhost".
[[nodiscard]] bool is_loopback(std::string_view host);
// Letters, digits, "-" and "."; at most 253.
[[nodiscard]] bool is_host_name(std::string_view text) noexcept;
[[nodiscard]] std::optional<std::uint16_t> port_number(std::string_view digits) noexcept;
// The path of a unix socket: absolute and short enough for the kernel.
[[nodiscard]] std::string check_socket_path(std::string_view path);

}  // namespace shardgate::config
