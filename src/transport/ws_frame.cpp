// SPDX-License-Identifier: Apache-2.0
// WebSocket framing for a client (RFC 6455 section 5).
#include "transport/ws_frame.hpp"

#include <algorithm>
#include <cstring>

#include "shardgate/protocol/envelope.hpp"

namespace shardgate::ws {
namespace {

// What a collecting buffer starts with; at most this is kept between messages.
constexpr std::size_t small_buffer = 16U << 10;

bool is_control(opcode code) {
    return (static_cast<unsigned>(code) & 8U) != 0;
}

event violation(std::string_view which) {
    event e;
    e.what = event::kind::violation;
    e.data = which;
    return e;
}

std::uint64_t big_endian(const unsigned char* bytes, std::size_t count) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < count; ++i)
        value = value << 8 | bytes[i];
    return value;
}

}  // namespace

event decoder::next(std::string_view& in) {
    if (delivered_) give_back();
    for (;;) {
        event out;
        if (stage_ == stage::header && !read_header(in, out)) return out;
        const bool control_frame = is_control(frame_);
        // The common case: an unfragmented message that is here as a whole.
        if (!control_frame && fin_ && size_ == 0 && in.size() >= remaining_) {
            const std::string_view data = in.substr(0, static_cast<std::size_t>(remaining_));
            in.remove_prefix(data.size());
            return finished(data);
        }
        out = take_payload(in);
        if (out.what != event::kind::need_more || stage_ == stage::payload) return out;
    }
}

// True once a whole, legal header was read. Else `refused` is what next() returns.
bool decoder::read_header(std::string_view& in, event& refused) {
    for (;;) {
        std::size_t wanted = 2;
        if (header_size_ >= 2) {
            const unsigned length = header_[1] & 0x7FU;
            wanted = length == 127 ? 10 : length == 126 ? 4 : 2;
        }
        if (header_size_ == wanted) break;
        if (in.empty()) return false;
        const std::size_t n = std::min(wanted - header_size_, in.size());
        std::memcpy(header_.data() + header_size_, in.data(), n);
        header_size_ += n;
        in.remove_prefix(n);
    }
    frame_ = static_cast<opcode>(header_[0] & 0x0FU);
    fin_ = (header_[0] & 0x80U) != 0;
    const unsigned length = header_[1] & 0x7FU;
    remaining_ = length < 126 ? length : big_endian(header_.data() + 2, length == 126 ? 2 : 8);
    if (!check_header(refused) || !check_size(refused)) return false;
    header_size_ = 0;
    control_size_ = 0;
    stage_ = stage::payload;
    if (frame_ == opcode::text || frame_ == opcode::binary)
        message_binary_ = frame_ == opcode::binary;
    return true;
}

bool decoder::check_header(event& refused) const {
    if ((header_[0] & 0x70U) != 0)
        refused = violation("a reserved bit is set");
    else if ((header_[1] & 0x80U) != 0)
        refused = violation("a server's frame is masked");
    else if (is_control(frame_) && (!fin_ || remaining_ > control_.size()))
        refused = violation("a control frame is fragmented or too long");
    else if (is_control(frame_) ? frame_ > opcode::pong : frame_ > opcode::binary)
        refused = violation("an unknown opcode");
    else if (frame_ == opcode::continuation && !fragmented_)
        refused = violation("a continuation of nothing");
    else if (!is_control(frame_) && frame_ != opcode::continuation && fragmented_)
        refused = violation("a new message inside another");
    return refused.what == event::kind::need_more;
}

bool decoder::check_size(event& refused) const {
    const unsigned length = header_[1] & 0x7FU;
    // Section 5.2: the shortest form, and no more than 63 bits.
    if ((length == 126 && remaining_ < 126) || (length == 127 && remaining_ <= 0xFFFF) ||
        (remaining_ >> 63) != 0)
        refused = violation("a length that is not in its shortest form");
    else if (!is_control(frame_) && remaining_ > max_message_ - size_)
        refused.what = event::kind::too_big;
    return refused.what == event::kind::need_more;
}

