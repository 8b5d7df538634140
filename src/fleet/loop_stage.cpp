// SPDX-License-Identifier: Apache-2.0
#include "shardgate/fleet/loop_stage.hpp"

namespace shardgate {

namespace {

scan_options options_for(const config::filter& rules) {
    scan_options o;
    o.fingerprints = rules.edited_messages != config::edited_messages_mode::off;
    return o;
}

// Frames above this are rare (a large GUILD_CREATE, member chunks): what grew for them is given
// back.
constexpr std::size_t large_frame = 1U << 20;

}  // namespace

loop_stage::loop_stage(const config::settings& settings, deliverer& out, std::string_view run_id)
    : out_(out),
      scanner_(options_for(settings.filter)),
      filter_(settings.filter, out, nullptr),
      by_event_(known_events().size()),
      own_events_(run_id) {}

void loop_stage::set_rules(const config::filter& rules) {
    scanner_.set_fingerprints(options_for(rules).fingerprints);
    filter_.set_rules(rules);
}

void loop_stage::push(const dispatch& event) {
    ++by_event_[static_cast<std::size_t>(event.event)];
    if (event.event == event_id::voice_state_update || event.event == event_id::guild_create ||
        event.event == event_id::guild_delete)
        watch_voice(event);
    if (answers_ != nullptr &&
        (event.event == event_id::guild_members_chunk || event.event == event_id::rate_limited) &&
        answers_->take(event))
        return;
    if (twins_ != nullptr) return twins_->push(event);
    if (event.gen == withheld_) return;
    if (keys_.any() && keys_.wants(event.gen, event.shard, event.seq)) {
        // A resharding is just over: until its last seq an event keeps the key it would have had.
        if (const auto id = shared_identity(event)) {
            dispatch with_key = event;
            with_key.key = keys_.next(event.gen, *id);
            return filter_.push(with_key);
        }
    }
    filter_.push(event);
}

void loop_stage::watch_voice(const dispatch& event) {
    if (bot_ == snowflake{}) return;
    const snowflake guild = event.fields.guild;
    if (event.event == event_id::guild_delete) return voices_.set(guild, false);
    if (event.event == event_id::guild_create)
        return voices_.set(guild, aside_.voice_channel_of(event.d, bot_) != snowflake{});
    const voice_state state = aside_.voice_state_of(event.d);
    if (state.user == bot_) voices_.set(guild, state.channel != snowflake{});
}

std::optional<seq_no> loop_stage::first_unsafe(generation gen, shard_id shard) const {
    auto first = std::as_const(out_).core().first_unsafe(gen, shard, true);
    if (twins_ == nullptr) return first;
    const auto twin = twins_->first_unsafe(gen, shard);
    return !first || (twin && *twin < *first) ? twin : first;
}

void loop_stage::tell_guilds_loaded(shard_id shard, shard_count shards, generation gen,
                                    std::size_t guilds, std::size_t unavailable) {
    if (gen == withheld_ || twins_ != nullptr) return;
    out_.push_own(own_events_.guilds_loaded(shard, shards, gen, guilds, unavailable, clock::now(),
                                            wall_now()));
}

void loop_stage::tell_gap(shard_id shard, shard_count shards, generation gen,
                          std::string_view reason, wall_ms from) {
    if (gen == withheld_) return;
    const wall_ms now = wall_now();
    out_.push_own(
        own_events_.gap(shard, shards, gen, reason, from, now, nullptr, clock::now(), now));
}

void loop_stage::tell_resharded(shard_id shard, shard_count from, shard_count to, generation gen,
                                wall_ms started) {
    out_.push_own(own_events_.resharded(shard, from, to, gen, started, clock::now(), wall_now()));
}

void loop_stage::settle(std::size_t frame_bytes) {
    if (frame_bytes < large_frame) return;
    buffer_.trim();
    scanner_.shrink(large_frame);
    aside_.shrink(large_frame);
}

}  // namespace shardgate
