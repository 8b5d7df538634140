// SPDX-License-Identifier: Apache-2.0
#include "sim/ws_codec.hpp"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace shardgate::sim {

void write_frame_header(std::string& out, ws_opcode op, std::size_t size, bool fin) {
    out.push_back(static_cast<char>((fin ? 0x80U : 0U) | static_cast<unsigned>(op)));
    if (size < 126) {
        out.push_back(static_cast<char>(size));
        return;
    }
    const int bytes = size < 65536 ? 2 : 8;
    out.push_back(static_cast<char>(bytes == 2 ? 126 : 127));
    for (int i = bytes - 1; i >= 0; --i)
        out.push_back(static_cast<char>((static_cast<std::uint64_t>(size) >> (8 * i)) & 0xffU));
}

void write_close_frame(std::string& out, close_code code) {
    if (code == 0) {
        write_frame_header(out, ws_opcode::close, 0);
        return;
    }
    write_frame_header(out, ws_opcode::close, 2);
    out.push_back(static_cast<char>(code >> 8));
    out.push_back(static_cast<char>(code & 0xffU));
}

std::optional<ws_decoder::header> ws_decoder::peek() const {
    if (buffer_.size() < 2) return std::nullopt;
    const auto at = [this](std::size_t i) { return static_cast<unsigned char>(buffer_[i]); };
    header h;
    h.op = at(0) & 0x0fU;
    h.fin = (at(0) & 0x80U) != 0;
    h.reserved = (at(0) & 0x70U) != 0;
    h.masked = (at(1) & 0x80U) != 0;
    h.length = at(1) & 0x7fU;
    h.size = 2;
    if (h.length >= 126) {
        const std::size_t bytes = h.length == 126 ? 2 : 8;
        if (buffer_.size() < 2 + bytes) return std::nullopt;
        h.length = 0;
        for (std::size_t i = 0; i < bytes; ++i)
            h.length = (h.length << 8) | at(2 + i);
        h.size += bytes;
    }
    if (h.masked) h.size += 4;
    if (buffer_.size() < h.size) return std::nullopt;
    return h;
}

close_code ws_decoder::check(const header& h) const {
    const bool control = (h.op & 0x8U) != 0;
    // A client masks every frame (section 5.1); no extension was agreed on.
    if (!h.masked || h.reserved) return 1002;
    if (control && (h.length > 125 || !h.fin || h.op > 10)) return 1002;
    if (!control && h.op > 2) return 1002;
    const bool begun = message_op_ != ws_opcode::continuation;
    if (h.op == 0 && !begun) return 1002;
    if (!control && h.op != 0 && begun) return 1002;
    if (h.length > max_ || message_.size() + h.length > max_) return 1009;
    return 0;
}

ws_decoder::item ws_decoder::broken(close_code code) {
    broken_ = true;
    item out;
    out.what = kind::broken;
    out.code = code;
    return out;
}

ws_decoder::item ws_decoder::control(ws_opcode op, std::string payload) const {
    item out;
    out.what = op == ws_opcode::ping ? kind::ping : kind::pong;
    if (op == ws_opcode::close) {
        out.what = kind::close_frame;
        if (payload.size() >= 2) {
            out.code = static_cast<close_code>((static_cast<unsigned char>(payload[0]) << 8) |
                                               static_cast<unsigned char>(payload[1]));
            payload.erase(0, 2);
        }
    }
    out.payload = std::move(payload);
    return out;
}

ws_decoder::item ws_decoder::next() {
    while (!broken_) {
        const auto h = peek();
        if (!h) return {};
        if (const close_code code = check(*h); code != 0) return broken(code);
        const auto length = static_cast<std::size_t>(h->length);
        if (buffer_.size() < h->size + length) return {};
        const std::string mask = buffer_.substr(h->size - 4, 4);
        std::string payload = buffer_.substr(h->size, length);
        buffer_.erase(0, h->size + length);
        for (std::size_t i = 0; i < payload.size(); ++i)
            payload[i] = static_cast<char>(payload[i] ^ mask[i % 4]);
        const auto op = static_cast<ws_opcode>(h->op);
        if ((h->op & 0x8U) != 0) return control(op, std::move(payload));
        if (op != ws_opcode::continuation) message_op_ = op;
        message_ += payload;
        if (!h->fin) continue;
        item out;
        out.what = message_op_ == ws_opcode::text ? kind::text : kind::binary;
        out.payload = std::move(message_);
        message_.clear();
        message_op_ = ws_opcode::continuation;
        return out;
    }
    return {};
}

std::string accept_key(std::string_view key) {
    const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
    unsigned size = 0;
    EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr);
    std::array<unsigned char, 32> encoded{};
    const int length = EVP_EncodeBlock(encoded.data(), digest.data(), static_cast<int>(size));
    return {reinterpret_cast<const char*>(encoded.data()), static_cast<std::size_t>(length)};
}

namespace {

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return out;
}

std::string_view trim(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
        text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
        text.remove_suffix(1);
    return text;
}

}  // namespace

upgrade_request parse_upgrade(std::string_view head) {
    upgrade_request r;
    const std::size_t line_end = head.find("\r\n");
    const std::string_view line = head.substr(0, line_end);
    const bool get = line.substr(0, 4) == "GET ";
    const std::size_t space = line.find(' ', 4);
    if (!get || space == std::string_view::npos || line.substr(space + 1) != "HTTP/1.1") return r;
    r.target = std::string(line.substr(4, space - 4));
    bool upgrade = false;
    bool connection = false;
    bool version = false;
    for (std::size_t at = line_end + 2; at < head.size();) {
        const std::size_t end = std::min(head.find("\r\n", at), head.size());
        const std::string_view field = head.substr(at, end - at);
        at = end + 2;
        const std::size_t colon = field.find(':');
        if (colon == std::string_view::npos) continue;
        const std::string name = lower(field.substr(0, colon));
        const std::string_view value = trim(field.substr(colon + 1));
        if (name == "upgrade") upgrade = lower(value) == "websocket";
        if (name == "connection") connection = lower(value).find("upgrade") != std::string::npos;
        if (name == "sec-websocket-version") version = value == "13";
        if (name == "sec-websocket-key") r.key = std::string(value);
        if (name == "user-agent") r.user_agent = std::string(value);
    }
    r.valid = upgrade && connection && version && !r.key.empty();
    return r;
}

std::string query_value(std::string_view target, std::string_view name) {
    const std::size_t mark = target.find('?');
    if (mark == std::string_view::npos) return {};
    for (std::size_t at = mark + 1; at <= target.size();) {
        const std::size_t end = std::min(target.find('&', at), target.size());
        const std::string_view pair = target.substr(at, end - at);
        const std::size_t equals = pair.find('=');
        if (pair.substr(0, equals) == name)
            return equals == std::string_view::npos ? std::string()
                                                    : std::string(pair.substr(equals + 1));
        at = end + 1;
    }
    return {};
}

}  // namespace shardgate::sim
