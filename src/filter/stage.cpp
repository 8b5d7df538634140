// SPDX-License-Identifier: Apache-2.0
// The filter: edited messages, names, loading guilds, in that order.
#include "shardgate/filter/stage.hpp"

#include "filter/edited_messages.hpp"
#include "filter/name_rules.hpp"

namespace shardgate {
namespace {

// Discordeno's name for a GUILD_CREATE that only loads a guild.
constexpr std::string_view loaded_name = "GUILD_LOADED_DD";

}  // namespace

std::string_view name_of(drop_reason r) noexcept {
    switch (r) {
    case drop_reason::event_name: return "event_name";
    case drop_reason::loaded_guild: return "loaded_guild";
    case drop_reason::unchanged_message: return "unchanged_message";
    }
    return {};
}

struct filter_stage::impl {
    impl(const config::filter& given, dispatch_sink& next_stage, filter_listener* told)
        : rules(given),
          names(rules.only, rules.drop),
          edits(rules.edited_messages, rules.edited_messages_capacity),
          next(next_stage),
          listener(told) {}

    void drop(const dispatch& event, drop_reason why) {
        ++stats.dropped[static_cast<std::size_t>(why)];
        if (listener != nullptr) listener->on_filtered(event, why);
    }

    config::filter rules;
    name_rules names;
    edited_messages edits;
    dispatch_sink& next;
    filter_listener* listener;
    filter_stats stats;
};

filter_stage::filter_stage(const config::filter& rules, dispatch_sink& next,
                           filter_listener* listener)
    : impl_(std::make_unique<impl>(rules, next, listener)) {}
filter_stage::~filter_stage() = default;

void filter_stage::push(const dispatch& event) {
    const bool loaded = event.mark == guild_mark::loaded;
    const bool renamed = loaded && impl_->rules.guild_create == config::guild_create_mode::mark;
    const std::string_view forward_as = renamed ? loaded_name : event.forward_as;

    // Before the name rules: a bot that drops MESSAGE_CREATE still wants its edits told apart.
    const bool unchanged = impl_->edits.is_unchanged(event);
    if (!impl_->names.passes(event.event, event.name, forward_as))
        return impl_->drop(event, drop_reason::event_name);
    if (unchanged) return impl_->drop(event, drop_reason::unchanged_message);
    if (loaded && impl_->rules.guild_create == config::guild_create_mode::drop_loaded)
        return impl_->drop(event, drop_reason::loaded_guild);

    ++impl_->stats.passed;
    if (!renamed) return impl_->next.push(event);
    dispatch copy = event;
    copy.forward_as = forward_as;
    impl_->next.push(copy);
}

void filter_stage::set_rules(const config::filter& rules) {
    impl& i = *impl_;
    const bool same_edits = rules.edited_messages == i.rules.edited_messages &&
                            rules.edited_messages_capacity == i.rules.edited_messages_capacity;
    i.rules = rules;
    i.names = name_rules(rules.only, rules.drop);
    if (!same_edits)
        i.edits = edited_messages(rules.edited_messages, rules.edited_messages_capacity);
}

filter_stats filter_stage::stats() const noexcept {
    filter_stats now = impl_->stats;
    now.edit_cache_entries = impl_->edits.size();
    return now;
}

}  // namespace shardgate
