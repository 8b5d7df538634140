// SPDX-License-Identifier: Apache-2.0
// The table of every key, in the order of the example file. Private to src/config.
#pragma once

#include <string_view>
#include <vector>

#include "config/entry.hpp"

namespace shardgate::config {

// One part a section, each in its own file.
[[nodiscard]] schema_part discord_schema();
[[nodiscard]] schema_part sharding_schema();
[[nodiscard]] schema_part resharding_schema();
[[nodiscard]] schema_part filter_schema();
[[nodiscard]] schema_part handler_schema();
[[nodiscard]] schema_part queue_schema();
[[nodiscard]] schema_part interactions_schema();
[[nodiscard]] schema_part state_schema();
[[nodiscard]] schema_part admin_schema();
[[nodiscard]] schema_part watchdog_schema();
[[nodiscard]] schema_part log_schema();
[[nodiscard]] schema_part controllers_schema();
[[nodiscard]] schema_part cluster_schema();

[[nodiscard]] entry intents_entry();

// Built once; any thread.
[[nodiscard]] const std::vector<entry>& schema();
[[nodiscard]] const entry* find_entry(std::string_view key);
[[nodiscard]] const std::vector<std::string_view>& key_names();
[[nodiscard]] const std::vector<std::string_view>& section_names();

}  // namespace shardgate::config
