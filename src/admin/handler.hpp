// SPDX-License-Identifier: Apache-2.0
// POST /v1/handler: pauses delivery, resumes it, switches it to other URLs. Nothing is lost, sent
// twice or out of order by it; nothing of it outlives the process. Pure but for the view.
#pragma once

#include <string_view>

#include "admin/http_message.hpp"
#include "admin/target.hpp"
#include "shardgate/admin/daemon_view.hpp"

namespace shardgate::admin {

[[nodiscard]] http_response change_handler(daemon_view& view, const target& t,
                                           std::string_view body);

}  // namespace shardgate::admin
