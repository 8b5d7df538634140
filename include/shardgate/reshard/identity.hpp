// SPDX-License-Identifier: Apache-2.0
// What makes two copies of an event, one from each shard set, the same event. Equal in every
// process and on every set, so it can stand in an Idempotency-Key. Pure. Rules: docs/resharding.md.
#pragma once

#include <cstdint>
#include <string>

#include "shardgate/protocol/dispatch.hpp"

namespace shardgate {

struct event_identity {
    std::uint64_t high = 0, low = 0;
    // No other event will ever have it: its d.id is a snowflake of its own.
    bool unique = false;

    friend constexpr bool operator==(const event_identity& a, const event_identity& b) noexcept {
        return a.high == b.high && a.low == b.low;
    }
};

// (t, d.id) where d.id is unique by nature (MESSAGE_CREATE, INTERACTION_CREATE); a guild's
// lifecycle by (t, guild, unavailable), for its d differs between sessions; else (t, hash of d's
// bytes).
[[nodiscard]] event_identity identity_of(const dispatch& event);

// "<identity, 32 hexadecimal digits>-<which resharding>.<occurrence>": of its events that are alike
// the how-manieth. At most 64 characters.
void append_key(std::string& out, const event_identity& id, std::uint64_t when,
                std::uint32_t occurrence);

}  // namespace shardgate
