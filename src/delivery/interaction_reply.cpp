// SPDX-License-Identifier: Apache-2.0
// The bodies of interaction callbacks, built once. Pure; depends on protocol and config.
#include "delivery/interaction_reply.hpp"

#include "shardgate/protocol/json_text.hpp"

namespace shardgate {
namespace {

using kind = interaction_reply::kind;

// Discord's interaction types that have an answer.
constexpr std::uint32_t application_command = 2;
constexpr std::uint32_t message_component = 3;
constexpr std::uint32_t autocomplete = 4;
constexpr std::uint32_t modal_submit = 5;

constexpr std::size_t longest_token = 152'133;  // Discord's OpenAPI description

// DEFERRED_CHANNEL_MESSAGE_WITH_SOURCE. Flag 64 (EPHEMERAL) is the only one it takes.
interaction_reply deferral(bool ephemeral) {
    return {kind::deferral, ephemeral ? R"({"type":5,"data":{"flags":64}})" : R"({"type":5})",
            interaction_answer::deferred, false};
}

// CHANNEL_MESSAGE_WITH_SOURCE. The configuration keeps the text within Discord's 2,000 characters.
interaction_reply message(const config::interactions& settings) {
    std::string content = settings.message;
    if (!settings.support_url.empty()) {
        content += ' ';
        content += settings.support_url;
    }
    std::string body = R"({"type":4,"data":{"content":)";
    append_json_string(body, content);
    if (settings.ephemeral) body += R"(,"flags":64)";
    body += "}}";
    return {kind::message, std::move(body), interaction_answer::acknowledged, true};
}

}  // namespace

interaction_replies::interaction_replies(const config::interactions& settings)
    : command_(deferral(settings.ephemeral)),
      // DEFERRED_UPDATE_MESSAGE: the user sees no loading state.
      component_{kind::deferral, R"({"type":6})", interaction_answer::deferred_update, false},
      // APPLICATION_COMMAND_AUTOCOMPLETE_RESULT, the only type autocomplete takes: no deferral.
      autocomplete_{kind::no_choices, R"({"type":8,"data":{"choices":[]}})",
                    interaction_answer::acknowledged, true},
      modal_submit_(settings.modal_submit == config::modal_submit_mode::message
                        ? message(settings)
                        : deferral(settings.ephemeral)) {}

const interaction_reply* interaction_replies::find(std::uint32_t interaction_type) const noexcept {
    switch (interaction_type) {
    case application_command: return &command_;
    case message_component: return &component_;
    case autocomplete: return &autocomplete_;
    case modal_submit: return &modal_submit_;
    default: return nullptr;
    }
}

bool is_usable_token(std::string_view token) noexcept {
    constexpr std::string_view marks = "-._~!$&'()*+,;=:@";
    if (token.empty() || token.size() > longest_token || token == "." || token == "..")
        return false;
    for (const char c : token) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        const bool digit = c >= '0' && c <= '9';
        if (!letter && !digit && marks.find(c) == std::string_view::npos) return false;
    }
    return true;
}

}  // namespace shardgate
