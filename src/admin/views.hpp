// SPDX-License-Identifier: Apache-2.0
// Snapshots as JSON, with the keys that scripts rely on (interface.md section 4). Pure.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "shardgate/admin/daemon_view.hpp"

namespace shardgate::admin {

[[nodiscard]] boost::json::object to_json(const status_snapshot& s);
[[nodiscard]] boost::json::object to_json(const shard_snapshot& s);
[[nodiscard]] boost::json::object to_json(const queue_snapshot& q);
[[nodiscard]] boost::json::object to_json(const storage_snapshot& s);
[[nodiscard]] boost::json::object to_json(const dead_letter_snapshot& l);  // without its payload
[[nodiscard]] boost::json::object handler_json(const status_snapshot& s);
[[nodiscard]] boost::json::array sentences(const std::vector<std::string>& all);

// A URL without what may be a secret in it: user and password, and the query.
[[nodiscard]] std::string without_secrets(std::string_view url);

}  // namespace shardgate::admin
