// SPDX-License-Identifier: Apache-2.0
// While two shard sets run: which of them sends what the bot wants sent for a guild. The set that
// leads, but for voice: a voice connection lives and dies with the session that asked for it
// (Discord docs, Voice, close code 4014), so what is about it goes where it was begun. Pure.
// Owner: app/daemon; forgotten when the resharding is over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_set>

#include "shardgate/base/ids.hpp"
#include "shardgate/protocol/opcode.hpp"
#include "shardgate/reshard/pairing.hpp"

namespace shardgate {

class command_route {
public:
    // Guilds whose voice the new set began. More than a bot joins in one resharding; beyond it the
    // leading set is asked.
    static constexpr std::size_t limit = 10'000;

    // `in_voice`: the bot is in a voice channel of that guild. `old_there`: the guild's old shard
    // can still send.
    [[nodiscard]] shard_set choose(std::int32_t op, snowflake guild, bool new_leads, bool in_voice,
                                   bool old_there) {
        if (!old_there) return shard_set::new_set;
        const shard_set leading = new_leads ? shard_set::new_set : shard_set::old_set;
        if (op != static_cast<std::int32_t>(opcode::voice_state_update)) return leading;
        if (in_voice) return begun_.contains(guild) ? shard_set::new_set : shard_set::old_set;
        if (leading == shard_set::new_set && begun_.size() < limit)
            begun_.insert(guild);
        else
            begun_.erase(guild);
        return leading;
    }
    void clear() noexcept { begun_.clear(); }

private:
    std::unordered_set<snowflake> begun_;
};

}  // namespace shardgate
