// SPDX-License-Identifier: Apache-2.0
// The close code table (Discord docs, Opcodes and Status Codes, Gateway Close Event Codes).
#include "shardgate/protocol/close_code.hpp"

#include <array>

namespace shardgate {
namespace {

constexpr std::array rules = {
    close_rule{0, close_action::resume, "connection lost", ""},
    close_rule{1000, close_action::resume, "normal closure", ""},
    close_rule{1001, close_action::resume, "going away", ""},
    close_rule{1005, close_action::resume, "no close code", ""},
    close_rule{1006, close_action::resume, "connection lost", ""},
    close_rule{1011, close_action::resume, "server error", ""},
    close_rule{1012, close_action::resume, "service restart", ""},
    close_rule{4000, close_action::resume, "unknown error", ""},
    close_rule{4001, close_action::resume, "unknown opcode", ""},
    close_rule{4002, close_action::resume, "decode error", ""},
    // A session that Discord invalidated answers the RESUME with op 9; one that it did not would be
    // wasted by an IDENTIFY.
    close_rule{4003, close_action::resume, "not authenticated", ""},
    close_rule{4004, close_action::stop_bot, "authentication failed",
               "Discord refuses the bot token: set the current one (Developer Portal, Bot, Reset "
               "Token) and start again."},
    close_rule{4005, close_action::resume, "already authenticated", ""},
    close_rule{4007, close_action::identify, "invalid seq", ""},
    close_rule{4008, close_action::resume, "rate limited", ""},
    close_rule{4009, close_action::identify, "session timed out", ""},
    close_rule{
        4010, close_action::park_shard, "invalid shard",
        "Discord refuses this shard number and count: set sharding.total to \"auto\", or for "
        "a large bot to a multiple of the count that Discord assigned."},
    close_rule{4011, close_action::park_shard, "sharding required",
               "The shard would have more than 2,500 guilds: raise sharding.total or set it to "
               "\"auto\"."},
    close_rule{4012, close_action::stop_bot, "invalid API version",
               "Discord no longer takes the gateway version of this build: install a newer one."},
    close_rule{4013, close_action::stop_bot, "invalid intents",
               "discord.intents has bits that Discord does not know: name the intents instead of "
               "giving a number."},
    close_rule{4014, close_action::stop_bot, "disallowed intents",
               "discord.intents asks for a privileged intent that is not enabled for this bot: "
               "enable it in the Developer Portal (Bot, Privileged Gateway Intents) or remove it."},
};

constexpr close_rule unlisted{0, close_action::resume, "unlisted close code", ""};

}  // namespace

const close_rule& rule_for(close_code code) noexcept {
    for (const close_rule& rule : rules)
        if (rule.code == code) return rule;
    return unlisted;
}

}  // namespace shardgate
