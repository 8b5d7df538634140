// SPDX-License-Identifier: Apache-2.0
// One event on its way from a session to delivery, and the seam between stages.
// A dispatch is a view: it owns nothing and is valid only during the call that passes it. The stage
// that keeps an event (delivery) makes its one copy there, so that a filtered event costs none.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "shardgate/base/ids.hpp"
#include "shardgate/base/time.hpp"
#include "shardgate/protocol/envelope.hpp"
#include "shardgate/protocol/event_name.hpp"

namespace shardgate {

// What the guild book found out about a guild lifecycle event (X-Shardgate-Guild).
enum class guild_mark : std::uint8_t { none, loaded, joined, available, left, unavailable };
[[nodiscard]] std::string_view name_of(guild_mark mark) noexcept;  // empty for none

// A session's identity, shared by all its events.
using session_handle = std::shared_ptr<const std::string>;

struct dispatch {
    shard_id shard{};
    shard_count shards{};
    generation gen{};
    const session_handle* session = nullptr;  // never null where events come from Discord
    seq_no seq{};
    event_id event = event_id::unknown;
    std::string_view name;   // as Discord sent it
    std::string_view frame;  // whole frame as Discord sent it
    std::string_view d;      // inside frame
    dispatch_fields fields;
    time_point received{};
    wall_ms received_wall{};
    guild_mark mark = guild_mark::none;
    std::string_view forward_as;  // another name for `t` (GUILD_LOADED_DD); empty = as it is
    std::string_view key;  // its idempotency key; empty = session and seq. At most 64 characters
};

// Where a stage hands its events. A stage does not know the next one; app wires them.
class dispatch_sink {
public:
    virtual ~dispatch_sink() = default;
    virtual void push(const dispatch& event) = 0;
};

}  // namespace shardgate
