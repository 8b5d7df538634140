// SPDX-License-Identifier: Apache-2.0
// [discord]: the bot's identity and the connection to the gateway.
#include "config/presence.hpp"
#include "config/rules.hpp"
#include "config/schema.hpp"

namespace shardgate::config {
namespace {

template <auto Field>
constexpr auto field = at<&settings::discord, Field>;

constexpr byte_count mib = 1ULL << 20;
constexpr std::uint64_t max_capabilities = 0x7FFF'FFFF;

constexpr const char* api_url_shape =
    "an http or https URL without user name, query or fragment; Discord itself only by https";
constexpr const char* gateway_url_shape =
    "empty, or a wss URL without user name, query or fragment";

}  // namespace

schema_part discord_schema() {
    const names<compression> compressions{{"zstd-stream", compression::zstd_stream},
                                          {"zlib-stream", compression::zlib_stream},
                                          {"none", compression::none}};
    return {
        secret_text("discord.token", "the bot token, with or without \"Bot \" before it",
                    "the bot token; rather use token_file"),
        secret_text("discord.token_file", "an absolute path", "file with the bot token"),
        intents_entry(),
        text("discord.api_url", field<&discord::api_url>, api_url_shape, api_url_rule,
             "Discord's REST API or a REST proxy"),
        secret_text("discord.api_authorization", "the value of an HTTP header",
                    "Authorization for a REST proxy; empty = \"Bot <token>\""),
        secret_text("discord.api_authorization_file", "an absolute path",
                    "file with api_authorization"),
        text("discord.gateway_url", field<&discord::gateway_url>, gateway_url_shape,
             gateway_url_rule, "gateway address; empty = what GET /gateway/bot answers"),
        choice("discord.compression", field<&discord::compression>, compressions,
               "transport compression"),
        size("discord.max_message", field<&discord::max_message>, mib, 1024 * mib,
             "largest gateway message, inflated"),
        text("discord.ca_file", field<&discord::ca_file>, "empty, or an absolute path", path_rule,
             "PEM certificates trusted beside the system's store"),
        number("discord.large_threshold", field<&discord::large_threshold>, 50, 250,
               "guild size from which offline members are left out"),
        number("discord.capabilities", field<&discord::capabilities>, std::uint64_t{0},
               max_capabilities, "capability bits of IDENTIFY; 0 = not sent"),
        presence_entry(),
        properties_entry(),
    };
}

}  // namespace shardgate::config