// Consumes payload of the current frame; need_more with stage header: the frame is done, go on.
event decoder::take_payload(std::string_view& in) {
    const std::size_t n = static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, in.size()));
    const std::string_view part = in.substr(0, n);
    in.remove_prefix(n);
    remaining_ -= n;
    if (is_control(frame_)) {
        if (n > 0) std::memcpy(control_.data() + control_size_, part.data(), n);
        control_size_ += n;
        if (remaining_ > 0) return {};
        stage_ = stage::header;
        return control({control_.data(), control_size_});
    }
    collect(part);
    if (remaining_ > 0) return {};
    if (fin_) {
        delivered_ = true;
        return finished({memory_.get(), size_});
    }
    fragmented_ = true;
    stage_ = stage::header;
    return {};
}

event decoder::finished(std::string_view data) {
    stage_ = stage::header;
    fragmented_ = false;
    event e;
    e.what = event::kind::message;
    e.data = data;
    e.binary = message_binary_;
    return e;
}

event decoder::control(std::string_view data) const {
    event e;
    e.data = data;
    if (frame_ == opcode::ping) {
        e.what = event::kind::ping;
    } else if (frame_ == opcode::pong) {
        e.what = event::kind::pong;
    } else {
        // Any code is passed on, also those no endpoint may send: what to do about it is the
        // session's to decide, and the connection ends either way.
        if (data.size() == 1) return violation("a close code of one byte");
        e.what = event::kind::close;
        if (data.size() >= 2) {
            const auto* bytes = reinterpret_cast<const unsigned char*>(data.data());
            e.code = static_cast<close_code>(big_endian(bytes, 2));
            e.data.remove_prefix(2);
        }
    }
    return e;
}

void decoder::collect(std::string_view bytes) {
    const std::size_t needed = size_ + bytes.size();
    if (!memory_ || needed > capacity_) {
        // Grows with what has arrived, not with what a header announces.
        std::size_t capacity = std::max({needed, capacity_ * 2, small_buffer});
        capacity = std::min(capacity, std::max(needed, max_message_));
        std::unique_ptr<char[]> larger(new char[capacity + scanner::padding]);
        // The padding is read by the scanner: it must be initialised, whatever it holds.
        std::memset(larger.get() + capacity, 0, scanner::padding);
        if (size_ > 0) std::memcpy(larger.get(), memory_.get(), size_);
        memory_ = std::move(larger);
        capacity_ = capacity;
    }
    if (!bytes.empty()) std::memcpy(memory_.get() + size_, bytes.data(), bytes.size());
    size_ = needed;
}

void decoder::give_back() {
    delivered_ = false;
    size_ = 0;
    if (capacity_ <= small_buffer) return;
    memory_.reset();
    capacity_ = 0;
}

void append_frame(std::string& out, opcode code, std::string_view payload, std::uint32_t mask) {
    const std::size_t size = payload.size();
    out.reserve(out.size() + size + 14);
    out.push_back(static_cast<char>(0x80U | static_cast<unsigned>(code)));
    unsigned length_bytes = 0;
    if (size < 126) {
        out.push_back(static_cast<char>(0x80U | size));
    } else if (size <= 0xFFFF) {
        out.push_back(static_cast<char>(0x80U | 126U));
        length_bytes = 2;
    } else {
        out.push_back(static_cast<char>(0x80U | 127U));
        length_bytes = 8;
    }
    for (unsigned i = length_bytes; i-- > 0;)
        out.push_back(static_cast<char>(static_cast<std::uint64_t>(size) >> (8 * i) & 0xFFU));
    std::array<char, 4> key;
    std::memcpy(key.data(), &mask, key.size());
    out.append(key.data(), key.size());
    for (std::size_t i = 0; i < size; ++i)
        out.push_back(static_cast<char>(payload[i] ^ key[i % key.size()]));
}

std::string close_payload(close_code code) {
    if (code == 0) return {};
    return {static_cast<char>(code >> 8 & 0xFF), static_cast<char>(code & 0xFF)};
}

}  // namespace shardgate::ws
