// SPDX-License-Identifier: Apache-2.0
// WebSocket framing for a client (RFC 6455 section 5): bytes in, messages out; frames to bytes.
// Pure. A message that lies whole in the bytes just read is handed on where it lies; only what is
// split over frames or reads is collected here, and given back as soon as it was seen.
// Text is not checked for UTF-8 here: the payload's one scan (protocol/envelope) does it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "shardgate/protocol/close_code.hpp"

namespace shardgate::ws {

enum class opcode : std::uint8_t {
    continuation = 0,
    text = 1,
    binary = 2,
    close = 8,
    ping = 9,
    pong = 10,
};

struct event {
    enum class kind : std::uint8_t {
        need_more,  // everything so far is consumed
        message,
        ping,
        pong,
        close,      // `code` as sent, 0 if none; `data` = the reason
        too_big,    // a message above the bound
        violation,  // of the protocol; `data` says which
    };
    kind what = kind::need_more;
    std::string_view data;
    bool binary = false;
    close_code code = 0;
};

class decoder {
public:
    explicit decoder(std::size_t max_message) : max_message_(max_message) {}

    // The next event in `in`, which is advanced past what was used. `padding` bytes behind `in`
    // must be readable (their value does not matter); they are behind a message's data, too. The
    // event's data lives until the next call. After too_big, violation and close there is no next.
    [[nodiscard]] event next(std::string_view& in);

    // Memory held for a message that is not complete, for tests and numbers.
    [[nodiscard]] std::size_t held() const noexcept { return capacity_; }

private:
    enum class stage : std::uint8_t { header, payload };

    bool read_header(std::string_view& in, event& refused);
    bool check_header(event& refused) const;
    bool check_size(event& refused) const;
    void collect(std::string_view bytes);
    void give_back();
    event take_payload(std::string_view& in);
    event control(std::string_view data) const;
    event finished(std::string_view data);

    std::size_t max_message_;
    stage stage_ = stage::header;
    std::array<unsigned char, 10> header_{};
    std::size_t header_size_ = 0;
    opcode frame_ = opcode::text;
    bool fin_ = true;
    std::uint64_t remaining_ = 0;
    bool fragmented_ = false;        // a message has begun whose last frame has not come
    bool message_binary_ = false;    // of that message
    std::array<char, 125> control_;  // RFC 6455 section 5.5: control frames are at most this long
    std::size_t control_size_ = 0;
    std::unique_ptr<char[]> memory_;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
    bool delivered_ = false;  // memory_ was handed out by the last call
};

// Appends a whole frame. A client's frames are masked (section 5.3); the mask must be unpredictable
// to whoever chose the payload.
void append_frame(std::string& out, opcode code, std::string_view payload, std::uint32_t mask);

// A close frame's payload. 0: none.
[[nodiscard]] std::string close_payload(close_code code);

}  // namespace shardgate::ws
