// SPDX-License-Identifier: Apache-2.0
// What is kept on disk beside the spool's rows: sessions with their marks, guild sets, facts.
// Values. Rules: docs/spool.md.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "shardgate/base/ids.hpp"
#include "shardgate/base/time.hpp"
#include "shardgate/delivery/spool.hpp"
#include "shardgate/guild/guild_table.hpp"

namespace shardgate {

// A session as RESUME needs it. One per shard and generation.
struct session_row {
    generation gen{};
    shard_id shard{};
    shard_count shards{};
    std::string session_id;
    std::string resume_url;
    seq_no safe{};      // RESUME continues after this one
    seq_no received{};  // the highest seen; for people
    wall_ms last_event{};
    bool guilds_loaded = false;
};

struct shard_key {
    generation gen{};
    shard_id shard{};
    friend constexpr auto operator<=>(const shard_key&, const shard_key&) noexcept = default;
};

struct guild_row {
    shard_key of;
    snowflake guild{};
    guild_state state{};  // absent: it is forgotten
};

// One transaction. Order within it: guilds_cleared, guilds, then everything else. A shard that is
// in `sessions` and in `sessions_ended` has the one of `sessions`, and keeps its guilds.
struct store_batch {
    spool_changes spool;
    std::vector<session_row> sessions;      // set, replacing the shard's old one
    std::vector<shard_key> sessions_ended;  // forgotten, their guilds too
    std::vector<shard_key> guilds_cleared;
    std::vector<guild_row> guilds;
    std::vector<std::pair<std::string, std::string>> facts;  // name, value; replacing

    [[nodiscard]] bool empty() const noexcept {
        return spool.empty() && sessions.empty() && sessions_ended.empty() &&
               guilds_cleared.empty() && guilds.empty() && facts.empty();
    }
};

struct stored_session {
    session_row row;
    std::vector<std::pair<snowflake, guild_state>> guilds;
    // Of this session, the seqs above `safe` that lie in the spool, ascending: a replay brings them
    // again.
    std::vector<std::uint64_t> spooled;
};

// Everything that was there when the files were opened.
struct stored_state {
    std::vector<stored_session> sessions;  // in order of shard_key
    spool_contents spool;
    std::vector<std::pair<std::string, std::string>> facts;
    // The spool that was there could not be read and was moved aside: what was in it is not
    // delivered.
    bool spool_lost = false;
    // One sentence for each thing an operator should know: files moved aside, clocks set back.
    std::vector<std::string> notices;
};

}  // namespace shardgate
