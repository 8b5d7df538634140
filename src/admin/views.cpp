// SPDX-License-Identifier: Apache-2.0
#include "admin/views.hpp"

#include <boost/json/value.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "shardgate/base/utf8.hpp"

namespace shardgate::admin {

namespace {

using boost::json::object;
using boost::json::value;

value text(std::string_view s) {
    return value(to_valid_utf8(s));
}

// Nothing known yet is null, so that a script need not know our word for it.
value text_or_null(std::string_view s) {
    return s.empty() ? value(nullptr) : text(s);
}

object counts(const std::vector<std::pair<std::string, std::uint64_t>>& all) {
    object out;
    for (const auto& [name, n] : all)
        out[to_valid_utf8(name)] = n;
    return out;
}

}  // namespace

object handler_json(const status_snapshot& s) {
    boost::json::array urls;
    for (const url_status& u : s.handler_urls) {
        object one;
        one["url"] = text(without_secrets(u.url));
        one["state"] = text(u.state);
        one["last_error"] = text_or_null(u.last_error);
        one["in_flight"] = u.in_flight;
        one["window"] = u.window;
        urls.push_back(std::move(one));
    }
    object out;
    out["state"] = text(s.handler_state);
    out["urls"] = std::move(urls);
    return out;
}

std::string without_secrets(std::string_view url) {
    std::string out(url);
    if (const std::size_t question = out.find('?'); question != std::string::npos)
        out.replace(question + 1, std::string::npos, "***");
    const std::size_t scheme = out.find("://");
    if (scheme == std::string::npos) return out;
    const std::size_t begin = scheme + 3;
    const std::size_t end = out.find_first_of("/?#", begin);
    // The last @: one in a badly escaped password must not leave half of it.
    const std::size_t at = out.substr(0, end).rfind('@');
    if (at != std::string::npos && at >= begin) out.replace(begin, at - begin, "***");
    return out;
}

boost::json::array sentences(const std::vector<std::string>& all) {
    boost::json::array out;
    for (const std::string& one : all)
        out.push_back(text(one));
    return out;
}

object to_json(const queue_snapshot& q) {
    object out;
    out["events"] = q.events;
    out["bytes"] = q.bytes;
    out["spooled_events"] = q.spooled_events;
    out["spooled_bytes"] = q.spooled_bytes;
    out["oldest_age_s"] = q.oldest_age_s;
    out["dead_letters"] = q.dead_letters;
    out["lanes"] = q.lanes;
    out["stored_events"] = q.stored_events;
    out["causes"] = counts(q.causes);
    out["shed"] = counts(q.shed);
    return out;
}

object to_json(const storage_snapshot& s) {
    object out;
    out["state"] = text(s.state);
    out["detail"] = text_or_null(s.detail);
    out["errors"] = s.errors;
    out["resets"] = s.resets;
    out["last_write_ms"] = s.last_write_s * 1000;
    out["file_bytes"] = s.file_bytes;
    return out;
}

object to_json(const dead_letter_snapshot& l) {
    object out;
    out["key"] = text(l.key);
    out["event"] = text(l.event);
    out["shard"] = l.shard;
    out["shards"] = l.shards;
    out["guild"] = l.guild == 0 ? value(nullptr) : value(std::to_string(l.guild));
    out["status"] = l.status == 0 ? value(nullptr) : value(l.status);
    out["attempts"] = l.attempts;
    out["when"] = l.when.time_since_epoch().count();
    out["reason"] = text(l.reason);
    out["bytes"] = l.bytes;
    return out;
}

object to_json(const shard_snapshot& s) {
    object out;
    out["id"] = s.id;
    out["total"] = s.total;
    out["generation"] = s.generation;
    out["state"] = text(s.state);
    out["state_age_s"] = s.state_age_s;
    out["session"] = text_or_null(s.session);
    out["received"] = s.received;
    out["safe"] = s.safe;
    out["latency_ms"] = s.latency_ms ? value(*s.latency_ms) : value(nullptr);
    out["guilds"] = s.guilds;
    out["guilds_loaded"] = s.guilds_loaded;
    out["guilds_loading"] = s.guilds_loading;
    out["guilds_unavailable"] = s.guilds_unavailable;
    out["events"] = s.events;
    out["last_close"] = s.last_close == 0 ? value(nullptr) : value(s.last_close);
    out["worker"] = s.worker;
    out["url"] = text_or_null(s.url);
    out["connects"] = s.connects;
    out["identifies"] = s.identifies;
    out["resumes"] = s.resumes;
    out["zombies"] = s.zombies;
    out["commands_waiting"] = s.commands_waiting;
    out["invalid_sessions"] = s.invalid_sessions;
    out["wire_bytes"] = s.wire_bytes;
    out["payload_bytes"] = s.payload_bytes;
    return out;
}

object to_json(const status_snapshot& s) {
    object shards;
    shards["total"] = s.total;
    shards["first"] = s.first;
    shards["last"] = s.last;
    shards["ready"] = s.ready;
    object limit;
    limit["total"] = s.limit_total;
    limit["remaining"] = s.limit_remaining;
    limit["reset_after_s"] = s.limit_reset_after_s;
    limit["max_concurrency"] = s.max_concurrency;
    object plan;
    plan["total"] = s.plan_total;
    plan["source"] = text(s.plan_source);
    object out;
    out["version"] = text(s.version);
    out["uptime_s"] = s.uptime_s;
    out["generation"] = s.generation;
    out["guilds"] = s.guilds;
    out["shards"] = std::move(shards);
    out["session_start_limit"] = std::move(limit);
    out["handler"] = handler_json(s);
    out["queue"] = to_json(s.queue);
    out["storage"] = to_json(s.storage);
    out["plan"] = std::move(plan);
    out["waiting_for"] = text_or_null(s.waiting_for);
    out["warnings"] = sentences(s.warnings);
    return out;
}

}  // namespace shardgate::admin
