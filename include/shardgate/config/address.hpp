// SPDX-License-Identifier: Apache-2.0
// Whose address a URL is: Discord's own hosts have rules that a proxy or the simulator has not.
#pragma once

#include <string_view>

namespace shardgate::config {

// discord.com, discordapp.com, discord.gg and every name below them; a trailing dot
// and letter case make no difference.
[[nodiscard]] bool is_discord_host(std::string_view host) noexcept;

// The same for the host of a URL (http, https, ws, wss). False for what is no URL.
[[nodiscard]] bool is_discord_url(std::string_view url);

}  // namespace shardgate::config
