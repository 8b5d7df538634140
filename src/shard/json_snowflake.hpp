// SPDX-License-Identifier: Apache-2.0
// Ids as bots write them: strings, and numbers from those whose language has 64 bits. Pure.
#pragma once

#include <boost/json/value.hpp>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>

#include "shardgate/base/ids.hpp"

namespace shardgate {

// Nothing for 0 and for what is no id.
[[nodiscard]] inline std::optional<snowflake> read_snowflake(const boost::json::value& v) noexcept {
    if (const boost::json::string* text = v.if_string()) {
        std::uint64_t value = 0;
        const char* const last = text->data() + text->size();
        const auto [end, ec] = std::from_chars(text->data(), last, value);
        if (ec != std::errc() || end != last || value == 0) return std::nullopt;
        return snowflake{value};
    }
    if (const std::int64_t* number = v.if_int64(); number && *number > 0)
        return snowflake{static_cast<std::uint64_t>(*number)};
    if (const std::uint64_t* number = v.if_uint64()) return snowflake{*number};
    return std::nullopt;
}

}  // namespace shardgate
