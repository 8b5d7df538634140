// SPDX-License-Identifier: Apache-2.0
// Reads the members of a dispatch's `d` that decide its way, at d's own depth only.
// Owner: scanner. Private to protocol.
#pragma once

#include "protocol/fingerprint.hpp"
#include "protocol/json_tokens.hpp"
#include "shardgate/protocol/envelope.hpp"

namespace shardgate {

// Passes the value at `at` (any value; only an object has fields) and fills `fields` with what an
// event `event` has. `hasher` is null when no fingerprints are wanted. False: not JSON.
[[nodiscard]] bool read_dispatch(json::cursor& at, event_id event, const value_hasher* hasher,
                                 dispatch_fields& fields);

// Passes a snowflake: a string of digits, or a number as some ids come (Discord docs, Gateway
// Events, Guild Members Chunk, not_found). Anything else is 0.
[[nodiscard]] inline bool take_snowflake(json::cursor& at, snowflake& id) {
    id = {};
    const json::cursor value = at;
    if (!at.skip_value()) return false;
    std::string_view digits = value.scalar();
    if (digits.front() == '"') digits = json::inside(digits);
    std::uint64_t number = 0;
    if (json::parse_unsigned(digits, number)) id = snowflake(number);
    return true;
}

}  // namespace shardgate
