// SPDX-License-Identifier: Apache-2.0
// The table of dispatch names and its compile-time hash index (Discord docs, Gateway Events,
// Receive Events; the undocumented ones are those that bots report to have received).
#include "shardgate/protocol/event_name.hpp"

#include <array>

namespace shardgate {
namespace {

using namespace std::string_view_literals;

constexpr std::array names = {
    ""sv,
    // The order of event_id.
    "READY"sv,
    "RESUMED"sv,
    "RATE_LIMITED"sv,
    "GUILD_CREATE"sv,
    "GUILD_UPDATE"sv,
    "GUILD_DELETE"sv,
    "MESSAGE_CREATE"sv,
    "MESSAGE_UPDATE"sv,
    "MESSAGE_DELETE"sv,
    "MESSAGE_DELETE_BULK"sv,
    "INTERACTION_CREATE"sv,
    "TYPING_START"sv,
    "PRESENCE_UPDATE"sv,
    "GUILD_MEMBER_ADD"sv,
    "GUILD_MEMBER_UPDATE"sv,
    "GUILD_MEMBER_REMOVE"sv,
    "GUILD_MEMBERS_CHUNK"sv,
    "SOUNDBOARD_SOUNDS"sv,
    "CHANNEL_INFO"sv,
    "VOICE_STATE_UPDATE"sv,
    "VOICE_SERVER_UPDATE"sv,
    "CHANNEL_CREATE"sv,
    "CHANNEL_UPDATE"sv,
    "CHANNEL_DELETE"sv,
    // The other documented ones.
    "APPLICATION_COMMAND_PERMISSIONS_UPDATE"sv,
    "AUTO_MODERATION_RULE_CREATE"sv,
    "AUTO_MODERATION_RULE_UPDATE"sv,
    "AUTO_MODERATION_RULE_DELETE"sv,
    "AUTO_MODERATION_ACTION_EXECUTION"sv,
    "CHANNEL_PINS_UPDATE"sv,
    "VOICE_CHANNEL_STATUS_UPDATE"sv,
    "VOICE_CHANNEL_START_TIME_UPDATE"sv,
    "THREAD_CREATE"sv,
    "THREAD_UPDATE"sv,
    "THREAD_DELETE"sv,
    "THREAD_LIST_SYNC"sv,
    "THREAD_MEMBER_UPDATE"sv,
    "THREAD_MEMBERS_UPDATE"sv,
    "ENTITLEMENT_CREATE"sv,
    "ENTITLEMENT_UPDATE"sv,
    "ENTITLEMENT_DELETE"sv,
    "GUILD_AUDIT_LOG_ENTRY_CREATE"sv,
    "GUILD_BAN_ADD"sv,
    "GUILD_BAN_REMOVE"sv,
    "GUILD_EMOJIS_UPDATE"sv,
    "GUILD_STICKERS_UPDATE"sv,
    "GUILD_INTEGRATIONS_UPDATE"sv,
    "GUILD_ROLE_CREATE"sv,
    "GUILD_ROLE_UPDATE"sv,
    "GUILD_ROLE_DELETE"sv,
    "GUILD_SCHEDULED_EVENT_CREATE"sv,
    "GUILD_SCHEDULED_EVENT_UPDATE"sv,
    "GUILD_SCHEDULED_EVENT_DELETE"sv,
    "GUILD_SCHEDULED_EVENT_USER_ADD"sv,
    "GUILD_SCHEDULED_EVENT_USER_REMOVE"sv,
    "GUILD_SOUNDBOARD_SOUND_CREATE"sv,
    "GUILD_SOUNDBOARD_SOUND_UPDATE"sv,
    "GUILD_SOUNDBOARD_SOUND_DELETE"sv,
    "GUILD_SOUNDBOARD_SOUNDS_UPDATE"sv,
    "INTEGRATION_CREATE"sv,
    "INTEGRATION_UPDATE"sv,
    "INTEGRATION_DELETE"sv,
    "INVITE_CREATE"sv,
    "INVITE_DELETE"sv,
    "MESSAGE_REACTION_ADD"sv,
    "MESSAGE_REACTION_REMOVE"sv,
    "MESSAGE_REACTION_REMOVE_ALL"sv,
    "MESSAGE_REACTION_REMOVE_EMOJI"sv,
    "MESSAGE_POLL_VOTE_ADD"sv,
    "MESSAGE_POLL_VOTE_REMOVE"sv,
    "STAGE_INSTANCE_CREATE"sv,
    "STAGE_INSTANCE_UPDATE"sv,
    "STAGE_INSTANCE_DELETE"sv,
    "SUBSCRIPTION_CREATE"sv,
    "SUBSCRIPTION_UPDATE"sv,
    "SUBSCRIPTION_DELETE"sv,
    "USER_UPDATE"sv,
    "VOICE_CHANNEL_EFFECT_SEND"sv,
    "WEBHOOKS_UPDATE"sv,
    // Undocumented.
    "GUILD_JOIN_REQUEST_CREATE"sv,
    "GUILD_JOIN_REQUEST_UPDATE"sv,
    "GUILD_JOIN_REQUEST_DELETE"sv,
    "GUILD_SCHEDULED_EVENT_EXCEPTION_CREATE"sv,
    "GUILD_SCHEDULED_EVENT_EXCEPTION_UPDATE"sv,
    "GUILD_SCHEDULED_EVENT_EXCEPTION_DELETE"sv,
    "GUILD_SCHEDULED_EVENT_EXCEPTIONS_DELETE"sv,
    "GUILD_APPLICATION_COMMAND_INDEX_UPDATE"sv,
    "MESSAGE_REACTION_ADD_MANY"sv,
    "GIFT_CODE_UPDATE"sv,
    "EMBEDDED_ACTIVITY_UPDATE"sv,
    "EMBEDDED_ACTIVITY_UPDATE_V2"sv,
    // Ours: a handler may list them, metrics count them.
    "GUILD_LOADED_DD"sv,
    "SHARDGATE_GAP"sv,
    "SHARDGATE_RESHARDED"sv,
    "SHARDGATE_GUILDS_LOADED"sv,
    "SHARDGATE_INTERACTION"sv,
};

constexpr std::string_view at(event_id id) {
    return names[static_cast<std::size_t>(id)];
}
static_assert(at(event_id::ready) == "READY" && at(event_id::guild_create) == "GUILD_CREATE" &&
              at(event_id::guild_delete) == "GUILD_DELETE" &&
              at(event_id::message_create) == "MESSAGE_CREATE" &&
              at(event_id::message_delete_bulk) == "MESSAGE_DELETE_BULK" &&
              at(event_id::interaction_create) == "INTERACTION_CREATE" &&
              at(event_id::typing_start) == "TYPING_START" &&
              at(event_id::guild_member_add) == "GUILD_MEMBER_ADD" &&
              at(event_id::guild_members_chunk) == "GUILD_MEMBERS_CHUNK" &&
              at(event_id::channel_info) == "CHANNEL_INFO" &&
              at(event_id::voice_server_update) == "VOICE_SERVER_UPDATE" &&
              at(event_id::channel_delete) == "CHANNEL_DELETE" &&
              at(event_id::first_unnamed) == "APPLICATION_COMMAND_PERMISSIONS_UPDATE");

// A hash over the length and five characters is enough to keep these names apart, and costs the
// same for a short and a long one.
constexpr std::size_t slot_count = 512;

constexpr std::size_t slot_of(std::string_view name) {
    const std::size_t n = name.size();
    std::uint32_t h = static_cast<std::uint32_t>(n);
    for (const std::size_t i : {n - 1, n - 2, n / 2, n / 3, n / 4})
        h = h * 31 + static_cast<unsigned char>(name[i]);
    return (h * 0x9e3779b1u) >> 23;
}

constexpr std::size_t shortest_name = 5;  // READY

struct index {
    std::array<std::uint8_t, slot_count> slots{};  // 0 = empty, else an element of `names`
    std::size_t longest_probe = 0;
};

constexpr index build_index() {
    index built;
    for (std::size_t i = 1; i < names.size(); ++i) {
        std::size_t slot = slot_of(names[i]);
        std::size_t probe = 1;
        for (; built.slots[slot] != 0; ++probe)
            slot = (slot + 1) % slot_count;
        built.slots[slot] = static_cast<std::uint8_t>(i);
        if (probe > built.longest_probe) built.longest_probe = probe;
    }
    return built;
}

static_assert(names.size() < 256);
constexpr index lookup = build_index();
static_assert(lookup.longest_probe <= 6, "choose other characters in slot_of()");

}  // namespace

std::span<const std::string_view> known_events() noexcept {
    return names;
}

event_id find_event(std::string_view name) noexcept {
    if (name.size() < shortest_name) return event_id::unknown;
    for (std::size_t slot = slot_of(name); lookup.slots[slot] != 0; slot = (slot + 1) % slot_count)
        if (names[lookup.slots[slot]] == name) return static_cast<event_id>(lookup.slots[slot]);
    return event_id::unknown;
}

std::string_view name_of(event_id id) noexcept {
    const auto i = static_cast<std::size_t>(id);
    return i < names.size() ? names[i] : std::string_view{};
}

shed_class shed_class_of(event_id id) noexcept {
    switch (id) {
    case event_id::typing_start:
    case event_id::presence_update: return shed_class::ephemeral;
    case event_id::message_update: return shed_class::message_updates;
    case event_id::ready:
    case event_id::resumed:
    case event_id::interaction_create:
    case event_id::guild_create:
    case event_id::guild_update:
    case event_id::guild_delete:
    case event_id::guild_member_add:
    case event_id::guild_member_remove: return shed_class::vital;
    default: break;
    }
    const std::string_view name = name_of(id);
    const bool ours = name.starts_with("SHARDGATE_") || name == "GUILD_LOADED_DD";
    return ours ? shed_class::vital : shed_class::other;
}

std::string_view name_of(shed_class c) noexcept {
    switch (c) {
    case shed_class::ephemeral: return "ephemeral";
    case shed_class::message_updates: return "message_updates";
    case shed_class::other: return "other";
    case shed_class::vital: return "vital";
    }
    return {};
}

}  // namespace shardgate
