// SPDX-License-Identifier: Apache-2.0
// The HTTP exchange that opens a WebSocket, client's side (RFC 6455 section 4). Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "transport/url.hpp"

namespace shardgate::ws {

// The header's bound; also of what is read of an answer that is none.
inline constexpr std::size_t max_upgrade_bytes = 16U << 10;

// Sec-WebSocket-Key of 16 random bytes, and the Sec-WebSocket-Accept that answers it.
[[nodiscard]] std::string key_of(const std::array<unsigned char, 16>& nonce);
[[nodiscard]] std::string accept_of(std::string_view key);

// No extension and no subprotocol is offered: Discord compresses inside the messages.
[[nodiscard]] std::string upgrade_request(const url_parts& url, std::string_view user_agent,
                                          std::string_view key);

struct upgrade_answer {
    enum class kind : std::uint8_t { need_more, accepted, refused };
    kind what = kind::need_more;
    std::size_t used = 0;  // accepted: bytes of the header; frames follow
    unsigned status = 0;   // refused: the HTTP status, if there was one
    std::string detail;    // refused: why, without anything the peer wrote
};

// Reads an answer from its beginning; call again with more bytes at the end after need_more.
[[nodiscard]] upgrade_answer read_upgrade(std::string_view bytes, std::string_view key);

}  // namespace shardgate::ws
