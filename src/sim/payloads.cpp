// SPDX-License-Identifier: Apache-2.0
// Messages, and the small parts all events are made of.
#include "sim/payloads.hpp"

#include <array>

namespace shardgate::sim {

namespace {

constexpr std::uint32_t members_seen = 256;  // how many members of a guild talk

constexpr std::array<std::string_view, 48> words{"the",
                                                 "bot",
                                                 "is",
                                                 "down",
                                                 "again",
                                                 "anyone",
                                                 "here",
                                                 "play",
                                                 "later",
                                                 "tonight",
                                                 "game",
                                                 "server",
                                                 "update",
                                                 "nice",
                                                 "thanks",
                                                 "lol",
                                                 "why",
                                                 "does",
                                                 "this",
                                                 "work",
                                                 "on",
                                                 "my",
                                                 "machine",
                                                 "check",
                                                 "pinned",
                                                 "rules",
                                                 "first",
                                                 "please",
                                                 "voice",
                                                 "chat",
                                                 "join",
                                                 "us",
                                                 "who",
                                                 "wants",
                                                 "to",
                                                 "raid",
                                                 "new",
                                                 "patch",
                                                 "notes",
                                                 "look",
                                                 "great",
                                                 "idea",
                                                 "so",
                                                 "far",
                                                 "caf\u00e9",
                                                 "\U0001F600",
                                                 "\\ud83d\\ude00",
                                                 "tab\\there"};

constexpr std::array<std::string_view, 6> traps{R"(\"guild_id\":\"1\",)",
                                                R"({\"op\":9,\"d\":false})",
                                                R"(\ud83d)",
                                                R"(\u0000)",
                                                R"(\"t\":\"READY\",\"s\":1)",
                                                R"(]}\\\"}{[)"};

}  // namespace

std::uint32_t author_of(std::uint64_t seed) noexcept {
    return rng(seed ^ 0xa0).below(members_seen);
}

std::uint64_t user_id(std::uint64_t guild_seed, std::uint32_t member) noexcept {
    // 18 digits.
    return 100000000000000000ULL + mix(guild_seed, member) % 900000000000000000ULL;
}

std::uint64_t bot_id() noexcept {
    return user_id(1, 0);
}

std::uint64_t application_id() noexcept {
    return user_id(1, 1);
}

void write_bot(json_text& w) {
    w(R"({"username":"simulated","id":)").id(bot_id());
    w(R"(,"global_name":null,"discriminator":"0001","bot":true,"avatar":null})");
}

void payloads::finish(std::string& d, std::uint64_t n) {
    if (n != 0) {
        json_text w(d);
        if (d.back() != '{') w(",");
        w(R"("_n":)").number(n);
    }
    d.push_back('}');
}

void payloads::user(json_text& w, std::uint64_t guild_seed, std::uint32_t index) const {
    rng random(mix(guild_seed, index));
    const std::uint64_t style = random.next();
    w(R"({"username":"user)").number(style % 100000);
    if (decoys_ && style % 3 == 0)
        w(R"(","public_flags":0,"primary_guild":{"tag":"SIM","identity_guild_id":)")
            .id(guild_seed >> 8)(R"(,"identity_enabled":true,"badge":")")
            .hash(random)(R"("},"id":)");
    else
        w(R"(","public_flags":0,"primary_guild":null,"id":)");
    w.id(user_id(guild_seed, index))(R"(,"global_name":"Somebody )").number(style % 977);
    w(R"(","display_name_styles":null,"discriminator":"0","collectibles":null,"clan":null,)"
      R"("avatar_decoration_data":null,"avatar":")")
        .hash(random)(R"("})");
}

void payloads::member(json_text& w, const guild& g, std::uint32_t index, bool with_user) const {
    rng random(mix(g.seed ^ 0x3e, index));
    w("{");
    if (with_user) {
        w(R"("user":)");
        user(w, g.seed, index);
        w(",");
    }
    w(R"("roles":[)");
    const std::uint32_t held = random.below(4);
    for (std::uint32_t i = 0; i < held; ++i) {
        if (i != 0) w(",");
        w.id(world::role(g, 1 + random.below(g.roles)));
    }
    w(R"(],"premium_since":null,"pending":false,"nick":null,"mute":false,"joined_at":"2023-0)")
        .number(1 + index % 9)("-1")
        .number(index % 10)(R"(T12:34:56.789000+00:00","flags":0,"deaf":false,)"
                            R"("communication_disabled_until":null,"banner":null,"avatar":null})");
}

