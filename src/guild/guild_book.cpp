// SPDX-License-Identifier: Apache-2.0
// Guild lifecycle (Discord docs, Gateway Events, Guild Create and Guild Delete).
#include "shardgate/guild/guild_book.hpp"

#include <algorithm>

namespace shardgate {
namespace {

constexpr bool is_away(guild_state state) {
    return state == guild_state::unavailable || state == guild_state::joining;
}

}  // namespace

shard_guilds::shard_guilds(duration quiet, std::size_t limit) : quiet_(quiet), limit_(limit) {}

void shard_guilds::on_ready(const std::vector<snowflake>& stubs, time_point now) {
    table_.clear();
    table_.reserve(std::min(stubs.size(), limit_));
    loading_ = 0;
    unavailable_ = 0;
    for (const snowflake stub : stubs)
        if (stub != snowflake{}) change(stub, table_.find(stub), guild_state::loading);
    phase_ = phase::loading;
    answered_ = now;
}

void shard_guilds::restore(const std::vector<std::pair<snowflake, guild_state>>& guilds,
                           bool loaded, time_point now) {
    table_.clear();
    table_.reserve(std::min(guilds.size(), limit_));
    loading_ = 0;
    unavailable_ = 0;
    for (const auto& [guild, state] : guilds)
        if (guild != snowflake{} && state != guild_state::absent)
            change(guild, table_.find(guild), state);
    phase_ = loaded ? phase::loaded : phase::loading;
    answered_ = now;
}

guild_mark shard_guilds::on_dispatch(const dispatch& event, time_point now) {
    const snowflake guild = event.fields.guild;
    if (guild == snowflake{}) return guild_mark::none;
    const std::size_t waiting = loading_;
    const bool unavailable = event.fields.unavailable.value_or(false);
    guild_mark mark = guild_mark::none;
    if (event.event == event_id::guild_create)
        mark = on_create(guild, unavailable);
    else if (event.event == event_id::guild_delete)
        mark = on_delete(guild, unavailable);
    if (loading_ != waiting) answered_ = now;
    return mark;
}

guild_mark shard_guilds::on_create(snowflake guild, bool unavailable) {
    const guild_state was = table_.find(guild);
    if (unavailable) {
        const bool never_seen = was == guild_state::absent || was == guild_state::joining;
        change(guild, was, never_seen ? guild_state::joining : guild_state::unavailable);
        return guild_mark::unavailable;
    }
    change(guild, was, guild_state::present);
    switch (was) {
    case guild_state::loading: return guild_mark::loaded;
    case guild_state::absent:
    case guild_state::joining: return guild_mark::joined;
    case guild_state::present:
    case guild_state::unavailable: break;
    }
    return guild_mark::available;
}

guild_mark shard_guilds::on_delete(snowflake guild, bool unavailable) {
    const guild_state was = table_.find(guild);
    if (!unavailable) {
        change(guild, was, guild_state::absent);
        return guild_mark::left;
    }
    // A guild joined during an outage stays one until its data comes.
    if (was != guild_state::joining) change(guild, was, guild_state::unavailable);
    return guild_mark::unavailable;
}

void shard_guilds::change(snowflake guild, guild_state from, guild_state to) {
    if (from == guild_state::absent && to != guild_state::absent && table_.size() >= limit_) {
        ++ignored_;
        return;
    }
    if (from == guild_state::loading) --loading_;
    if (is_away(from)) --unavailable_;
    if (to == guild_state::loading) ++loading_;
    if (is_away(to)) ++unavailable_;
    if (to == guild_state::absent)
        table_.erase(guild);
    else
        table_.set(guild, to);
}

std::optional<guilds_loaded> shard_guilds::take_loaded(time_point now) {
    if (phase_ != phase::loading) return std::nullopt;
    if (loading_ > 0 && now < deadline()) return std::nullopt;
    phase_ = phase::loaded;
    return guilds_loaded{table_.size(), unavailable_ + loading_};
}

time_point shard_guilds::deadline() const noexcept {
    return phase_ == phase::loading ? later(answered_, quiet_) : never;
}

bool shard_guilds::has(snowflake guild) const noexcept {
    return table_.find(guild) != guild_state::absent;
}

}  // namespace shardgate
