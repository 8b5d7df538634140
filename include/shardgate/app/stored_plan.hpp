// SPDX-License-Identifier: Apache-2.0
// For `shardgate check`: whether the shard plan that lies in the state directory is what the
// configuration says. Disturbs no daemon; while one runs, its `status` says it.
#pragma once

#include <string>
#include <vector>

#include "shardgate/config/config.hpp"
#include "shardgate/store/glance.hpp"

namespace shardgate {

// Of what lies there. Pure; a sentence each.
[[nodiscard]] std::vector<std::string> plan_warnings(const state_glance& stored,
                                                     const config::settings& settings);
// Reads it. None when it cannot be known.
[[nodiscard]] std::vector<std::string> stored_warnings(const config::settings& settings);

}  // namespace shardgate
