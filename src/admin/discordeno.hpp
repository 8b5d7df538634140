// SPDX-License-Identifier: Apache-2.0
// What a Discordeno bot process asks its gateway process, so that an unchanged one can stand behind
// us: POST / and GET /timecheck. They have rules of their own: the bare secret as Authorization,
// errors as {"message": …}. Pure but for what `view` does. The messages: docs/bot-to-gateway.md.
#pragma once

#include <string_view>

#include "admin/http_message.hpp"
#include "shardgate/admin/daemon_view.hpp"

namespace shardgate::admin {

[[nodiscard]] http_response discordeno(daemon_view& view, std::string_view body);
[[nodiscard]] http_response timecheck();
// An answer of the guard's in their words.
[[nodiscard]] http_response as_message(const http_response& refusal);

}  // namespace shardgate::admin
