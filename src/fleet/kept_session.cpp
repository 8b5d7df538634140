// SPDX-License-Identifier: Apache-2.0
#include "shardgate/fleet/kept_session.hpp"

#include <unordered_map>

namespace shardgate {

namespace {

constexpr std::size_t most_unkept = 65536;

}  // namespace

void kept_session::on_ready() noexcept {
    guilds_whole_ = true;
    unkept_.clear();
}

void kept_session::forget() noexcept {
    kept_.reset();
    guilds_whole_ = true;
}

void kept_session::on_guild(seq_no seq, snowflake guild, guild_state before, guild_state after) {
    if (before == after) return;
    unkept_.push_back({seq, guild, before, after});
    if (unkept_.size() <= most_unkept) return;
    // The disk has not been there for long: the next batch takes the whole set.
    unkept_.pop_front();
    guilds_whole_ = true;
}

void kept_session::add(const std::optional<session_row>& now, const shard_guilds& guilds,
                       shard_key key, store_batch& batch) {
    if (!now) {
        if (kept_) batch.sessions_ended.push_back(key);
        forget();
        return;
    }
    const bool same_session = kept_ && kept_->session_id == now->session_id;
    const bool same = same_session && kept_->safe == now->safe &&
                      kept_->received == now->received &&
                      kept_->guilds_loaded == now->guilds_loaded;
    if (!same) batch.sessions.push_back(*now);
    kept_ = now;
    if (guilds_whole_ || !same_session) return add_all_guilds(now->safe, guilds, key, batch);
    while (!unkept_.empty() && unkept_.front().seq <= now->safe) {
        batch.guilds.push_back({key, unkept_.front().guild, unkept_.front().after});
        unkept_.pop_front();
    }
}

void kept_session::add_all_guilds(seq_no safe, const shard_guilds& guilds, shard_key key,
                                  store_batch& batch) {
    guilds_whole_ = false;
    while (!unkept_.empty() && unkept_.front().seq <= safe)
        unkept_.pop_front();
    // What the book knows beyond the mark is taken back, the newest first.
    std::unordered_map<snowflake, guild_state> earlier;
    for (auto it = unkept_.rbegin(); it != unkept_.rend(); ++it)
        earlier[it->guild] = it->before;
    batch.guilds_cleared.push_back(key);
    for (const auto& [guild, state] : guilds.all())
        if (!earlier.contains(guild)) batch.guilds.push_back({key, guild, state});
    for (const auto& [guild, state] : earlier)
        if (state != guild_state::absent) batch.guilds.push_back({key, guild, state});
}

}  // namespace shardgate
