// SPDX-License-Identifier: Apache-2.0
// Dispatch names as small numbers, so that filters are bitmaps and counters are arrays.
// The table is fixed at compile time (Discord docs, Gateway Events, plus names bots have been seen
// to receive); every other name is event_id::unknown and travels as text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace shardgate {

// 0 is unknown; the rest index known_events(). The ones the daemon itself reads have names.
enum class event_id : std::uint16_t {
    unknown = 0,
    ready,
    resumed,
    rate_limited,
    guild_create,
    guild_update,
    guild_delete,
    message_create,
    message_update,
    message_delete,
    message_delete_bulk,
    interaction_create,
    typing_start,
    presence_update,
    guild_member_add,
    guild_member_update,
    guild_member_remove,
    guild_members_chunk,
    soundboard_sounds,
    channel_info,
    voice_state_update,
    voice_server_update,
    channel_create,
    channel_update,
    channel_delete,
    first_unnamed,
};

// Every name of the table; element 0 is empty.
[[nodiscard]] std::span<const std::string_view> known_events() noexcept;
[[nodiscard]] event_id find_event(std::string_view name) noexcept;
[[nodiscard]] std::string_view name_of(event_id id) noexcept;

// What may be given up first when something must be (design: shedding order).
enum class shed_class : std::uint8_t {
    ephemeral,        // TYPING_START, PRESENCE_UPDATE
    message_updates,  // MESSAGE_UPDATE
    other,
    vital,  // interactions, guild and member lifecycle, READY, the daemon's own events
};
inline constexpr std::size_t shed_class_count = 4;
[[nodiscard]] shed_class shed_class_of(event_id id) noexcept;
[[nodiscard]] std::string_view name_of(shed_class c) noexcept;

}  // namespace shardgate
