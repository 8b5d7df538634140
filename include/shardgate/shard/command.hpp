// SPDX-License-Identifier: Apache-2.0
// A gateway command somebody wants a shard to send (op 3, 4, 8, 31, 43), read and checked before it
// is accepted: what Discord would punish with a closed connection is refused here. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "shardgate/base/ids.hpp"
#include "shardgate/base/result.hpp"

namespace shardgate {

struct gateway_command {
    std::int32_t op = 0;
    std::string text;               // the whole payload, {"op":…,"d":{…}}
    snowflake guild{};              // d.guild_id; 0 where there is none
    bool full_member_list = false;  // op 8 for every member: one per guild and 30 s
    std::string presence;           // op 3: its d, as a later IDENTIFY carries it
};

// Fails, with a sentence for the caller, on more than 4,096 bytes (4002), anything that is not one
// JSON object with this op and an object d, an op a bot may not send (4001), or a member or voice
// command without a guild.
[[nodiscard]] result<gateway_command> read_command(std::string text, std::int32_t op);

}  // namespace shardgate