void payloads::content(json_text& w, rng& random, bool link) const {
    const std::uint32_t count = 2 + random.below(10);
    for (std::uint32_t i = 0; i < count; ++i) {
        if (i != 0) w(" ");
        w(words[random.below(words.size())]);
    }
    if (decoys_) w(" ")(traps[random.below(traps.size())]);
    if (link) w(" https://example.com/watch?v=").number(random.next() % 100000000);
}

void payloads::embeds(json_text& w, const message& m) const {
    rng random(m.seed ^ 0xeb);
    if (m.shape == event_kind::message_bot) {
        w(R"([{"type":"rich","title":"Status of shard )").number(random.below(100));
        w(R"(","timestamp":"2024-05-01T00:00:00+00:00","fields":[)");
        for (int i = 0; i < 4; ++i) {
            if (i != 0) w(",");
            w(R"({"value":")").number(random.next() % 1000000);
            w(R"( events","name":"Counter )").number(static_cast<std::uint64_t>(i));
            w(R"(","inline":true})");
        }
        w(R"(],"description":")");
        for (int i = 0; i < 12; ++i)
            w(words[random.below(32)])(" ");
        w(R"(","color":5793266,"content_scan_version":0,"footer":{"text":"updated","icon_url":)"
          R"("https://cdn.example.com/icons/)")
            .hash(random)(R"(.png"}})");
        if (m.unfurled) w(",");
    } else {
        w("[");
    }
    if (m.unfurled) {
        w(R"({"type":"video","url":"https://example.com/watch?v=)").number(random.next() % 1000000);
        w(R"(","title":"A page about something","description":"What the page says of itself.",)"
          R"("provider":{"name":"Example","url":"https://example.com"},"thumbnail":{"width":480,)"
          R"("url":"https://cdn.example.com/)")
            .hash(random)(R"(.jpg","proxy_url":"https://images.example.com/)")
            .hash(random)(R"(.jpg","height":360,"flags":0},"color":16711680,)"
                          R"("content_scan_version":0})");
    }
    w("]");
}

void payloads::components(json_text& w, rng& random) const {
    w(R"([{"type":1,"id":1,"components":[)");
    for (int i = 0; i < 4; ++i) {
        if (i != 0) w(",");
        w(R"({"type":2,"style":)").number(1 + random.below(4));
        w(R"(,"label":"Button )").number(static_cast<std::uint64_t>(i));
        w(R"(","id":)").number(static_cast<std::uint64_t>(i) + 2);
        w(R"(,"custom_id":"press:)").number(random.next() % 10000000);
        w(R"("})");
    }
    w("]}]");
}

