// SPDX-License-Identifier: Apache-2.0
// Which guilds each shard has, and what a guild lifecycle event means: a guild that loads, one the
// bot joined, one that is back (Discord docs, Gateway Events, Guild Create; docs/protocol.md).
// Pure. One shard_guilds per shard and generation. State survives a resume and is rebuilt by a new
// READY.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "shardgate/base/ids.hpp"
#include "shardgate/base/time.hpp"
#include "shardgate/protocol/dispatch.hpp"

namespace shardgate {

struct guilds_loaded {  // SHARDGATE_GUILDS_LOADED
    std::size_t guilds = 0;
    std::size_t unavailable = 0;
};

class shard_guilds {
public:
    // `quiet`: loading also ends when no stub was answered for this long.
    explicit shard_guilds(duration quiet = std::chrono::seconds(5));

    // A new session: forgets everything else and expects these.
    void on_ready(const std::vector<snowflake>& stubs, time_point now);
    // GUILD_CREATE and GUILD_DELETE; others answer none. Sets no more than the book.
    [[nodiscard]] guild_mark on_dispatch(const dispatch& event, time_point now);
    // Once per session: the last stub was answered, or the quiet period passed. Ask after each
    // on_dispatch(), on_ready() and when deadline() passed.
    [[nodiscard]] std::optional<guilds_loaded> take_loaded(time_point now);
    [[nodiscard]] time_point deadline() const noexcept;

    [[nodiscard]] std::size_t size()
        const noexcept;  // guilds the bot is in, unavailable ones included
    [[nodiscard]] std::size_t unavailable() const noexcept;
    [[nodiscard]] std::size_t loading() const noexcept;
    [[nodiscard]] bool loaded() const noexcept;
    [[nodiscard]] bool has(snowflake guild) const noexcept;
    [[nodiscard]] std::vector<snowflake> ids() const;

private:
    // To be filled in by the implementation.
};

}  // namespace shardgate
