// SPDX-License-Identifier: Apache-2.0
#include "client/render.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <map>
#include <string_view>
#include <utility>

#include "client/fields.hpp"
#include "client/text.hpp"
#include "shardgate/base/time_text.hpp"

namespace shardgate::client {

namespace {

using boost::json::array;
using boost::json::object;
using side = text_table::side;

text_table facts() {
    return text_table({{"", side::left}, {"", side::left}});
}

std::string or_dash(std::string text) {
    return text.empty() ? "-" : text;
}

// "1842 events, 2.1 MiB".
std::string amount(const object& o, std::string_view events, std::string_view bytes) {
    const std::string size = bytes_of(o, bytes);
    return or_dash(text_of(o, events)) + " events" + (size.empty() ? "" : ", " + size);
}

std::string storage_line(const object& s) {
    const std::string state = text_of(s, "state");
    if (state.empty() || state == "off") return "off (memory only)";
    std::string out = state;
    if (const std::string why = text_of(s, "detail"); !why.empty()) out += ": " + why;
    out += ", file " + or_dash(bytes_of(s, "file_bytes"));
    if (number(s, "last_write_ms")) out += ", last write " + text_of(s, "last_write_ms") + " ms";
    if (const auto n = count_of(s, "errors"); n > 0) out += ", " + std::to_string(n) + " errors";
    if (const auto n = count_of(s, "resets"); n > 0)
        out += ", " + std::to_string(n) + " damaged files moved aside";
    return out;
}

void add_queue(text_table& into, const object& q) {
    into.add({"in memory", amount(q, "events", "bytes")});
    into.add({"on disk alone", amount(q, "spooled_events", "spooled_bytes")});
    into.add({"in both", or_dash(text_of(q, "stored_events")) + " events"});
    if (count_of(q, "events") + count_of(q, "spooled_events") > 0)
        into.add({"oldest", age_of(q, "oldest_age_s")});
    if (const std::string why = counts_of(q, "causes"); !why.empty()) into.add({"waiting", why});
    if (const std::string shed = counts_of(q, "shed"); !shed.empty()) into.add({"shed", shed});
    into.add({"dead letters", text_of(q, "dead_letters")});
}

// Milliseconds of unix time, as far as a calendar goes.
std::string time_of(const object& o, std::string_view key) {
    const auto ms = number(o, key);
    if (!ms || *ms < 0 || *ms > 253402300799999.0) return {};
    return rfc3339(wall_ms(std::chrono::milliseconds(static_cast<std::int64_t>(*ms))));
}

std::string shards_line(const object& s) {
    return or_dash(text_of(s, "ready")) + " ready; " + or_dash(text_of(s, "first")) + " to " +
           or_dash(text_of(s, "last")) + " of " + or_dash(text_of(s, "total")) + " run here";
}

std::string states_line(const array& shards) {
    std::map<std::string, int> states;
    for (const boost::json::value& v : shards)
        if (v.is_object()) ++states[or_dash(text_of(v.get_object(), "state"))];
    std::string out;
    for (const auto& [state, n] : states)
        out += (out.empty() ? "" : ", ") + state + ' ' + std::to_string(n);
    return out;
}

std::string starts_line(const object& l) {
    return or_dash(text_of(l, "remaining")) + " of " + or_dash(text_of(l, "total")) +
           " session starts left, full again in " + or_dash(age_of(l, "reset_after_s"));
}

text_table handler_table(const object& handler) {
    text_table t({{"URL", side::left},
                  {"STATE", side::left},
                  {"IN FLIGHT", side::right},
                  {"WINDOW", side::right},
                  {"LAST ERROR", side::left}});
    for (const boost::json::value& v : array_of(handler, "urls")) {
        if (!v.is_object()) continue;
        const object& u = v.get_object();
        t.add({text_of(u, "url"), text_of(u, "state"), text_of(u, "in_flight"),
               text_of(u, "window"), text_of(u, "last_error")});
    }
    return t;
}

// Those that need a look; a list of a thousand healthy ones would hide them.
text_table shard_table(const array& shards) {
    text_table t({{"SHARD", side::right},
                  {"STATE", side::left},
                  {"FOR", side::right},
                  {"LATENCY MS", side::right},
                  {"LAST CLOSE", side::right}});
    constexpr int most = 50;
    int shown = 0;
    for (const boost::json::value& v : shards) {
        if (!v.is_object() || shown == most) continue;
        const object& s = v.get_object();
        if (text_of(s, "state") == "ready") continue;
        ++shown;
        t.add({text_of(s, "id"), text_of(s, "state"), age_of(s, "state_age_s"),
               text_of(s, "latency_ms"), text_of(s, "last_close")});
    }
    return t;
}

std::string payload_line(const object& letter) {
    const boost::json::value* const payload = letter.if_contains("payload");
    if (payload == nullptr) return {};
    if (payload->is_null()) return "  (payload left out: the answer is full; ask with --limit)\n";
    return "  " + printable(boost::json::serialize(*payload)) + '\n';
}

}  // namespace

std::string render_queue(const object& queue) {
    text_table t = facts();
    add_queue(t, queue);
    t.add({"storage", storage_line(object_of(queue, "storage"))});
    return t.text();
}

std::string render_dead_letters(const array& letters) {
    text_table t({{"WHEN", side::left},
                  {"EVENT", side::left},
                  {"SHARD", side::right},
                  {"GUILD", side::left},
                  {"STATUS", side::right},
                  {"ATTEMPTS", side::right},
                  {"SIZE", side::right},
                  {"KEY", side::left},
                  {"REASON", side::left}});
    std::string payloads;
    for (const boost::json::value& v : letters) {
        if (!v.is_object()) continue;
        const object& l = v.get_object();
        t.add({time_of(l, "when"), text_of(l, "event"), text_of(l, "shard"), text_of(l, "guild"),
               text_of(l, "status"), text_of(l, "attempts"), bytes_of(l, "bytes"),
               text_of(l, "key"), text_of(l, "reason")});
        if (const std::string payload = payload_line(l); !payload.empty())
            payloads += '\n' + printable(text_of(l, "key")) + '\n' + payload;
    }
    if (t.empty()) return "no dead letters\n";
    return t.text() + payloads;
}

std::string render_status(const object& status, const array& shards) {
    text_table t = facts();
    const object& handler = object_of(status, "handler");
    t.add({"daemon", "shardgate " + or_dash(text_of(status, "version")) + ", up " +
                         or_dash(age_of(status, "uptime_s"))});
    t.add({"shards", shards_line(object_of(status, "shards"))});
    t.add({"states", states_line(shards)});
    t.add({"guilds", text_of(status, "guilds")});
    t.add({"budget", starts_line(object_of(status, "session_start_limit"))});
    t.add({"handler", text_of(handler, "state")});
    add_queue(t, object_of(status, "queue"));
    t.add({"storage", storage_line(object_of(status, "storage"))});
    if (const std::string what = text_of(status, "waiting_for"); !what.empty())
        t.add({"waiting for", what});
    for (const boost::json::value& v : array_of(status, "warnings"))
        if (v.is_string()) t.add({"warning", std::string(v.get_string())});
    std::string out = t.text();
    if (const text_table urls = handler_table(handler); !urls.empty()) out += '\n' + urls.text();
    if (const text_table away = shard_table(shards); !away.empty()) out += '\n' + away.text();
    return out;
}

}  // namespace shardgate::client
