// SPDX-License-Identifier: Apache-2.0
#include "sim/event_kind.hpp"

#include <numeric>

namespace shardgate::sim {

namespace {

using enum event_kind;

constexpr int always = -1;

constexpr std::array<event_type, event_kinds> types{{
    {message_create, "MESSAGE_CREATE", 9, 12},
    {message_reply, "MESSAGE_CREATE", 9, 12},
    {message_bot, "MESSAGE_CREATE", 9, 12},
    {message_edit, "MESSAGE_UPDATE", 9, 12},
    {message_unfurl, "MESSAGE_UPDATE", 9, 12},
    {message_delete, "MESSAGE_DELETE", 9, 12},
    {presence, "PRESENCE_UPDATE", 8, 8},
    {typing, "TYPING_START", 11, 14},
    {reaction_add, "MESSAGE_REACTION_ADD", 10, 13},
    {reaction_remove, "MESSAGE_REACTION_REMOVE", 10, 13},
    {voice_state, "VOICE_STATE_UPDATE", 7, 7},
    {member_add, "GUILD_MEMBER_ADD", 1, 1},
    {member_update, "GUILD_MEMBER_UPDATE", 1, 1},
    {member_remove, "GUILD_MEMBER_REMOVE", 1, 1},
    {ban_add, "GUILD_BAN_ADD", 2, 2},
    {channel_update, "CHANNEL_UPDATE", 0, 0},
    {role_update, "GUILD_ROLE_UPDATE", 0, 0},
    {thread_create, "THREAD_CREATE", 0, 0},
    {interaction_command, "INTERACTION_CREATE", always, always},
    {interaction_component, "INTERACTION_CREATE", always, always},
    {interaction_autocomplete, "INTERACTION_CREATE", always, always},
    {interaction_modal, "INTERACTION_CREATE", always, always},
    {invite_create, "INVITE_CREATE", 6, 6},
    {audit_log, "GUILD_AUDIT_LOG_ENTRY_CREATE", 2, 2},
    {webhooks_update, "WEBHOOKS_UPDATE", 5, 5},
    {unknown_event, "SIMULATED_NOVELTY", always, always},
    {join_request, "GUILD_JOIN_REQUEST_UPDATE", always, always},
    {message_file, "MESSAGE_CREATE", 9, 12},
    {message_poll, "MESSAGE_CREATE", 9, 12},
    {auto_moderation, "AUTO_MODERATION_ACTION_EXECUTION", 21, 21},
    {entitlement, "ENTITLEMENT_CREATE", always, always},
    {subscription, "SUBSCRIPTION_CREATE", always, always},
    {user_update, "USER_UPDATE", always, always},
    {command_permissions, "APPLICATION_COMMAND_PERMISSIONS_UPDATE", always, always},
    {own_member_update, "GUILD_MEMBER_UPDATE", always, always},
}};

constexpr event_mix make_mix(bool presences, bool talk) {
    event_mix m{};
    const auto at = [&m](event_kind k) -> double& { return m[static_cast<std::size_t>(k)]; };
    at(channel_update) = 0.03;
    at(role_update) = 0.01;
    at(thread_create) = 0.01;
    at(interaction_command) = 0.03;
    at(interaction_component) = 0.012;
    at(interaction_autocomplete) = 0.01;
    at(interaction_modal) = 0.003;
    at(webhooks_update) = 0.005;
    at(invite_create) = 0.015;
    if (presences) {
        at(presence) = 50;
        at(typing) = 2;
    }
    if (talk) {
        at(message_create) = 1.2;
        at(message_reply) = 0.3;
        at(message_bot) = 0.5;
        // Edits and unfurls follow their messages (encoding_options): about 0.4 in all.
        at(message_delete) = 0.15;
        at(reaction_add) = 0.4;
        at(reaction_remove) = 0.1;
        at(voice_state) = 0.4;
        at(member_add) = 0.15;
        at(member_update) = 0.25;
        at(member_remove) = 0.1;
        at(ban_add) = 0.005;
        at(audit_log) = 0.03;
    }
    return m;
}

constexpr event_mix only(std::initializer_list<event_kind> kinds) {
    event_mix m{};
    for (const event_kind k : kinds)
        m[static_cast<std::size_t>(k)] = 1;
    return m;
}

}  // namespace

const event_type& type_of(event_kind kind) noexcept {
    return types[static_cast<std::size_t>(kind)];
}

bool on_shard_zero(event_kind kind) noexcept {
    return kind == entitlement || kind == subscription || kind == user_update;
}

std::optional<event_mix> find_mix(std::string_view name) noexcept {
    if (name == "A") return make_mix(true, true);
    if (name == "B" || name == "realistic") return make_mix(false, true);
    if (name == "C") return make_mix(false, false);
    if (name == "messages") return only({message_create});
    if (name == "interactions")
        return only({interaction_command, interaction_component, interaction_autocomplete,
                     interaction_modal});
    return std::nullopt;
}

double rate_of(const event_mix& mix) noexcept {
    return std::accumulate(mix.begin(), mix.end(), 0.0);
}

}  // namespace shardgate::sim
