// SPDX-License-Identifier: Apache-2.0
// Guilds in which the bot is in a voice channel: its voice connection there ends with the gateway
// session that it was begun with. Pure. Owner: loop_stage.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "shardgate/base/ids.hpp"

namespace shardgate {

class voice_book {
public:
    // More than any bot is in at once; beyond it nothing is remembered.
    static constexpr std::size_t limit = 100'000;

    void set(snowflake guild, bool in_voice);
    [[nodiscard]] bool has(snowflake guild) const { return guilds_.contains(guild); }
    [[nodiscard]] bool any_on(shard_id shard, shard_count total) const;
    [[nodiscard]] std::vector<snowflake> guilds() const;  // ascending

    // As kept on disk, when it has changed since the last call.
    [[nodiscard]] std::optional<std::string> take_changed();
    void restore(std::string_view text);

private:
    std::unordered_set<snowflake> guilds_;
    bool changed_ = false;
};

}  // namespace shardgate
