// SPDX-License-Identifier: Apache-2.0
// POST /settings: what can be changed while the simulator runs.
#include <boost/json/object.hpp>
#include <functional>
#include <map>

#include "sim/control.hpp"

namespace shardgate::sim {

namespace {

namespace json = boost::json;

// Takes a value, or says no.
using setter = std::function<bool(const json::value&)>;

setter share(double& to) {
    return [&to](const json::value& v) {
        if (!v.is_number()) return false;
        const auto n = v.to_number<double>();
        if (n < 0 || n > 1) return false;
        to = n;
        return true;
    };
}

setter flag(bool& to) {
    return [&to](const json::value& v) {
        if (!v.is_bool()) return false;
        to = v.get_bool();
        return true;
    };
}

template <class T>
setter number(T& to) {
    return [&to](const json::value& v) {
        if (!v.is_int64() || v.get_int64() < 0) return false;
        to = static_cast<T>(v.get_int64());
        return true;
    };
}

setter span(milliseconds& to) {
    return [&to](const json::value& v) {
        if (!v.is_int64() || v.get_int64() < 0) return false;
        to = milliseconds(v.get_int64());
        return true;
    };
}

setter trim(ring_trim& to) {
    return [&to](const json::value& v) {
        if (!v.is_string()) return false;
        if (v.get_string() == "none")
            to = ring_trim::none;
        else if (v.get_string() == "heartbeat")
            to = ring_trim::heartbeat;
        else if (v.get_string() == "resume")
            to = ring_trim::resume;
        else
            return false;
        return true;
    };
}

std::map<std::string, setter, std::less<>> setters(parts& p, const moment& now) {
    gateway_options& g = p.settings.gateway;
    encoding_options& e = p.settings.encoding;
    std::map<std::string, setter, std::less<>> all{
        {"shards", number(g.shards)},
        {"max_concurrency", number(g.max_concurrency)},
        {"starts_total", number(g.starts_total)},
        {"starts_window_ms", span(g.starts_window)},
        {"token_reset", flag(g.token_reset)},
        {"shard_multiple", number(g.shard_multiple)},
        {"guilds_per_shard", number(g.guilds_per_shard)},
        {"granted_intents", number(g.granted_intents)},
        {"heartbeat_interval_ms", span(g.heartbeat_interval)},
        {"identify_interval_ms", span(g.identify_interval)},
        {"identify_tolerance_ms", span(g.identify_tolerance)},
        {"identify_timeout_ms", span(g.identify_timeout)},
        {"late_invalid_session_ms", span(g.late_invalid_session)},
        {"missed_heartbeat_code", number(g.missed_heartbeat_code)},
        {"replay_depth", number(g.replay_depth)},
        {"replay_lifetime_ms", span(g.replay_lifetime)},
        {"trim", trim(g.trim)},
        {"generic_resume_life_ms", span(g.generic_resume_life)},
        {"guild_rate", number(g.guild_rate)},
        {"bad_version_http", flag(g.bad_version_http)},
        {"send_limit", number(g.send_limit)},
        {"op7_grace_ms", span(g.op7_grace)},
        {"interaction_window_ms", span(g.interaction_window)},
        {"lag_ms", span(g.lag)},
        {"check_user_agent", flag(g.check_user_agent)},
        {"interaction_life_ms", span(g.interaction_life)},
        {"invalid_limit", number(g.invalid_limit)},
        {"invalid_window_ms", span(g.invalid_window)},
        {"invalid_block_ms", span(g.invalid_block)},
        {"zlib_split", share(e.zlib_split)},
        {"numbers", flag(e.numbers)},
        {"shuffle_keys", flag(e.shuffle_keys)},
        {"decoys", flag(e.decoys)},
        {"unfurls", share(e.unfurls)},
        {"edits", share(e.edits)},
        {"partial_updates", share(e.partial_updates)},
        {"duplicates", share(e.duplicates)},
        {"gaps", share(e.gaps)},
        {"unknown", share(e.unknown)},
        {"repeats", share(e.repeats)},
        {"mentions", share(e.mentions)},
        {"own_messages", share(e.own_messages)},
    };
    all["token"] = [&g](const json::value& v) {
        if (!v.is_string()) return false;
        g.token = std::string(v.get_string());
        return true;
    };
    all["starts_remaining"] = [&p, now](const json::value& v) {
        if (!v.is_int64() || v.get_int64() < 0) return false;
        p.rules.set_remaining(static_cast<std::uint32_t>(v.get_int64()), now.at);
        return true;
    };
    return all;
}

}  // namespace

result<json::value> control_settings(parts& p, const json::value& v, const moment& now) {
    if (!v.is_object()) return failure("an object is wanted");
    auto known = setters(p, now);
    for (const auto& member : v.get_object()) {
        const auto at = known.find(std::string_view(member.key().data(), member.key().size()));
        if (at == known.end())
            return failure(std::string(member.key()) + ": unknown; see docs/simulator.md");
        if (!at->second(member.value()))
            return failure(std::string(member.key()) + ": not a value it can have");
    }
    p.events.texts().decoys(p.settings.encoding.decoys);
    return json::value(json::object{});
}

}  // namespace shardgate::sim
