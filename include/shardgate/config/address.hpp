// SPDX-License-Identifier: Apache-2.0
// Whose address a URL is: Discord's own hosts have rules that a proxy or the simulator has not.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace shardgate::config {

// discord.com, discordapp.com, discord.gg and every name below them; a trailing dot
// and letter case make no difference.
[[nodiscard]] bool is_discord_host(std::string_view host) noexcept;

// The same for the host of a URL (http, https, ws, wss). False for what is no URL.
[[nodiscard]] bool is_discord_url(std::string_view url);

// What is wrong with these as handler.urls, in words that never repeat one (it may carry a
// password); empty = nothing.
inline constexpr std::size_t max_handler_urls = 64;
[[nodiscard]] std::string check_handler_urls(const std::vector<std::string>& urls);

}  // namespace shardgate::config
