// SPDX-License-Identifier: Apache-2.0
// A resharding as text: its plan, how it goes, its bar.
#include <algorithm>
#include <boost/json/value.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "client/fields.hpp"
#include "client/render.hpp"
#include "client/text.hpp"

namespace shardgate::client {

namespace {

using boost::json::array;
using boost::json::object;

std::string or_dash(std::string text) {
    return text.empty() ? "-" : text;
}

// The first of them; a large bot may have a thousand.
std::string names(const array& all) {
    constexpr std::size_t most = 20;
    std::string out;
    for (std::size_t i = 0; i < all.size() && i < most; ++i)
        if (all[i].is_string()) out += (i == 0 ? "" : ", ") + std::string(all[i].get_string());
    if (all.size() > most) out += ", and " + std::to_string(all.size() - most) + " more";
    return out;
}

std::string lines_of(const array& all, const char* heading) {
    std::string out;
    for (const boost::json::value& v : all)
        if (v.is_string()) out += heading + printable(std::string(v.get_string())) + '\n';
    return out;
}

std::string events_of(const object& pairing) {
    std::string out;
    for (const char* const key : {"forwarded", "dropped", "released", "expired"})
        if (number(pairing, key))
            out += (out.empty() ? "" : ", ") + text_of(pairing, key) + ' ' + key;
    if (number(pairing, "held_bytes")) out += "; " + bytes_of(pairing, "held_bytes") + " held";
    return out;
}

bool runs(const object& progress) {
    return number(progress, "eta_s").has_value();
}

}  // namespace

std::string render_plan(const object& plan, bool dry) {
    const std::string cost = or_dash(text_of(plan, "session_starts")) + " of " +
                             or_dash(text_of(plan, "remaining")) + " session starts";
    const std::string shards =
        or_dash(text_of(plan, "from")) + " to " + or_dash(text_of(plan, "to")) + " shards";
    const std::string time = or_dash(age_of(plan, "estimated_s"));
    std::string out = dry ? shards + " would cost " + cost + " and take about " + time
                          : "resharding from " + shards + ": " + cost + ", about " + time;
    out = printable(out) + '\n';
    if (const array& voice = array_of(plan, "voice_guilds"); !voice.empty())
        out += "live voice sessions in " + std::to_string(voice.size()) +
               (voice.size() == 1 ? " guild: " : " guilds: ") + printable(names(voice)) + '\n';
    return out + lines_of(array_of(plan, "warnings"), "warning: ");
}

std::string reshard_line(const object& p) {
    const std::string state = or_dash(text_of(p, "state"));
    std::string out = state;
    if (state == "idle") return "idle: nothing has been resharded since the daemon started";
    out += ": " + or_dash(text_of(p, "from")) + " to " + or_dash(text_of(p, "to")) + " shards";
    if (runs(p))
        out += ", " + or_dash(text_of(p, "ready")) + " ready, " + text_of(p, "percent") +
               " %, about " + age_of(p, "eta_s") + " left";
    else
        out += ", after " + or_dash(age_of(p, "started_ago_s"));
    if (const std::string why = text_of(p, "reason"); !why.empty()) out += "; " + why;
    return printable(out);
}

std::string reshard_bar(const object& p) {
    constexpr std::uint64_t width = 30;
    constexpr std::size_t screen = 79;  // one less: a full line makes some screens scroll
    const std::uint64_t percent = std::min<std::uint64_t>(count_of(p, "percent"), 100);
    const std::uint64_t full = percent * width / 100;
    std::string out = '[' + std::string(full, '#') + std::string(width - full, '.') + "] " +
                      std::to_string(percent) + " % " + or_dash(text_of(p, "state")) + ", " +
                      or_dash(text_of(p, "ready")) + '/' + or_dash(text_of(p, "to")) + " ready, " +
                      or_dash(age_of(p, "eta_s")) + " left";
    out = printable(out);
    if (out.size() > screen) out.resize(screen);
    return out;
}

std::string render_reshard(const object& p) {
    text_table t({{"", text_table::side::left}, {"", text_table::side::left}});
    t.add({"state", text_of(p, "state")});
    if (const std::string why = text_of(p, "reason"); !why.empty()) t.add({"reason", why});
    if (number(p, "from")) {
        t.add({"shards", "from " + text_of(p, "from") + " to " + or_dash(text_of(p, "to")) + ", " +
                             or_dash(text_of(p, "ready")) + " of the new ones ready"});
        t.add({"done", or_dash(text_of(p, "percent")) + " %" +
                           (runs(p) ? ", about " + age_of(p, "eta_s") + " left" : "")});
        const std::string time = or_dash(age_of(p, "started_ago_s"));
        t.add(runs(p) ? std::vector<std::string>{"begun", time + " ago"}
                      : std::vector<std::string>{"took", time});
        t.add({"generation", text_of(p, "generation")});
        t.add({"events", events_of(object_of(p, "pairing"))});
    }
    if (const std::string warning = text_of(p, "warning"); !warning.empty())
        t.add({"warning", warning});
    return t.text();
}

}  // namespace shardgate::client
