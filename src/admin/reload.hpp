// SPDX-License-Identifier: Apache-2.0
// POST /v1/reload: reads the configuration again. Pure but for what `view` is asked.
#pragma once

#include <optional>
#include <string_view>

#include "admin/http_message.hpp"
#include "admin/target.hpp"
#include "shardgate/admin/daemon_view.hpp"

namespace shardgate::admin {

// Answers at once what cannot be asked; else `later` gets what the reading came to.
[[nodiscard]] std::optional<http_response> reload(daemon_view& view, const target& t,
                                                  std::string_view body, later_answer later);

}  // namespace shardgate::admin
