// SPDX-License-Identifier: Apache-2.0
// The dashboard's files and the API's description, as they were built in (src/admin/page). They
// hold nothing of the daemon's: whoever sees them has to ask for the figures like anybody else.
#pragma once

#include <span>
#include <string_view>

#include "admin/http_message.hpp"

namespace shardgate::admin {

struct asset {
    std::string_view name;
    std::string_view text;
};

[[nodiscard]] std::span<const asset> assets() noexcept;

// 404 for what there is not.
[[nodiscard]] http_response show_asset(std::string_view name);

}  // namespace shardgate::admin
