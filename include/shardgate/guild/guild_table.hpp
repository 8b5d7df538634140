// SPDX-License-Identifier: Apache-2.0
// A hash table from guild id to its state: nine bytes a slot, at most two slots in three used, so
// that 200,000 guilds cost about 3 MB. Owner: shard_guilds. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "shardgate/base/ids.hpp"

namespace shardgate {

// Stored on disk by number: only add at the end.
enum class guild_state : std::uint8_t {
    absent,       // not in the table
    loading,      // a stub of READY that nothing has answered yet
    present,      // its data came
    unavailable,  // an outage: the bot is in it, its data is away
    joining,      // the bot joined it during an outage: its data never came yet
};

class guild_table {
public:
    [[nodiscard]] guild_state find(snowflake id) const noexcept;
    // Sets the state of a guild in the table, or adds it. Pre: id is not 0, state not absent.
    void set(snowflake id, guild_state state);
    // Gives the state it had.
    guild_state erase(snowflake id) noexcept;
    void clear() noexcept;
    void reserve(std::size_t guilds);

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::vector<snowflake> ids() const;
    [[nodiscard]] std::vector<std::pair<snowflake, guild_state>> all() const;

private:
    [[nodiscard]] std::size_t home(std::uint64_t id) const noexcept;
    [[nodiscard]] std::size_t slot_of(std::uint64_t id) const noexcept;  // its own or a free one
    void rehash(std::size_t slots);

    std::vector<std::uint64_t> keys_;  // a power of two, or empty; 0 = free
    std::vector<guild_state> states_;
    std::size_t size_ = 0;
};

}  // namespace shardgate
