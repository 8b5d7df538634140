// SPDX-License-Identifier: Apache-2.0
// The small events: presences, typing, reactions, members, channels (Discord fact sheet 10).
#include "sim/payloads.hpp"

namespace shardgate::sim {

void payloads::presence_update(json_text& w, const place& where, rng& random) const {
    const guild& g = *where.in;
    const bool playing = random.below(10) < 6;
    w(R"({"user":{"id":)").id(user_id(g.seed, random.below(256)));
    w(R"(},"status":")")(playing ? "online" : "idle")(R"(","processed_at_timestamp":)");
    w.number(static_cast<std::uint64_t>(now_ms_))(R"(,"guild_id":)").id(g.id);
    w(R"(,"client_status":{"desktop":")")(playing ? "online" : "idle")(R"("},"activities":[)");
    if (playing) {
        w(R"({"type":0,"timestamps":{"start":)")
            .number(static_cast<std::uint64_t>(now_ms_) - 60000);
        w(R"(},"session_id":")").hash(random)(R"(","name":"A game of some length","id":")");
        w.hash(random)(R"(","details":"In a match","created_at":)");
        w.number(static_cast<std::uint64_t>(now_ms_))(R"(,"state":"Round )")
            .number(random.below(9));
        w(R"(","assets":{"small_text":"Rank","small_image":")").number(random.next() >> 4);
        w(R"(","large_image":")").number(random.next() >> 4);
        w(R"("},"application_id":)").id(user_id(g.seed, 999));
        w(R"(},{"type":4,"state":"busy","name":"Custom Status","id":"custom","created_at":)");
        w.number(static_cast<std::uint64_t>(now_ms_))("}");
    }
    w("]");
}

void payloads::channel(json_text& w, const guild& g, std::uint32_t index) const {
    rng random(mix(g.seed ^ 0xc4, index));
    const bool voice = index % 7 == 6;
    w(R"({"version":)").number(1700000000000 + random.below(1000000000));
    w(R"(,"type":)")(voice ? "2" : "0")(R"(,"topic":)");
    w(index % 3 == 0 ? R"("What this channel is for, in a few words")" : "null");
    w(R"(,"rate_limit_per_user":0,"position":)").number(index);
    w(R"(,"permission_overwrites":[{"type":0,"id":)").id(g.id);
    w(R"(,"deny":"1024","allow":"0"},{"type":0,"id":)").id(world::role(g, 1 + index % g.roles));
    w(R"(,"deny":"0","allow":"1049600"}],"parent_id":)").id(world::channel(g, 0));
    w(R"(,"nsfw":false,"name":"channel-)").number(random.below(100000));
    if (voice)
        w(R"(","user_limit":0,"bitrate":64000,"rtc_region":null,"last_message_id":null)");
    else
        w(R"(","last_message_id":)").id(g.id + (static_cast<std::uint64_t>(random.next()) >> 20));
    w(R"(,"icon_emoji":{"name":"💬","id":null},"flags":0,"id":)").id(world::channel(g, index));
    w("}");
}

void payloads::role(json_text& w, const guild& g, std::uint32_t index) const {
    rng random(mix(g.seed ^ 0x401e, index));
    w(R"({"version":)").number(1700000000000 + random.below(1000000000));
    w(R"(,"unicode_emoji":null,"tags":{},"position":)").number(index);
    w(R"(,"permissions":")").number(random.next() >> 14);
    w(R"(","name":"Role )").number(random.below(1000000));
    w(R"(","mentionable":false,"managed":false,"id":)").id(world::role(g, index));
    w(R"(,"icon":null,"hoist":false,"flags":0,"colors":{"tertiary_color":null,)"
      R"("secondary_color":null,"primary_color":)")
        .number(random.below(1U << 24))(R"(},"color":)")
        .number(random.below(1U << 24))("}");
}

namespace {

void emoji(json_text& w) {
    w(R"("emoji":{"name":"👍","id":null})");
}

}  // namespace

void payloads::write(std::string& d, event_kind kind, const place& where, std::uint64_t id,
                     std::uint64_t seed, bool content) const {
    json_text w(d);
    rng random(seed);
    const std::uint32_t who = author_of(seed);
    const std::uint64_t circle = where.in ? where.in->seed : where.channel;
    using enum event_kind;
    switch (kind) {
    case message_delete:
        w(R"({"id":)").id(id)(",");
        location(w, where, false, who);
        return;
    case presence: presence_update(w, where, random); return;
    case typing:
        w(R"({"user_id":)").id(user_id(circle, who))(R"(,"timestamp":)");
        w.number(static_cast<std::uint64_t>(now_ms_ / 1000));
        if (where.in) {
            w(R"(,"member":)");
            member(w, *where.in, who, true);
        }
        w(",");
        location(w, where, false, who);
        return;
    case reaction_add:
    case reaction_remove:
        w(R"({"user_id":)").id(user_id(circle, who))(R"(,"type":0,"message_id":)").id(id);
        w(R"(,"message_author_id":)").id(user_id(circle, random.below(256)));
        if (where.in && kind == reaction_add) {
            w(R"(,"member":)");
            member(w, *where.in, who, true);
        }
        w(",");
        emoji(w);
        w(R"(,"burst":false,)");
        location(w, where, false, who);
        return;
    case voice_state:
        w(R"({"user_id":)").id(user_id(circle, who))(R"(,"suppress":false,"session_id":")");
        w.hash(random)(R"(","self_video":false,"self_mute":false,"self_deaf":false,)"
                       R"("request_to_speak_timestamp":null,"mute":false,"member":)");
        member(w, *where.in, who, true);
        w(R"(,"deaf":false,)");
        location(w, where, false, who);
        return;
    case member_add:
    case member_update: {
        std::string body;
        json_text inner(body);
        member(inner, *where.in, who, true);
        body.pop_back();
        w(body)(R"(,"guild_id":)").id(where.in->id);
        return;
    }
    case member_remove:
    case ban_add:
        w(R"({"user":)");
        user(w, circle, who);
        w(R"(,"guild_id":)").id(where.in->id);
        return;
    case role_update:
        w(R"({"role":)");
        role(w, *where.in, random.below(where.in->roles));
        w(R"(,"guild_id":)").id(where.in->id);
        return;
    case channel_update:
    case thread_create: {
        std::string body;
        json_text inner(body);
        channel(inner, *where.in, random.below(where.in->channels));
        body.pop_back();
        w(body)(R"(,"guild_id":)").id(where.in->id);
        if (kind == thread_create)
            w(R"(,"newly_created":true,"thread_metadata":{"archived":false,"locked":false,)"
              R"("auto_archive_duration":4320,"archive_timestamp":")")
                .stamp(now_ms_)(R"("})");
        return;
    }
    case invite_create:
        w(R"({"uses":0,"type":0,"temporary":false,"max_uses":0,"max_age":604800,"inviter":)");
        user(w, circle, who);
        w(R"(,"expires_at":")")
            .stamp(now_ms_)(R"(","created_at":")")
            .stamp(now_ms_)(R"(","code":"c)");
        w.number(random.next() >> 8)(R"(",)");
        location(w, where, false, who);
        return;
    case audit_log:
        w(R"({"user_id":)").id(user_id(circle, who))(R"(,"target_id":)").id(where.in->id);
        w(R"(,"id":)")
            .id(id)(R"(,"changes":[{"new_value":"a new name","key":"name"}],)"
                    R"("action_type":11,"guild_id":)");
        w.id(where.in->id);
        return;
    case webhooks_update:
        w("{");
        location(w, where, false, who);
        return;
    case join_request:
        w(R"({"status":"SUBMITTED","request":{"user_id":)").id(user_id(circle, who));
        w(R"(,"guild_id":"1","created_at":")").stamp(now_ms_)(R"("},"guild_id":)").id(where.in->id);
        return;
    case auto_moderation:
        w(R"({"user_id":)").id(user_id(circle, who))(R"(,"rule_trigger_type":1,"rule_id":)");
        w.id(id ^ 1)(R"(,"message_id":)").id(id)(R"(,"matched_keyword":"bad","matched_content":")");
        w(content ? "bad" : "")(R"(","content":")")(content ? "a bad word" : "");
        w(R"(","action":{"type":1,"metadata":{}},)");
        location(w, where, false, who);
        return;
    case entitlement:
    case subscription:
    case user_update:
    case command_permissions:
    case own_member_update: write_affair(w, kind, where, id, random); return;
    default:
        w(R"({"what":"something nobody has documented yet","id":)").id(id)(",");
        location(w, where, false, who);
        return;
    }
}

}  // namespace shardgate::sim
