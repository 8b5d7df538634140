// SPDX-License-Identifier: Apache-2.0
// Events about the bot and its application, which no intent is needed for (Discord docs, Gateway
// Events; fact sheet 9).
#include "sim/payloads.hpp"

namespace shardgate::sim {

void payloads::write_affair(json_text& w, event_kind kind, const place& where, std::uint64_t id,
                            rng& random) const {
    const std::uint64_t customer = user_id(77, random.below(1000));
    const std::uint64_t sku = user_id(78, random.below(5));
    switch (kind) {
    case event_kind::entitlement:
        w(R"({"user_id":)").id(customer)(R"(,"type":8,"subscription_id":)").id(id ^ 1);
        w(R"(,"starts_at":null,"sku_id":)").id(sku)(R"(,"promotion_id":null,"id":)").id(id);
        if (where.in) w(R"(,"guild_id":)").id(where.in->id);
        w(R"(,"gift_code_flags":0,"ends_at":null,"deleted":false,"consumed":false,)"
          R"("application_id":)")
            .id(application_id());
        return;
    case event_kind::subscription:
        w(R"({"user_id":)").id(customer)(R"(,"status":0,"sku_ids":[)").id(sku);
        w(R"(],"renewal_sku_ids":null,"id":)").id(id)(R"(,"entitlement_ids":[)").id(id ^ 1);
        w(R"(],"current_period_start":")").stamp(now_ms_)(R"(","current_period_end":")");
        w.stamp(now_ms_ + 2592000000)(R"(","canceled_at":null)");
        return;
    case event_kind::user_update:
        w(R"({"verified":true,"username":"simulated","mfa_enabled":true,"id":)").id(bot_id());
        w(R"(,"global_name":null,"flags":0,"email":null,"discriminator":"0001","bot":true,)"
          R"("avatar":")")
            .hash(random)("\"");
        return;
    case event_kind::command_permissions:
        w(R"({"permissions":[{"type":1,"permission":true,"id":)");
        w.id(world::role(*where.in, 1 + random.below(where.in->roles)));
        w(R"(}],"id":)").id(application_id())(R"(,"guild_id":)").id(where.in->id);
        w(R"(,"application_id":)").id(application_id());
        return;
    default:  // own_member_update
        w(R"({"user":)");
        write_bot(w);
        w(R"(,"roles":[)").id(world::role(*where.in, 1 + random.below(where.in->roles)));
        w(R"(],"premium_since":null,"pending":false,"nick":"Bot )").number(random.below(1000));
        w(R"(","mute":false,"joined_at":"2022-02-03T04:05:06.789000+00:00","flags":0,)"
          R"("deaf":false,"communication_disabled_until":null,"banner":null,"avatar":null,)"
          R"("guild_id":)")
            .id(where.in->id);
        return;
    }
}

}  // namespace shardgate::sim
