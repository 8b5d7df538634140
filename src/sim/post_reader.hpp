// SPDX-License-Identifier: Apache-2.0
// Takes the daemon's POSTs off a buffer: one pass over the head, nothing copied. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace shardgate::sim {

// Views into the buffer.
struct post_head {
    std::string_view method, target;
    std::string_view authorization, content_type, key, event, shard, guild, interaction;
    std::string_view timestamp, signature, traceparent;
    std::uint32_t attempt = 0;  // 0 = no header
    bool close = false;         // Connection: close, or HTTP/1.0
};

struct post {
    post_head head;
    std::string_view body;
    std::size_t size = 0;  // of the whole request in the buffer
};

enum class post_state : std::uint8_t { need_more, whole, bad, too_large };

inline constexpr std::size_t post_head_max = 16384;

// Reads the request that `data` begins with. `needed` is how many bytes `data` must have before
// asking again makes sense.
[[nodiscard]] post_state read_post(std::string_view data, std::size_t max_body, post& out,
                                   std::size_t& needed);

}  // namespace shardgate::sim
