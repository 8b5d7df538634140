// SPDX-License-Identifier: Apache-2.0
// GUILD_CREATE and INTERACTION_CREATE (Discord fact sheet 11.1, 11.5, 12.4, 12.6).
#include "sim/interactions.hpp"
#include "sim/payloads.hpp"

namespace shardgate::sim {

namespace {

void emojis(json_text& w, const guild& g) {
    for (std::uint32_t i = 0; i < g.emojis; ++i) {
        rng random(mix(g.seed ^ 0xe0, i));
        if (i != 0) w(",");
        w(R"({"version":0,"roles":[],"require_colons":true,"name":"emoji_)");
        w.number(random.below(1000000))(R"(","managed":false,"id":)");
        w.id(g.id + ((i + 1ULL) << 24) + 3)(R"(,"available":true,"animated":false})");
    }
}

}  // namespace

void payloads::write_guild(std::string& d, const guild& g, guild_create_reason why) const {
    json_text w(d);
    w(R"({"application_command_counts":{"1":)").number(g.seed % 50);
    w(R"(},"verification_level":1,"voice_states":[)");
    if (g.voice != 0) {
        w(R"({"user_id":)").id(bot_id())(R"(,"channel_id":)").id(g.voice);
        w(R"(,"suppress":false,"self_video":false,"self_mute":false,"self_deaf":false,)"
          R"("session_id":"simulated","mute":false,"deaf":false})");
    }
    w(R"(],"system_channel_id":)");
    w.id(world::channel(g, 0))(R"(,"stickers":[],"soundboard_sounds":[],"roles":[)");
    for (std::uint32_t i = 0; i < g.roles; ++i) {
        if (i != 0) w(",");
        role(w, g, i);
    }
    w(R"(],"members":[)");
    for (std::uint32_t i = 0; i < g.members; ++i) {
        if (i != 0) w(",");
        member(w, g, i, true);
    }
    w(R"(],"joined_at":"2022-02-03T04:05:06.789000+00:00","member_count":)");
    w.number(g.members + g.seed % 5000)(R"(,"large":)")(g.seed % 5000 > 50 ? "true" : "false");
    // The key is false on lazy loads and absent on a real join (fact sheet 11.1).
    if (why != guild_create_reason::joined) w(R"(,"unavailable":false)");
    rng random(g.seed);
    w(R"(,"name":"Guild number )").number(g.seed % 1000000)(R"(","owner_id":)");
    w.id(user_id(g.seed, 0))(R"(,"icon":")").hash(random)(R"(","threads":[],"presences":[],)");
    w(R"("splash":null,"safety_alerts_channel_id":null,"rules_channel_id":null,)"
      R"("public_updates_channel_id":null,"premium_tier":1,"premium_subscription_count":3,)"
      R"("premium_progress_bar_enabled":false,"preferred_locale":"en-US","nsfw_level":0,)"
      R"("nsfw":false,"mfa_level":0,"max_video_channel_users":25,)"
      R"("max_stage_video_channel_users":50,"max_members":25000000,"lazy":true,)"
      R"("incidents_data":null,"home_header":null,"guild_scheduled_events":[],)"
      R"("features":["NEWS","COMMUNITY","INVITE_SPLASH","ANIMATED_ICON","SOUNDBOARD"],)"
      R"("explicit_content_filter":2,"discovery_splash":null,"description":null,)"
      R"("default_message_notifications":1,"banner":null,"application_id":null,)"
      R"("afk_timeout":300,"afk_channel_id":null,"vanity_url_code":null,"stage_instances":[],)"
      R"("system_channel_flags":0,"hub_type":null,"emojis":[)");
    emojis(w, g);
    w(R"(],"embedded_activities":[],"channels":[)");
    for (std::uint32_t i = 0; i < g.channels; ++i) {
        if (i != 0) w(",");
        channel(w, g, i);
    }
    w(R"(],"activity_instances":[],"id":)").id(g.id);
}

void payloads::interaction_data(json_text& w, const interaction& i, rng& random) const {
    switch (i.type) {
    case 2:
        if (i.on_message) {
            // Whoever uses the command shows the bot that message: content and all (fact sheet 9).
            message m;
            m.id = i.id - (7ULL << 32);
            m.where = i.where;
            m.seed = mix(i.seed, 9);
            m.created_ms = now_ms_;
            std::string inner;
            write(inner, m);
            w(R"({"type":3,"target_id":)").id(m.id)(R"(,"resolved":{"messages":{)").id(m.id);
            w(":")(inner)(R"(}}},"name":"Report","id":)").id(user_id(77, 41))("}");
            return;
        }
        w(R"({"type":1,"options":[{"value":"some words to look for","type":3,"name":"query"}],)"
          R"("name":"search","id":)")
            .id(user_id(77, random.below(40)));
        if (decoys_) w(R"(,"guild_id":"12345")");
        w("}");
        return;
    case 3:
        w(R"({"id":2,"custom_id":"press:)").number(random.next() % 10000000);
        w(R"(","component_type":2})");
        return;
    case 4:
        w(R"({"type":1,"options":[{"value":"som","type":3,"name":"query","focused":true}],)"
          R"("name":"search","id":)")
            .id(user_id(77, random.below(40)))("}");
        return;
    default:
        w(R"({"custom_id":"form:)").number(random.next() % 10000000);
        w(R"(","components":[{"type":1,"id":1,"components":[{"value":"What somebody wrote.",)"
          R"("type":4,"id":2,"custom_id":"text"}]}]})");
        return;
    }
}

void payloads::write(std::string& d, const interaction& i) const {
    json_text w(d);
    rng random(i.seed);
    const std::uint32_t who = author_of(i.seed);
    const std::uint64_t circle = i.where.in ? i.where.in->seed : i.where.channel;
    w(R"({"version":1,"type":)").number(i.type)(R"(,"token":")")(i.token)(R"(",)");
    if (i.type == 3 || i.from_component) {
        message m;
        m.id = component_message(i.id);
        m.where = i.where;
        m.seed = mix(i.seed, 3);
        m.shape = event_kind::message_bot;
        m.own = true;  // components are used on the messages of who gets the interaction
        std::string inner;
        write(inner, m);
        w(R"("message":)")(inner)("},");
    }
    if (i.where.in) {
        const guild& g = *i.where.in;
        std::string body;
        json_text holder(body);
        member(holder, g, who, true);
        body.pop_back();
        w(R"("member":)")(body)(R"(,"permissions":"562949953421311"},"locale":"en-US","id":)");
        w.id(i.id)(R"(,"guild_locale":"en-US","guild_id":)").id(g.id);
        w(R"(,"guild":{"locale":"en-US","id":)").id(g.id)(R"(,"features":["COMMUNITY"]},)");
    } else {
        w(R"("user":)");
        user(w, circle, who);
        w(R"(,"locale":"en-US","id":)").id(i.id)(",");
    }
    w(R"("entitlements":[],"entitlement_sku_ids":[],"data":)");
    interaction_data(w, i, random);
    w(R"(,"context":)")(i.where.in ? "0" : "1")(R"(,"channel_id":)").id(i.where.channel);
    w(R"(,"channel":{"type":0,"topic":null,"rate_limit_per_user":0,"position":3,"permissions":)"
      R"("562949953421311","parent_id":null,"nsfw":false,"name":"general","last_message_id":)");
    w.id(i.id - (9ULL << 30))(R"(,"id":)").id(i.where.channel);
    if (i.where.in) w(R"(,"guild_id":)").id(i.where.in->id);
    w(R"(,"flags":0},"authorizing_integration_owners":{"0":)").id(i.where.in ? i.where.in->id : 0);
    w(R"(},"attachment_size_limit":524288000,"application_id":)").id(application_id());
    w(R"(,"app_permissions":"562949953421311")");
}

}  // namespace shardgate::sim
