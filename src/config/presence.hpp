// SPDX-License-Identifier: Apache-2.0
// The presence and the connection properties: TOML tables in, the JSON text of IDENTIFY out
// (Discord docs, Gateway Events, Identify and Update Presence). Private to src/config.
#pragma once

#include "config/entry.hpp"

namespace shardgate::config {

[[nodiscard]] entry presence_entry();
[[nodiscard]] entry properties_entry();

// Room the presence's JSON may take: a presence update is {"op":3,"d":...} within 4096 bytes.
inline constexpr std::size_t max_presence_json = 4096 - 16;

}  // namespace shardgate::config
