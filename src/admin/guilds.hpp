// SPDX-License-Identifier: Apache-2.0
// GET /v1/guilds: how many, and with ?ids=1 which, one a line, for a bot that has lost its own
// list. Pure but for what the view is asked.
#pragma once

#include "admin/http_message.hpp"
#include "admin/target.hpp"
#include "shardgate/admin/daemon_view.hpp"

namespace shardgate::admin {

[[nodiscard]] http_response guilds(const daemon_view& view, const target& t);

}  // namespace shardgate::admin
