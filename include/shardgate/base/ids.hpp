// SPDX-License-Identifier: Apache-2.0
// Numbers that must not be mixed up, each a type of its own.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace shardgate {

// A number with a name. Converts to and from its representation only on request.
template <class Tag, class Rep>
struct strong_id {
    Rep value{};

    constexpr strong_id() noexcept = default;
    constexpr explicit strong_id(Rep v) noexcept : value(v) {}
    friend constexpr auto operator<=>(strong_id, strong_id) noexcept = default;
};

using shard_id = strong_id<struct shard_id_tag, std::uint32_t>;        // 0-based
using shard_count = strong_id<struct shard_count_tag, std::uint32_t>;  // Discord's num_shards
using generation =
    strong_id<struct generation_tag, std::uint32_t>;               // one shard set's number, from 1
using seq_no = strong_id<struct seq_no_tag, std::uint64_t>;        // `s`; 0 = none yet
using snowflake = strong_id<struct snowflake_tag, std::uint64_t>;  // 0 = absent

// Which shard a guild's events come on (Discord docs, Gateway, Sharding). Only for finding a shard
// to send to: an incoming event belongs to the shard that delivered it, never to this formula.
// Pre: count.value > 0.
[[nodiscard]] constexpr shard_id shard_of(snowflake guild, shard_count count) noexcept {
    return shard_id{static_cast<std::uint32_t>((guild.value >> 22) % count.value)};
}

// Unix milliseconds at which a snowflake was made (Discord docs, Reference, Snowflakes).
[[nodiscard]] constexpr std::int64_t created_unix_ms(snowflake id) noexcept {
    return static_cast<std::int64_t>(id.value >> 22) + 1420070400000;
}

}  // namespace shardgate

template <class Tag, class Rep>
struct std::hash<shardgate::strong_id<Tag, Rep>> {
    std::size_t operator()(shardgate::strong_id<Tag, Rep> id) const noexcept {
        // Snowflakes share their low bits' pattern; spread them (splitmix64's finaliser).
        std::uint64_t x = id.value;
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
        x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
        return static_cast<std::size_t>(x ^ (x >> 31));
    }
};
