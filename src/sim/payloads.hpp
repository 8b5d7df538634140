// SPDX-License-Identifier: Apache-2.0
// The texts of events: d objects with the members, key habits and sizes real ones have (Discord
// fact sheet 12 and 13.1). Every text follows from seeds, so that a message, its edit and its
// unfurl agree, and a replay says what was said before. Pure.
//
// Every writer leaves d open ("{…" without its brace); finish() adds "_n" and closes it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sim/event_kind.hpp"
#include "sim/json_text.hpp"
#include "sim/world.hpp"

namespace shardgate::sim {

// Where an event happens.
struct place {
    const guild* in = nullptr;  // null = a direct message (or shard 0 without a channel)
    std::uint64_t channel = 0;
};

struct message {
    std::uint64_t id = 0;
    place where;
    std::uint64_t seed = 0;
    event_kind shape = event_kind::message_create;
    std::uint32_t edits = 0;  // how often its content was changed
    std::int64_t created_ms = 0, edited_ms = 0;
    bool unfurled = false;  // its link has its embed
    bool ephemeral = false;
    bool own = false;           // the bot wrote it
    bool mentions_bot = false;  // a reply: to a message of the bot
};
// What keeps its content without the MESSAGE_CONTENT intent: the bot's own messages, direct ones,
// and those that mention it (Discord docs, Gateway, Message Content Intent; fact sheet 9).
[[nodiscard]] constexpr bool readable(const message& m) noexcept {
    return m.where.in == nullptr || m.own || m.mentions_bot;
}

struct interaction {
    std::uint64_t id = 0;
    place where;
    std::uint64_t seed = 0;
    std::uint32_t type = 2;
    bool from_component = false;  // a modal that was opened by a component: carries `message`
    bool on_message = false;      // a command of a message's menu: carries that one whole
    std::string_view token;
};

// Why a GUILD_CREATE is sent.
enum class guild_create_reason : std::uint8_t { loading, back, joined };

class payloads {
public:
    explicit payloads(bool decoys) : decoys_(decoys) {}

    void decoys(bool on) noexcept { decoys_ = on; }
    // The time that goes into time stamps. Any order.
    void now(std::int64_t unix_ms) noexcept { now_ms_ = unix_ms; }

    // `content`: as a session with the MESSAGE_CONTENT intent is told.
    void write(std::string& d, const message& m, bool content = true) const;
    // Only what an unfurl used to carry before 2024-08: id, channel_id, guild_id, embeds.
    void write_partial(std::string& d, const message& m, bool content = true) const;
    void write(std::string& d, const interaction& i) const;
    // Any other kind; `id` is the event's own or its message's id.
    void write(std::string& d, event_kind kind, const place& where, std::uint64_t id,
               std::uint64_t seed, bool content = true) const;
    void write_guild(std::string& d, const guild& g, guild_create_reason why) const;
    // `size` bytes of one string: a payload near the limits.
    void write_padding(std::string& d, const place& where, std::size_t size) const;

    // Adds the event's number (0 = none) as last member and closes d.
    static void finish(std::string& d, std::uint64_t n);

private:
    void user(json_text& w, std::uint64_t guild_seed, std::uint32_t member) const;
    void member(json_text& w, const guild& g, std::uint32_t index, bool with_user) const;
    void content(json_text& w, rng& random, bool link) const;
    void said(json_text& w, const message& m) const;
    void embeds(json_text& w, const message& m) const;
    void attachments(json_text& w, const message& m) const;
    void poll(json_text& w, const message& m) const;
    void reference(json_text& w, const message& m, bool content) const;
    void write_affair(json_text& w, event_kind kind, const place& where, std::uint64_t id,
                      rng& random) const;
    void components(json_text& w, rng& random) const;
    void location(json_text& w, const place& where, bool with_member, std::uint32_t author) const;
    void interaction_data(json_text& w, const interaction& i, rng& random) const;
    void presence_update(json_text& w, const place& where, rng& random) const;
    void channel(json_text& w, const guild& g, std::uint32_t index) const;
    void role(json_text& w, const guild& g, std::uint32_t index) const;

    bool decoys_;
    std::int64_t now_ms_ = 0;
};

// The author (index of a guild's member) of a message or interaction.
[[nodiscard]] std::uint32_t author_of(std::uint64_t seed) noexcept;
[[nodiscard]] std::uint64_t user_id(std::uint64_t guild_seed, std::uint32_t member) noexcept;
// The bot itself, and its application.
[[nodiscard]] std::uint64_t bot_id() noexcept;
[[nodiscard]] std::uint64_t application_id() noexcept;
void write_bot(json_text& w);

}  // namespace shardgate::sim
