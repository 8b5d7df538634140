// SPDX-License-Identifier: Apache-2.0
#include "sim/load.hpp"

#include <algorithm>
#include <boost/json/object.hpp>
#include <charconv>

#include "sim/link.hpp"

namespace shardgate::sim {

namespace {

namespace json = boost::json;

std::optional<double> number(const json::object& o, std::string_view key) {
    const json::value* v = o.if_contains(key);
    if (!v || !v->is_number()) return std::nullopt;
    return v->to_number<double>();
}

// "kinds": {"TYPING_START": 1, …}: shares by event name, for mixes nobody thought of.
bool read_kinds(const json::value& v, event_mix& mix) {
    if (!v.is_object()) return false;
    for (const auto& member : v.get_object()) {
        if (!member.value().is_number()) return false;
        bool known = false;
        for (std::size_t k = 0; k < event_kinds && !known; ++k) {
            if (type_of(static_cast<event_kind>(k)).name != member.key()) continue;
            mix[k] = member.value().to_number<double>();
            known = true;
        }
        if (!known) return false;
    }
    return true;
}

result<void> read_guild(const json::object& o, const world& w, load_plan& plan) {
    const json::value* v = o.if_contains("guild");
    if (!v) return {};
    std::uint64_t id = 0;
    if (v->is_string()) {
        const json::string& text = v->get_string();
        std::from_chars(text.data(), text.data() + text.size(), id);
    }
    if (v->is_string() && v->get_string() == "any") {
        rng random(1);
        plan.guild = w.pick_even(random);
    } else {
        plan.guild = w.find(id);
    }
    if (!plan.guild) return failure("guild: there is no such guild; \"any\" or an id as a string");
    return {};
}

}  // namespace

result<load_plan> read_load(const json::value& v, const options& o, const world& w) {
    if (!v.is_object()) return failure("an object is wanted");
    const json::object& in = v.get_object();
    load_plan plan;
    plan.unknown = o.encoding.unknown;
    plan.name = "realistic";
    if (const json::value* mix = in.if_contains("mix")) {
        if (!mix->is_string()) return failure("mix: a name is wanted");
        plan.name = std::string(mix->get_string());
    }
    const auto found = find_mix(plan.name);
    if (!found) return failure("mix: A, B, C, realistic, messages or interactions");
    plan.mix = *found;
    if (const json::value* kinds = in.if_contains("kinds")) {
        plan.mix = {};
        if (!read_kinds(*kinds, plan.mix)) return failure("kinds: {\"EVENT_NAME\": share, …}");
    }
    if (rate_of(plan.mix) <= 0) return failure("kinds: nothing in it");
    plan.rate = number(in, "rate").value_or(0);
    plan.times = number(in, "times").value_or(1);
    plan.unknown = number(in, "unknown").value_or(plan.unknown);
    plan.dm = number(in, "dm").value_or(plan.dm);
    plan.ahead = static_cast<std::uint64_t>(std::max(0.0, number(in, "ahead").value_or(0)));
    plan.count = static_cast<std::uint64_t>(std::max(0.0, number(in, "count").value_or(0)));
    if (const auto seconds = number(in, "seconds"))
        plan.lasts = std::chrono::duration_cast<duration>(std::chrono::duration<double>(*seconds));
    if (const json::value* saturate = in.if_contains("saturate"))
        plan.saturate = saturate->is_bool() && saturate->get_bool();
    if (const auto ok = read_guild(in, w, plan); !ok) return ok.error();
    return plan;
}

void load::start(load_plan plan, time_point now) {
    active a;
    a.start = a.last = now;
    for (const double share : plan.mix) {
        a.total += share;
        a.cumulative.push_back(a.total);
    }
    // A mix's own rate is per 1,000 guilds.
    const double natural = a.total * static_cast<double>(world_.size()) / 1000.0;
    a.rate = (plan.rate > 0 ? plan.rate : natural) * plan.times;
    a.plan = std::move(plan);
    plans_.push_back(std::move(a));
}

event_kind load::choose(const active& a) {
    const double at = director_.random().unit() * a.total;
    const auto found = std::upper_bound(a.cumulative.begin(), a.cumulative.end(), at);
    const auto k = std::min<std::size_t>(static_cast<std::size_t>(found - a.cumulative.begin()),
                                         event_kinds - 1);
    return static_cast<event_kind>(k);
}

bool load::room_for(std::uint64_t guild) {
    owners_.clear();
    sessions_.owners(guild, owners_);
    return !owners_.empty() && std::all_of(owners_.begin(), owners_.end(), [](const session* s) {
        return s->connection && s->waiting() < window && s->loading.empty();
    });
}

bool load::one(active& a, const moment& now) {
    rng& random = director_.random();
    if (random.chance(a.plan.unknown)) {
        const auto at = world_.pick_even(random);
        if (!at || (a.plan.saturate && !room_for(world_.at(*at).id))) return false;
        return director_.invented("SIMULATED_NOVELTY_" + std::to_string(random.below(9)), *at, now);
    }
    const event_kind kind = choose(a);
    if (!a.plan.guild && world_.dms() != 0 && random.chance(a.plan.dm)) {
        if (a.plan.saturate && !room_for(0)) return false;
        if (director_.happen_in_dm(kind, random.below(world_.dms()), now)) return true;
    }
    const auto at = a.plan.guild ? a.plan.guild : world_.pick(random);
    if (!at) return false;
    if (a.plan.saturate && !room_for(world_.at(*at).id)) return false;
    return director_.happen(kind, *at, now);
}

bool load::run(active& a, const moment& now) {
    constexpr int misses_max = 64;
    const bool counted = a.plan.count != 0;
    if (a.plan.saturate) {
        int misses = 0;
        for (int i = 0; i < slice && misses < misses_max; ++i) {
            if (counted && a.made >= a.plan.count) return false;
            if (a.plan.ahead != 0 && director_.on_their_way() >= a.plan.ahead) return false;
            if (one(a, now))
                ++a.made, ++made_;
            else
                ++misses;
        }
        return misses < misses_max;
    }
    a.owed += a.rate * std::chrono::duration<double>(now.at - a.last).count();
    a.last = now.at;
    // A loop that was held up does not owe for ever.
    a.owed = std::min(a.owed, owed_max);
    for (; a.owed >= 1; a.owed -= 1) {
        if (counted && a.made >= a.plan.count) break;
        if (one(a, now)) ++a.made, ++made_;
    }
    return false;
}

bool load::finished(const active& a, time_point now) const {
    if (a.plan.count != 0 && a.made >= a.plan.count) return true;
    return a.plan.lasts && now - a.start >= *a.plan.lasts;
}

bool load::tick(const moment& now) {
    bool more = false;
    for (active& a : plans_)
        if (!finished(a, now.at)) more = run(a, now) || more;
    std::erase_if(plans_, [&](const active& a) { return finished(a, now.at); });
    return more;
}

}  // namespace shardgate::sim
