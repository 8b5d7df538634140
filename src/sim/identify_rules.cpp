// SPDX-License-Identifier: Apache-2.0
#include "sim/identify_rules.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace shardgate::sim {

namespace {

namespace json = boost::json;
using outcome = identify_verdict::outcome;

constexpr std::size_t timeline_kept = 20000;
// Bits 1, 8 and 15: GUILD_MEMBERS, GUILD_PRESENCES, MESSAGE_CONTENT.
constexpr std::uint64_t privileged = (1U << 1) | (1U << 8) | (1U << 15);

std::optional<std::uint64_t> number(const json::value* v) {
    if (!v) return std::nullopt;
    if (v->is_uint64()) return v->get_uint64();
    if (v->is_int64() && v->get_int64() >= 0) return static_cast<std::uint64_t>(v->get_int64());
    return std::nullopt;
}

void read_shard(const json::value* shard, identify_request& into) {
    if (!shard) return;
    into.shard_given = true;
    into.shard = 1;
    into.shards = 0;
    if (!shard->is_array() || shard->get_array().size() != 2) return;
    const auto id = number(&shard->get_array()[0]);
    const auto count = number(&shard->get_array()[1]);
    if (!id || !count || *id > UINT32_MAX || *count > UINT32_MAX) return;
    into.shard = static_cast<std::uint32_t>(*id);
    into.shards = static_cast<std::uint32_t>(*count);
}

}  // namespace

std::optional<identify_request> read_identify(const json::value& d) {
    if (!d.is_object()) return std::nullopt;
    const json::object& o = d.get_object();
    identify_request r;
    const json::value* token = o.if_contains("token");
    const json::value* properties = o.if_contains("properties");
    const auto intents = number(o.if_contains("intents"));
    // Required since version 8 (Discord docs, Identify Structure).
    if (!token || !token->is_string() || !properties || !properties->is_object() || !intents)
        return std::nullopt;
    r.token = std::string(token->get_string());
    r.intents = *intents;
    if (const json::value* compress = o.if_contains("compress")) {
        if (!compress->is_bool()) return std::nullopt;
        r.compress = compress->get_bool();
    }
    if (const json::value* presence = o.if_contains("presence"))
        if (!presence->is_object()) return std::nullopt;
    read_shard(o.if_contains("shard"), r);
    return r;
}

identify_rules::identify_rules(const options& o) : options_(o), remaining_(0) {
    clear({});
}

void identify_rules::clear(time_point) {
    const gateway_options& g = options_.gateway;
    remaining_ = std::min(g.starts_remaining, g.starts_total);
    window_start_.reset();
    revoked_ = false;
    violations_ = beyond_ = 0;
    timeline_.clear();
    last_.clear();
}

bool identify_rules::token_valid(const std::string& token) const {
    if (revoked_) return false;
    const std::string& ours = options_.gateway.token;
    // The "Bot " prefix is tolerated in IDENTIFY (fact sheet 2.1).
    return token == ours || token == "Bot " + ours;
}

std::optional<identify_verdict> identify_rules::refuse(const identify_request& r,
                                                       std::uint32_t guilds) const {
    const gateway_options& g = options_.gateway;
    const auto close = [](close_code code, const char* why) {
        return identify_verdict{outcome::close, code, why};
    };
    if (!token_valid(r.token)) return close(4004, "wrong token");
    if (r.shards == 0 || r.shard >= r.shards) return close(4010, "bad shard array");
    if (g.shard_multiple > 1 && r.shards % g.shard_multiple != 0)
        return close(4010, "not a multiple of the large-bot number");
    if (guilds > g.guilds_per_shard) return close(4011, "too many guilds on the shard");
    if ((r.intents & ~all_intents) != 0) return close(4013, "undefined intent bits");
    if ((r.intents & privileged & ~g.granted_intents) != 0)
        return close(4014, "privileged intents that were not granted");
    return std::nullopt;
}

void identify_rules::roll_window(time_point now) {
    if (window_start_ && now - *window_start_ >= options_.scaled(options_.gateway.starts_window)) {
        remaining_ = options_.gateway.starts_total;
        window_start_.reset();
    }
}

bool identify_rules::paced(const identify_request& r, std::uint32_t key, time_point now) {
    const auto last = last_.find(key);
    const duration interval = options_.scaled(options_.gateway.identify_interval);
    const duration tolerance = options_.scaled(options_.gateway.identify_tolerance);
    if (last != last_.end() && now - last->second < interval - tolerance) {
        ++violations_;
        note(r, key, false, now);
        return false;
    }
    return true;
}

identify_verdict identify_rules::check(const identify_request& r, std::uint32_t guilds,
                                       time_point now) {
    if (revoked_ && remaining_ == 0) ++beyond_;
    if (const auto refused = refuse(r, guilds)) return *refused;
    roll_window(now);
    const std::uint32_t key = r.shard % std::max(1U, options_.gateway.max_concurrency);
    if (!paced(r, key, now)) return {outcome::invalid_session, 0, "IDENTIFY too early for its key"};
    if (remaining_ == 0) {
        ++beyond_;
        note(r, key, false, now);
        if (!options_.gateway.token_reset)
            return {outcome::invalid_session, 0, "no session starts left"};
        revoked_ = true;
        return {outcome::token_reset, 4004, "session start limit exceeded: token reset"};
    }
    --remaining_;
    if (!window_start_) window_start_ = now;
    last_[key] = now;
    note(r, key, true, now);
    return {};
}

void identify_rules::note(const identify_request& r, std::uint32_t key, bool accepted,
                          time_point now) {
    if (timeline_.size() >= timeline_kept)
        timeline_.erase(timeline_.begin(), timeline_.begin() + timeline_kept / 2);
    record made;
    made.when = now;
    made.shard = r.shard;
    made.shards = r.shards;
    made.key = key;
    made.accepted = accepted;
    if (r.connected != time_point{}) made.waited = now - r.connected;
    timeline_.push_back(made);
}

identify_rules::budget identify_rules::budget_at(time_point now) const {
    budget b;
    b.total = options_.gateway.starts_total;
    b.remaining = remaining_;
    if (window_start_) {
        const duration left =
            *window_start_ + options_.scaled(options_.gateway.starts_window) - now;
        if (left <= duration::zero())
            b.remaining = b.total;
        else
            b.reset_after = left;
    }
    return b;
}

void identify_rules::set_remaining(std::uint32_t remaining, time_point now) {
    remaining_ = std::min(remaining, options_.gateway.starts_total);
    if (remaining_ < options_.gateway.starts_total && !window_start_) window_start_ = now;
}

}  // namespace shardgate::sim
