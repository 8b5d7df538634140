// SPDX-License-Identifier: Apache-2.0
// Answers of the admin API as text for a person. A key that is missing (an older daemon, a newer
// one) is a dash, never a failure. Pure.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string>

namespace shardgate::client {

[[nodiscard]] std::string render_queue(const boost::json::object& queue);
[[nodiscard]] std::string render_dead_letters(const boost::json::array& letters);
// GET /v1/status and GET /v1/shards.
[[nodiscard]] std::string render_status(const boost::json::object& status,
                                        const boost::json::array& shards);

// What POST /v1/reshard answers; `dry`: nothing has begun.
[[nodiscard]] std::string render_plan(const boost::json::object& plan, bool dry);
// What GET /v1/reshard answers: all of it; in a line; as a bar of at most 80 columns.
[[nodiscard]] std::string render_reshard(const boost::json::object& progress);
[[nodiscard]] std::string reshard_line(const boost::json::object& progress);
[[nodiscard]] std::string reshard_bar(const boost::json::object& progress);

}  // namespace shardgate::client