void payloads::attachments(json_text& w, const message& m) const {
    w("[");
    if (m.shape == event_kind::message_file) {
        rng random(m.seed ^ 0xf1);
        w(R"({"width":480,"url":"https://cdn.example.com/)").hash(random);
        w(R"(.png?ex=1&hm=2","size":)").number(1000 + random.below(1U << 20));
        w(R"(,"proxy_url":"https://media.example.com/)")
            .hash(random)(R"(.png","id":)")
            .id(m.id + 1);
        w(R"(,"height":360,"filename":"picture.png","content_type":"image/png"})");
    }
    w("]");
}

void payloads::poll(json_text& w, const message& m) const {
    if (m.shape != event_kind::message_poll) return;
    w(R"(,"poll":{"question":{"text":"Which one shall it be?"},"layout_type":1,"expiry":")");
    w.stamp(m.created_ms + 86400000)(R"(","answers":[{"poll_media":{"text":"this"},"answer_id":1},)"
                                     R"({"poll_media":{"text":"that"},"answer_id":2}],)"
                                     R"("allow_multiselect":false})");
}

void payloads::said(json_text& w, const message& m) const {
    rng text(m.edits == 0 ? m.seed ^ 0xc0 : mix(m.seed ^ 0xc0, m.edits));
    const bool bot = m.shape == event_kind::message_bot;
    if (m.mentions_bot) w("<@").number(bot_id())("> ");
    if (!bot) content(w, text, (m.seed & 3U) == 0);
    if (bot && m.edits != 0) w("edited ").number(m.edits);
}

void payloads::reference(json_text& w, const message& m, bool content) const {
    message original = m;
    original.id = m.id - (3ULL << 32);
    original.seed = mix(m.seed, 0x4ef);
    original.shape = event_kind::message_create;
    original.edits = 0;
    original.unfurled = false;
    original.own = m.mentions_bot;
    original.mentions_bot = false;
    std::string inner;
    write(inner, original, content);
    w(R"(,"message_reference":{"type":0,"message_id":)").id(original.id);
    w(R"(,"channel_id":)").id(m.where.channel);
    if (m.where.in) w(R"(,"guild_id":)").id(m.where.in->id);
    w(R"(},"referenced_message":)")(inner)("}");
}

void payloads::location(json_text& w, const place& where, bool with_member,
                        std::uint32_t author) const {
    w(R"("channel_id":)").id(where.channel);
    if (!where.in) return;
    if (with_member) {
        w(R"(,"member":)");
        member(w, *where.in, author, false);
    }
    w(R"(,"guild_id":)").id(where.in->id);
}

void payloads::write(std::string& d, const message& m, bool content) const {
    json_text w(d);
    rng random(m.seed);
    const bool shown = content || readable(m);
    const std::uint64_t circle = m.where.in ? m.where.in->seed : m.where.channel;
    const std::uint32_t author = author_of(m.seed);
    if (decoys_ && m.where.in)
        w(R"({"sim_note":{"guild_id":"1","nested":[{"guild_id":"2","op":9}]},"type":)");
    else
        w(R"({"type":)");
    w(m.shape == event_kind::message_reply ? "19" : "0")(R"(,"tts":false,"timestamp":")");
    w.stamp(m.created_ms)(R"(","pinned":false,"nonce":")").number(m.id >> 3);
    w(R"(","mentions":[)");
    if (m.mentions_bot) write_bot(w);
    w(R"(],"mention_roles":[],"mention_everyone":false,"id":)").id(m.id);
    w(R"(,"flags":)")(m.ephemeral ? "64" : "0")(R"(,"embeds":)");
    if (shown)
        embeds(w, m);
    else
        w("[]");
    w(R"(,"edited_timestamp":)");
    if (m.edits == 0)
        w("null");
    else
        w("\"").stamp(m.edited_ms)("\"");
    w(R"(,"content":")");
    if (shown) said(w, m);
    w(R"(","components":)");
    if (shown && m.shape == event_kind::message_bot)
        components(w, random);
    else
        w("[]");
    w(R"(,"channel_type":)")(m.where.in ? "0" : "1")(R"(,"author":)");
    if (m.own)
        write_bot(w);
    else
        user(w, circle, author);
    w(R"(,"attachments":)");
    if (shown)
        attachments(w, m);
    else
        w("[]");
    if (shown) poll(w, m);
    if (m.shape == event_kind::message_reply) reference(w, m, content);
    w(",");
    location(w, m.where, !m.ephemeral, author);
}

void payloads::write_partial(std::string& d, const message& m, bool content) const {
    json_text w(d);
    w(R"({"id":)").id(m.id)(R"(,"embeds":)");
    if (content || readable(m))
        embeds(w, m);
    else
        w("[]");
    w(",");
    location(w, m.where, false, 0);
}

void payloads::write_padding(std::string& d, const place& where, std::size_t size) const {
    json_text w(d);
    w("{");
    location(w, where, false, 0);
    w(R"(,"padding":")");
    // Not one byte repeated: compression must have work to do.
    rng random(size);
    const std::size_t end = d.size() + size;
    while (d.size() < end) {
        w.hash(random);
        if (d.size() % 7 == 0) w(" the same words again and again ");
    }
    d.resize(end);
    w("\"");
}

}  // namespace shardgate::sim
