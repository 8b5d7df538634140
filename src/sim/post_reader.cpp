// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 requests as the daemon sends them: Content-Length only.
#include "sim/post_reader.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace shardgate::sim {
namespace {

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

bool same(std::string_view text, std::string_view literal) noexcept {
    return text.size() == literal.size() &&
           std::equal(text.begin(), text.end(), literal.begin(),
                      [](char a, char b) { return lower(a) == b; });
}

template <class Number>
bool read_number(std::string_view text, Number& out) noexcept {
    const auto end = text.data() + text.size();
    const auto [at, ec] = std::from_chars(text.data(), end, out);
    return ec == std::errc{} && at == end && !text.empty();
}

struct framing {
    std::optional<std::uint64_t> length;
    bool chunked = false;
};

bool read_shardgate_header(std::string_view name, std::string_view value, post_head& head) {
    constexpr std::size_t prefix = std::string_view("x-shardgate-").size();
    if (name.size() <= prefix || !same(name.substr(0, prefix), "x-shardgate-")) return true;
    name.remove_prefix(prefix);
    if (same(name, "event")) head.event = value;
    if (same(name, "shard")) head.shard = value;
    if (same(name, "guild")) head.guild = value;
    if (same(name, "interaction")) head.interaction = value;
    if (same(name, "timestamp")) head.timestamp = value;
    if (same(name, "signature")) head.signature = value;
    return !same(name, "attempt") || read_number(value, head.attempt);
}

bool read_header(std::string_view name, std::string_view value, post_head& head, framing& frame) {
    switch (name.size()) {
    case 10:
        if (same(name, "connection") && same(value, "close")) head.close = true;
        return true;
    case 11:
        if (same(name, "traceparent")) head.traceparent = value;
        break;
    case 12:
        if (same(name, "content-type")) head.content_type = value;
        break;
    case 13:
        if (same(name, "authorization")) head.authorization = value;
        break;
    case 14: {
        if (!same(name, "content-length")) return true;
        std::uint64_t length = 0;
        if (frame.length || !read_number(value, length)) return false;
        frame.length = length;
        return true;
    }
    case 15:
        if (same(name, "idempotency-key")) head.key = value;
        break;
    case 17:
        if (same(name, "transfer-encoding")) frame.chunked = true;
        break;
    default: break;
    }
    return read_shardgate_header(name, value, head);
}

bool read_request_line(std::string_view line, post_head& head) {
    const auto first = line.find(' ');
    const auto last = line.rfind(' ');
    if (first == std::string_view::npos || last == first) return false;
    head.method = line.substr(0, first);
    head.target = line.substr(first + 1, last - first - 1);
    const auto version = line.substr(last + 1);
    head.close = version == "HTTP/1.0";
    return head.close || version == "HTTP/1.1";
}

bool read_lines(std::string_view text, post_head& head, framing& frame) {
    for (bool first = true; !text.empty(); first = false) {
        const auto end = text.find("\r\n");
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(end + 2);
        if (first) {
            if (!read_request_line(line, head)) return false;
            continue;
        }
        const auto colon = line.find(':');
        if (colon == std::string_view::npos || colon == 0) return false;
        std::string_view value = line.substr(colon + 1);
        while (!value.empty() && value.front() == ' ')
            value.remove_prefix(1);
        while (!value.empty() && value.back() == ' ')
            value.remove_suffix(1);
        if (!read_header(line.substr(0, colon), value, head, frame)) return false;
    }
    return true;
}

}  // namespace

post_state read_post(std::string_view data, std::size_t max_body, post& out, std::size_t& needed) {
    const auto end = data.substr(0, post_head_max + 4).find("\r\n\r\n");
    if (end == std::string_view::npos) {
        needed = data.size() + 1;
        return data.size() > post_head_max ? post_state::bad : post_state::need_more;
    }
    out = {};
    framing frame;
    if (!read_lines(data.substr(0, end + 2), out.head, frame) || frame.chunked)
        return post_state::bad;
    const std::uint64_t length = frame.length.value_or(0);
    if (length > max_body) return post_state::too_large;
    out.size = end + 4 + static_cast<std::size_t>(length);
    needed = out.size;
    if (data.size() < out.size) return post_state::need_more;
    out.body = data.substr(end + 4, static_cast<std::size_t>(length));
    return post_state::whole;
}

}  // namespace shardgate::sim
