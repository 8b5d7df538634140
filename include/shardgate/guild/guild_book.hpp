// SPDX-License-Identifier: Apache-2.0
// Which guilds each shard has, and what a guild lifecycle event means: a guild that loads, one the
// bot joined, one that is back (Discord docs, Gateway Events, Guild Create; docs/protocol.md).
// Pure. One shard_guilds per shard and generation. State survives a resume and is rebuilt by a new
// READY.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "shardgate/base/ids.hpp"
#include "shardgate/base/time.hpp"
#include "shardgate/guild/guild_table.hpp"
#include "shardgate/protocol/dispatch.hpp"

namespace shardgate {

// Discord's own bound is 2,500 a shard; this one only keeps a hostile peer from filling memory.
inline constexpr std::size_t max_guilds_per_shard = 1'000'000;

struct guilds_loaded {  // SHARDGATE_GUILDS_LOADED
    std::size_t guilds = 0;
    std::size_t unavailable = 0;  // of them in an outage, or not heard of in time
};

// What the marks mean, by what was known of the guild before:
//
//   event                          | stub of READY | unavailable | present     | unknown
//   GUILD_CREATE                   | loaded        | available   | available   | joined
//   GUILD_CREATE, unavailable      | unavailable   | unavailable | unavailable | unavailable
//   GUILD_DELETE, unavailable      | unavailable   | unavailable | unavailable | unavailable
//   GUILD_DELETE                   | left          | left        | left        | left
//
// A guild that is first heard of by an unavailable GUILD_CREATE was joined during an outage: the
// GUILD_CREATE that brings its data is `joined`, so that each join is told once, with data. A
// GUILD_CREATE of a present guild is one that Discord sent twice, hence not `joined` again.
class shard_guilds {
public:
    // `quiet`: loading also ends when no stub was answered for this long. `limit`: guilds above it
    // are not remembered, and counted.
    explicit shard_guilds(duration quiet = std::chrono::seconds(5),
                          std::size_t limit = max_guilds_per_shard);

    // A new session: forgets everything else and expects these.
    void on_ready(const std::vector<snowflake>& stubs, time_point now);
    // As a process before us left it. `loaded`: it had been told that the guilds are loaded.
    void restore(const std::vector<std::pair<snowflake, guild_state>>& guilds, bool loaded,
                 time_point now);
    // GUILD_CREATE and GUILD_DELETE; others answer none. Sets no more than the book.
    [[nodiscard]] guild_mark on_dispatch(const dispatch& event, time_point now);
    // Once per session: the last stub was answered, or the quiet period passed. Ask after each
    // on_dispatch(), on_ready() and when deadline() passed.
    [[nodiscard]] std::optional<guilds_loaded> take_loaded(time_point now);
    // When the quiet period ends; `never` before READY and once loaded.
    [[nodiscard]] time_point deadline() const noexcept;

    // Guilds the bot is in, unavailable ones included.
    [[nodiscard]] std::size_t size() const noexcept { return table_.size(); }
    [[nodiscard]] std::size_t unavailable() const noexcept { return unavailable_; }
    [[nodiscard]] std::size_t loading() const noexcept { return loading_; }  // stubs unanswered
    [[nodiscard]] bool loaded() const noexcept { return phase_ == phase::loaded; }
    [[nodiscard]] bool has(snowflake guild) const noexcept;
    [[nodiscard]] std::vector<snowflake> ids() const { return table_.ids(); }
    [[nodiscard]] std::vector<std::pair<snowflake, guild_state>> all() const {
        return table_.all();
    }
    [[nodiscard]] guild_state state_of(snowflake guild) const noexcept {
        return table_.find(guild);
    }
    // Guilds not remembered because of the limit, over all sessions.
    [[nodiscard]] std::uint64_t ignored() const noexcept { return ignored_; }

private:
    enum class phase : std::uint8_t { before_ready, loading, loaded };

    [[nodiscard]] guild_mark on_create(snowflake guild, bool unavailable);
    [[nodiscard]] guild_mark on_delete(snowflake guild, bool unavailable);
    void change(snowflake guild, guild_state from, guild_state to);

    duration quiet_;
    std::size_t limit_;
    guild_table table_;
    std::size_t loading_ = 0;
    std::size_t unavailable_ = 0;  // unavailable and joining ones
    std::uint64_t ignored_ = 0;
    phase phase_ = phase::before_ready;
    time_point answered_{};  // READY or the last stub's answer
};

}  // namespace shardgate
