// SPDX-License-Identifier: Apache-2.0
// The calls about resharding: start or plan, progress, abort. Read strictly: a misspelt "dry_run"
// must not spend session starts. Pure but for what `view` does.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string_view>

#include "admin/http_message.hpp"
#include "admin/target.hpp"
#include "shardgate/admin/daemon_view.hpp"

namespace shardgate::admin {

// {"shards": N | "auto", "dry_run": bool}. Answers at once what cannot be read; else `later` gets
// 202 (it has begun), 200 (a dry run), 409, 422 or 503.
[[nodiscard]] std::optional<http_response> reshard(daemon_view& view, const target& t,
                                                   std::string_view body, later_answer later);
[[nodiscard]] http_response reshard_progress(const daemon_view& view, const target& t);
// 202 and the progress, or 409. No body, or {}.
[[nodiscard]] http_response abort_reshard(daemon_view& view, const target& t,
                                          std::string_view body);

[[nodiscard]] boost::json::object to_json(const reshard_plan_snapshot& p);
[[nodiscard]] boost::json::object to_json(const reshard_snapshot& r);

}  // namespace shardgate::admin
