// SPDX-License-Identifier: Apache-2.0
// TOML text to tables, with errors that can be shown: the parser may quote what it read, and what
// it read may be a token. Private to src/config.
#pragma once

#include <toml++/toml.h>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace shardgate::config {

struct parsed_toml {
    std::optional<toml::table> table;
    std::string wrong;  // when there is no table
    std::uint32_t line = 0, column = 0;
};

[[nodiscard]] parsed_toml parse_document(std::string_view text);
// One value, found as "value" in the table; text that is more than one value is refused.
[[nodiscard]] parsed_toml parse_value(std::string_view text);

// `message` with every piece in single quotes longer than one character replaced by '...'.
[[nodiscard]] std::string without_quotes(std::string_view message);

}  // namespace shardgate::config
