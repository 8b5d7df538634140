// SPDX-License-Identifier: Apache-2.0
// The events the world can make: name, the intent that lets them through, and which mix has how
// many of them (Discord fact sheet 9, 10 and 13.3). Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace shardgate::sim {

enum class event_kind : std::uint8_t {
    message_create,
    message_reply,  // MESSAGE_CREATE with the message it answers inside
    message_bot,    // MESSAGE_CREATE with an embed and buttons
    message_edit,
    message_unfurl,
    message_delete,
    presence,
    typing,
    reaction_add,
    reaction_remove,
    voice_state,
    member_add,
    member_update,
    member_remove,
    ban_add,
    channel_update,
    role_update,
    thread_create,
    interaction_command,
    interaction_component,
    interaction_autocomplete,
    interaction_modal,
    invite_create,
    audit_log,
    webhooks_update,
    unknown_event,  // a name no documentation knows
    join_request,   // undocumented, seen by bots
    message_file,   // MESSAGE_CREATE with an attachment
    message_poll,   // MESSAGE_CREATE with a poll
    auto_moderation,
    entitlement,  // on shard 0 although it names a guild
    subscription,
    user_update,
    command_permissions,
    own_member_update,  // GUILD_MEMBER_UPDATE about the bot: without GUILD_MEMBERS as well
    count_,
};
inline constexpr std::size_t event_kinds = static_cast<std::size_t>(event_kind::count_);

struct event_type {
    event_kind kind;
    std::string_view name;  // t
    int guild_intent;       // bit; -1 = sent regardless of intents
    int dm_intent;          // bit when it happens in a direct message
};
[[nodiscard]] const event_type& type_of(event_kind kind) noexcept;
// The account's own affairs, which shard 0 of every set is told (fact sheet S24).
[[nodiscard]] bool on_shard_zero(event_kind kind) noexcept;

// Rates per second and 1,000 guilds.
using event_mix = std::array<double, event_kinds>;
// "A" (all intents), "B" or "realistic" (no presence, no typing), "C" (GUILDS only), "messages",
// "interactions".
[[nodiscard]] std::optional<event_mix> find_mix(std::string_view name) noexcept;
[[nodiscard]] double rate_of(const event_mix& mix) noexcept;

}  // namespace shardgate::sim
