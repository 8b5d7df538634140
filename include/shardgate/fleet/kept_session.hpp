// SPDX-License-Identifier: Apache-2.0
// What of one shard is on disk, and what has changed since: its session with the marks, its guild
// set. The stored guild set is that of the safe mark, not of the last event: a replay from there
// must find the guilds as they were. Pure. Owner: shard_runner.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>

#include "shardgate/guild/guild_book.hpp"
#include "shardgate/store/records.hpp"

namespace shardgate {

class kept_session {
public:
    // As read at start: nothing has changed since.
    void restore(const session_row& row) {
        kept_ = durable_ = row;
        guilds_whole_ = false;
    }
    // A new session: the guild set is READY's.
    void on_ready() noexcept;
    // An event changed what is known of a guild.
    void on_guild(seq_no seq, snowflake guild, guild_state before, guild_state after);
    // Nothing of it is on disk any more.
    void forget() noexcept;

    // Adds what has changed. Without a session: that it ended.
    void add(const std::optional<session_row>& now, const shard_guilds& guilds, shard_key key,
             store_batch& batch);

    // The last batch that something was added to is durable.
    void on_stored() { durable_ = kept_; }
    // The mark that a new process would resume this session from; 0 when it is not on disk.
    [[nodiscard]] seq_no durable_safe(std::string_view session) const noexcept {
        return is_durable(session) ? durable_->safe : seq_no{};
    }

    [[nodiscard]] bool is_durable(std::string_view session) const noexcept {
        return durable_ && durable_->session_id == session;
    }

private:
    struct change {
        seq_no seq;
        snowflake guild;
        guild_state before, after;
    };

    void add_all_guilds(seq_no safe, const shard_guilds& guilds, shard_key key, store_batch& batch);

    std::optional<session_row> kept_;     // as last added
    std::optional<session_row> durable_;  // as last stored
    bool guilds_whole_ = true;            // the next batch takes the whole set
    std::deque<change> unkept_;  // in order of seq; bounded by what is unsafe, a second's worth
};

}  // namespace shardgate
