// SPDX-License-Identifier: Apache-2.0
// What single texts of the configuration must look like. Pure, private to src/config.
// Each returns what is wrong, empty when nothing is, and may bring the text into normal form.
#pragma once

#include <string>
#include <string_view>

namespace shardgate::config {

// Paths: "" or absolute, no control characters.
[[nodiscard]] std::string path_rule(std::string& text);
// MESSAGE_CREATE: capital letters, digits and underscores, at most 64.
[[nodiscard]] std::string event_name_rule(std::string& text);
// A short name: letters, digits, "-", "_", "."; at most 64. May be empty where the key says so.
[[nodiscard]] std::string name_rule(std::string& text);
[[nodiscard]] std::string optional_name_rule(std::string& text);
// A Discord message's content: 1 to 2000 characters, not only blanks.
[[nodiscard]] std::string message_rule(std::string& text);

// http or https without user info, query or fragment; plain http not to Discord itself. A trailing
// slash is taken off.
[[nodiscard]] std::string api_url_rule(std::string& text);
// "" or wss without user info, query or fragment.
[[nodiscard]] std::string gateway_url_rule(std::string& text);
// http, https, or "unix:/socket:/target".
[[nodiscard]] std::string handler_url_rule(std::string& text);
// "" or http(s), for people to click.
[[nodiscard]] std::string support_url_rule(std::string& text);
// "" or nats or tls.
[[nodiscard]] std::string nats_url_rule(std::string& text);
// "", host:port, [v6]:port or "unix:/path".
[[nodiscard]] std::string listen_rule(std::string& text);

// `listen` (already accepted by listen_rule) is reachable from this machine only.
[[nodiscard]] bool is_local_listen(std::string_view listen);

}  // namespace shardgate::config
