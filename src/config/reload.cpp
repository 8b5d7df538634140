// SPDX-License-Identifier: Apache-2.0
// One table of what may change while the daemon runs. A key that is in it has to be taken up by
// app/reload.cpp.
#include "shardgate/config/reload.hpp"

#include <algorithm>
#include <array>

#include "config/schema.hpp"
#include "config/secrets.hpp"

namespace shardgate::config {
namespace {

// A whole section ends in a dot.
constexpr std::array<std::string_view, 20> live{
    "discord.api_authorization",
    "discord.presence",
    "filter.",
    "handler.urls",
    "handler.secret",
    "handler.signing_key_file",
    "handler.timeout",
    "handler.connections",
    "queue.max_events",
    "queue.max_bytes",
    "queue.spill_max_bytes",
    "queue.spill_max_age",
    "queue.retry_initial",
    "queue.retry_max",
    "interactions.",
    "resharding.",
    "state.stop_flush",
    "admin.",  // but for listen
    "watchdog.",
    "log.",
};
constexpr std::string_view not_live = "admin.listen";

// The first is sound, or means what it says, only with the second: both wait for a restart.
struct bond {
    std::string_view key, with;
};
constexpr std::array bonds{
    bond{"filter.guild_create", "handler.envelope"},
    bond{"resharding.percentage", "discord.api_url"},
    bond{"resharding.check_interval", "discord.api_url"},
    bond{"discord.api_authorization", "discord.api_url"},
    bond{"discord.presence", "discord.token"},
    bond{"discord.presence", "discord.properties"},
    bond{"admin.token", "admin.listen"},
};

bool begins(std::string_view text, std::string_view with) noexcept {
    return text.substr(0, with.size()) == with;
}

// A secret's key and its twin's content count once, under the key itself.
std::vector<std::string> changed_keys(settings& running, settings& wanted, std::size_t& looked_at) {
    std::vector<std::string> changed;
    for (const entry& e : schema()) {
        if (!e.same) continue;
        ++looked_at;
        if (!e.same(running, wanted)) changed.push_back(e.key);
    }
    for (const std::string_view key : secret_keys()) {
        ++looked_at;
        if (!same_secret(key, running, wanted)) changed.emplace_back(key);
    }
    return changed;
}

void copy(std::string_view key, settings& from, settings& to) {
    const entry* const e = find_entry(key);
    if (e != nullptr && e->copy)
        e->copy(from, to);
    else
        copy_secret(key, from, to);
}

}  // namespace

bool reload_plan::applies(std::string_view prefix) const noexcept {
    return std::any_of(applied.begin(), applied.end(),
                       [prefix](const std::string& key) { return begins(key, prefix); });
}

bool may_change(std::string_view key) noexcept {
    if (key == not_live) return false;
    return std::any_of(live.begin(), live.end(), [key](std::string_view l) {
        return l.back() == '.' ? begins(key, l) : key == l;
    });
}

reload_plan take_over(settings& running, settings wanted) {
    reload_plan plan;
    std::size_t looked_at = 0;
    const std::vector<std::string> changed = changed_keys(running, wanted, looked_at);
    const auto changes = [&changed](std::string_view key) {
        return std::find(changed.begin(), changed.end(), key) != changed.end();
    };
    for (const std::string& key : changed) {
        const bool bound = std::any_of(bonds.begin(), bonds.end(), [&](const bond& b) {
            return b.key == key && changes(b.with);
        });
        if (may_change(key) && !bound)
            plan.applied.push_back(key);
        else
            plan.needs_restart.push_back(key);
    }
    for (const std::string& key : plan.applied)
        copy(key, wanted, running);
    plan.unchanged = looked_at - changed.size();
    return plan;
}

}  // namespace shardgate::config
