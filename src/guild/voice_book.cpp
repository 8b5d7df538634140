// SPDX-License-Identifier: Apache-2.0
#include "shardgate/guild/voice_book.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace shardgate {

void voice_book::set(snowflake guild, bool in_voice) {
    if (guild == snowflake{}) return;
    if (!in_voice)
        changed_ |= guilds_.erase(guild) > 0;
    else if (guilds_.size() < limit)
        changed_ |= guilds_.insert(guild).second;
}

bool voice_book::any_on(shard_id shard, shard_count total) const {
    return std::any_of(guilds_.begin(), guilds_.end(),
                       [&](snowflake g) { return shard_of(g, total) == shard; });
}

std::vector<snowflake> voice_book::guilds() const {
    std::vector<snowflake> all(guilds_.begin(), guilds_.end());
    std::sort(all.begin(), all.end());
    return all;
}

std::optional<std::string> voice_book::take_changed() {
    if (!std::exchange(changed_, false)) return std::nullopt;
    std::string text;
    for (const snowflake g : guilds())
        text += (text.empty() ? "" : " ") + std::to_string(g.value);
    return text;
}

void voice_book::restore(std::string_view text) {
    while (!text.empty()) {
        snowflake guild;
        const auto read = std::from_chars(text.data(), text.data() + text.size(), guild.value);
        if (read.ec != std::errc{}) return;
        set(guild, true);
        text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
        if (!text.empty()) text.remove_prefix(1);
    }
    changed_ = false;
}

}  // namespace shardgate
