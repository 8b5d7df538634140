// SPDX-License-Identifier: Apache-2.0
// The calls by which a bot sends gateway commands through its shards, and an operator has a shard
// connect anew. What may be sent is for the daemon to say. Pure but for what `view` does.
#pragma once

#include <string>
#include <string_view>

#include "admin/http_message.hpp"
#include "admin/target.hpp"
#include "shardgate/admin/daemon_view.hpp"

namespace shardgate::admin {

// {"op": N, "d": {…}}; the shard from the path, or found from the guild. ?generation= of the shard.
[[nodiscard]] http_response send_to_shard(daemon_view& view, const target& t,
                                          std::string_view body);
[[nodiscard]] http_response send(daemon_view& view, const target& t, std::string_view body);
// No body, {} or {"identify": true}.
[[nodiscard]] http_response reconnect(daemon_view& view, const target& t, std::string_view body);

// Of a reply that is not `accepted`.
[[nodiscard]] http_response refusal(const send_reply& reply);
// Retry-After's value: whole seconds, at least one.
[[nodiscard]] std::string retry_after(double seconds);

}  // namespace shardgate::admin
