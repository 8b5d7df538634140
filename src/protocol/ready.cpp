// SPDX-License-Identifier: Apache-2.0
// HELLO and READY (Discord docs, Gateway Events, Hello and Ready): rare, so read with a walk of
// their own. What READY says ends up in headers and addresses, hence the checks.
#include <algorithm>
#include <chrono>

#include "protocol/dispatch_reader.hpp"
#include "protocol/scanner_impl.hpp"
#include "shardgate/protocol/json_text.hpp"

namespace shardgate {
namespace {

constexpr std::size_t longest_session_id = 256;
constexpr std::size_t longest_url = 2048;

// A session id stands in the Idempotency-Key header, a URL in a request line.
bool is_printable(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

// Passes a string of up to `limit` printable characters; anything else leaves `out` empty.
bool take_text(json::cursor& at, std::size_t limit, std::string& out) {
    out.clear();
    if (at.peek() == '"') {
        const std::string_view raw = json::inside(at.scalar());
        const bool usable = raw.size() <= limit * 6 && unescape_json(raw, out) &&
                            out.size() <= limit && is_printable(out);
        if (!usable) out.clear();
    }
    return at.skip_value();
}

// Passes an object for its `id`.
bool take_id(json::cursor& at, snowflake& id) {
    id = {};
    if (at.peek() != '{') return at.skip_value();
    return at.for_each_member([&](std::string_view key) {
        return key == "id" ? take_snowflake(at, id) : at.skip_value();
    });
}

bool take_guilds(json::cursor& at, ready_info& info) {
    info.guilds.clear();
    info.guilds_ignored = 0;
    if (at.peek() != '[') return at.skip_value();
    return at.for_each_element([&] {
        snowflake id;
        if (!take_id(at, id)) return false;
        if (id == snowflake{} || info.guilds.size() == max_ready_guilds)
            ++info.guilds_ignored;
        else
            info.guilds.push_back(id);
        return true;
    });
}

bool take_member(json::cursor& at, std::string_view key, ready_info& info) {
    if (key == "session_id") return take_text(at, longest_session_id, info.session_id);
    if (key == "resume_gateway_url") return take_text(at, longest_url, info.resume_gateway_url);
    if (key == "guilds") return take_guilds(at, info);
    if (key == "user") return take_id(at, info.user);
    if (key == "application") return take_id(at, info.application);
    return at.skip_value();
}

}  // namespace

result<std::uint64_t> scanner::hello_interval_ms(std::string_view d) {
    constexpr std::uint64_t a_day = std::chrono::milliseconds(std::chrono::hours(24)).count();
    json::cursor at;
    std::uint64_t interval = 0;
    const bool read = impl_->tokenizer.run(d, at) && at.for_each_member([&](std::string_view key) {
        if (key == "heartbeat_interval") {
            interval = 0;
            if (at.done() || !json::parse_unsigned(at.scalar(), interval)) interval = 0;
        }
        return at.skip_value();
    });
    if (!read || interval == 0 || interval > a_day)
        return bad_frame("HELLO without a usable heartbeat_interval");
    return interval;
}

result<ready_info> scanner::ready(std::string_view d) {
    json::cursor at;
    ready_info info;
    const bool read = impl_->tokenizer.run(d, at) && at.for_each_member([&](std::string_view key) {
        return take_member(at, key, info);
    });
    if (!read) return bad_frame("READY is not an object");
    if (info.session_id.empty()) return bad_frame("READY without a usable session_id");
    return info;
}

}  // namespace shardgate
