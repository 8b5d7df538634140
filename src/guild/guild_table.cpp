// SPDX-License-Identifier: Apache-2.0
// Open addressing with linear probing; a removed entry's followers move back, so that there are no
// tombstones to collect over months of joins and leaves.
#include "shardgate/guild/guild_table.hpp"

#include <bit>
#include <functional>
#include <utility>

namespace shardgate {
namespace {

constexpr std::size_t smallest = 16;

constexpr bool is_full(std::size_t used, std::size_t slots) {
    return used * 3 > slots * 2;
}

}  // namespace

std::size_t guild_table::home(std::uint64_t id) const noexcept {
    return std::hash<snowflake>()(snowflake(id)) & (keys_.size() - 1);
}

std::size_t guild_table::slot_of(std::uint64_t id) const noexcept {
    std::size_t slot = home(id);
    while (keys_[slot] != 0 && keys_[slot] != id)
        slot = (slot + 1) & (keys_.size() - 1);
    return slot;
}

guild_state guild_table::find(snowflake id) const noexcept {
    if (keys_.empty() || id.value == 0) return guild_state::absent;
    const std::size_t slot = slot_of(id.value);
    return keys_[slot] == 0 ? guild_state::absent : states_[slot];
}

void guild_table::set(snowflake id, guild_state state) {
    if (is_full(size_ + 1, keys_.size())) rehash(keys_.empty() ? smallest : keys_.size() * 2);
    const std::size_t slot = slot_of(id.value);
    if (keys_[slot] == 0) {
        keys_[slot] = id.value;
        ++size_;
    }
    states_[slot] = state;
}

guild_state guild_table::erase(snowflake id) noexcept {
    if (keys_.empty() || id.value == 0) return guild_state::absent;
    std::size_t hole = slot_of(id.value);
    if (keys_[hole] == 0) return guild_state::absent;
    const guild_state was = states_[hole];
    --size_;
    const std::size_t mask = keys_.size() - 1;
    for (std::size_t next = (hole + 1) & mask; keys_[next] != 0; next = (next + 1) & mask) {
        // An entry may move to the hole unless that would put it before its home.
        const std::size_t from_home = (next - home(keys_[next])) & mask;
        if (from_home < ((next - hole) & mask)) continue;
        keys_[hole] = keys_[next];
        states_[hole] = states_[next];
        hole = next;
    }
    keys_[hole] = 0;
    return was;
}

void guild_table::clear() noexcept {
    keys_ = {};
    states_ = {};
    size_ = 0;
}

void guild_table::reserve(std::size_t guilds) {
    std::size_t slots = std::bit_ceil(guilds < smallest ? smallest : guilds);
    if (is_full(guilds, slots)) slots *= 2;
    if (slots > keys_.size()) rehash(slots);
}

std::vector<snowflake> guild_table::ids() const {
    std::vector<snowflake> all;
    all.reserve(size_);
    for (const std::uint64_t key : keys_)
        if (key != 0) all.emplace_back(key);
    return all;
}

std::vector<std::pair<snowflake, guild_state>> guild_table::all() const {
    std::vector<std::pair<snowflake, guild_state>> rows;
    rows.reserve(size_);
    for (std::size_t i = 0; i < keys_.size(); ++i)
        if (keys_[i] != 0) rows.emplace_back(snowflake(keys_[i]), states_[i]);
    return rows;
}

void guild_table::rehash(std::size_t slots) {
    const std::vector<std::uint64_t> keys = std::exchange(keys_, std::vector<std::uint64_t>(slots));
    const std::vector<guild_state> states =
        std::exchange(states_, std::vector<guild_state>(slots, guild_state::absent));
    for (std::size_t i = 0; i < keys.size(); ++i) {
        if (keys[i] == 0) continue;
        const std::size_t slot = slot_of(keys[i]);
        keys_[slot] = keys[i];
        states_[slot] = states[i];
    }
}

}  // namespace shardgate
