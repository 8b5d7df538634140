// SPDX-License-Identifier: Apache-2.0
// The texts we send to the gateway (Discord docs, Gateway Events, Send Events). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "shardgate/base/ids.hpp"
#include "shardgate/base/secret.hpp"

namespace shardgate {

// Discord closes with 4002 above this (UTF-8 bytes of the whole payload).
inline constexpr std::size_t max_outbound_bytes = 4096;

// What IDENTIFY says beside the shard. `presence` and `properties` are JSON objects as text,
// already checked; `{{shard}}` and `{{shards}}` inside presence strings are replaced per shard.
struct identify_profile {
    secret token;  // bare, without "Bot "
    std::uint64_t intents = 0;
    std::uint32_t large_threshold = 50;
    std::uint64_t capabilities = 0;  // sent only when not 0
    std::string presence;            // empty = none
    std::string properties;
};

[[nodiscard]] std::string heartbeat_text(std::optional<std::uint64_t> seq);
[[nodiscard]] std::string identify_text(const identify_profile& profile, shard_id shard,
                                        shard_count shards);
[[nodiscard]] std::string resume_text(const secret& token, std::string_view session_id, seq_no seq);

// `presence` with its templates filled in for one shard.
[[nodiscard]] std::string fill_presence(std::string_view presence, shard_id shard,
                                        shard_count shards);

// `base` (url of /gateway/bot or READY's resume URL, with or without a trailing slash) with the
// path and query of version 10, JSON and `compression` ("zstd-stream", "zlib-stream" or "" for
// none).
[[nodiscard]] std::string gateway_address(std::string_view base, std::string_view compression);

}  // namespace shardgate
