// SPDX-License-Identifier: Apache-2.0
// From what somebody outside asks to be sent (an op and its d) to a command a session can send.
// Stricter than read_command(): every member Discord documents has its type, so that a slip is
// answered with a sentence and not with a closed connection (4002). Pure. Spec: Discord docs,
// Gateway Events, Send Events.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "shardgate/base/ids.hpp"
#include "shardgate/base/result.hpp"
#include "shardgate/shard/command.hpp"

namespace shardgate {

// Discord leaves a longer one out of its answer.
inline constexpr std::size_t longest_nonce = 32;
// User ids in one op 8.
inline constexpr std::size_t most_user_ids = 100;
// What the nonces of our own member requests begin with; nobody else's may.
inline constexpr std::string_view own_nonce = "shardgate:";

// `d` is JSON text. Members that Discord does not document pass. What an op 3 leaves out (since,
// activities, afk, status) is filled in. op 31: every guild must be on the same shard of `shards`.
[[nodiscard]] result<gateway_command> compose_command(std::int32_t op, std::string_view d,
                                                      shard_count shards);

// The same presence for one shard: with its number in place of {{shard}} and {{shards}}. Fails when
// that makes it too long.
[[nodiscard]] result<gateway_command> presence_for(const gateway_command& presence, shard_id shard,
                                                   shard_count shards);

// op 8 for `d` (as a bot would send it, but for guild_id and nonce, which are not allowed in it)
// under a nonce of ours. What two equal requests have in common is their `text` but for the nonce:
// compose it with an empty one to compare.
[[nodiscard]] result<gateway_command> compose_member_request(snowflake guild, std::string_view d,
                                                             std::string_view nonce);

}  // namespace shardgate
