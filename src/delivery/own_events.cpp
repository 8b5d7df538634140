// SPDX-License-Identifier: Apache-2.0
// The texts of the daemon's own events. Pure; depends on nothing above protocol.
#include "shardgate/delivery/own_events.hpp"

#include "shardgate/delivery/delivery.hpp"
#include "shardgate/protocol/json_text.hpp"

namespace shardgate {
namespace {

// Members of one JSON object, written one by one.
class object_text {
public:
    void number(std::string_view key, std::uint64_t value) {
        name(key);
        text_ += std::to_string(value);
    }
    void unix_ms(std::string_view key, wall_ms value) {
        name(key);
        text_ += std::to_string(value.time_since_epoch().count());
    }
    void string(std::string_view key, std::string_view value) {
        name(key);
        append_json_string(text_, value);
    }
    void raw(std::string_view key, std::string_view json) {
        name(key);
        text_ += json;
    }
    [[nodiscard]] std::string finish() && {
        text_ += '}';
        return std::move(text_);
    }

private:
    void name(std::string_view key) {
        if (text_.size() > 1) text_ += ',';
        append_json_string(text_, key);
        text_ += ':';
    }

    std::string text_ = "{";
};

std::string counts_text(const own_event_factory::event_counts* counts) {
    if (counts == nullptr) return "null";
    object_text object;
    for (const auto& [event, count] : *counts)
        object.number(event, count);
    return std::move(object).finish();
}

constexpr std::size_t longest_run_id = 64;

bool is_key_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '~' || c == '-';
}

}  // namespace

std::string_view name_of(interaction_answer a) noexcept {
    switch (a) {
    case interaction_answer::none: return {};
    case interaction_answer::deferred: return "deferred";
    case interaction_answer::deferred_update: return "deferred-update";
    case interaction_answer::acknowledged: return "acknowledged";
    case interaction_answer::expired: return "expired";
    case interaction_answer::for_good: return "acknowledged";
    }
    return {};
}

own_event_factory::own_event_factory(std::string_view run_id) : prefix_("shardgate-") {
    for (const char c : run_id.substr(0, longest_run_id))
        if (is_key_character(c)) prefix_ += c;
    prefix_ += '-';
}

std::string own_event_factory::next_key() {
    return prefix_ + std::to_string(++made_);
}

event_ptr own_event_factory::gap(shard_id shard, shard_count shards, generation gen,
                                 std::string_view reason, wall_ms from, wall_ms to,
                                 const event_counts* counts, time_point now, wall_ms wall) {
    object_text d;
    d.number("shard", shard.value);
    d.number("shards", shards.value);
    d.string("reason", reason);
    d.unix_ms("from", from);
    d.unix_ms("to", to);
    d.raw("counts", counts_text(counts));
    return queued_event::own("SHARDGATE_GAP", std::move(d).finish(), next_key(), shard, shards, gen,
                             now, wall);
}

event_ptr own_event_factory::guilds_loaded(shard_id shard, shard_count shards, generation gen,
                                           std::size_t guilds, std::size_t unavailable,
                                           time_point now, wall_ms wall) {
    object_text d;
    d.number("shard", shard.value);
    d.number("shards", shards.value);
    d.number("guilds", guilds);
    d.number("unavailable", unavailable);
    return queued_event::own("SHARDGATE_GUILDS_LOADED", std::move(d).finish(), next_key(), shard,
                             shards, gen, now, wall);
}

event_ptr own_event_factory::resharded(shard_id shard, shard_count from, shard_count to,
                                       generation gen, wall_ms started, time_point now,
                                       wall_ms wall) {
    object_text d;
    d.number("from", from.value);
    d.number("to", to.value);
    d.unix_ms("started", started);
    d.unix_ms("finished", wall);
    // Told again by the process that comes after a crash: one key for both.
    const std::string key = "shardgate-resharded-" + std::to_string(gen.value) + "-" +
                            std::to_string(started.time_since_epoch().count());
    return queued_event::own("SHARDGATE_RESHARDED", std::move(d).finish(), key, shard, to, gen, now,
                             wall);
}

event_ptr own_event_factory::interaction(const queued_event& of, interaction_answer how,
                                         time_point now, wall_ms wall) {
    object_text d;
    d.string("id", std::to_string(of.id.value));  // snowflakes are strings in JSON
    d.string("how", name_of(how));
    return queued_event::own("SHARDGATE_INTERACTION", std::move(d).finish(), next_key(), of.shard,
                             of.shards, of.gen, now, wall, of.guild, of.channel);
}

}  // namespace shardgate
