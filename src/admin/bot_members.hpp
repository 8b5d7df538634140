// SPDX-License-Identifier: Apache-2.0
// POST /v1/guilds/{id}/members: asks Discord for a guild's members and answers the chunks as they
// come, a line each (NDJSON). Pure but for what `view` does.
#pragma once

#include <optional>
#include <string_view>

#include "admin/http_message.hpp"
#include "admin/target.hpp"
#include "shardgate/admin/daemon_view.hpp"

namespace shardgate::admin {

// Nothing: the answer comes through `later`, with the first chunk or why there is none.
[[nodiscard]] std::optional<http_response> members(daemon_view& view, const target& t,
                                                   std::string_view body, later_answer later);

}  // namespace shardgate::admin
