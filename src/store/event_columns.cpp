// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "store/event_columns.hpp"

#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>

namespace shardgate::store {
namespace {

constexpr std::int64_t max_32 = std::numeric_limits<std::uint32_t>::max();

// A column that holds 32 bits; false when it does not.
bool read_32(query& q, std::uint32_t& out) {
    const std::int64_t value = q.number();
    out = static_cast<std::uint32_t>(value);
    return value >= 0 && value <= max_32;
}

std::int64_t unix_ms(wall_ms when) {
    return when.time_since_epoch().count();
}

}  // namespace

const std::string& event_column_names() {
    static const std::string names =
        "gen, shard, shards, session, seq, event, name, guild, channel, id, mark, itype, "
        "has_message, own_key, token, received_wall, bytes, frame";
    return names;
}

const std::string& event_column_marks() {
    static const std::string marks = [] {
        std::string out = "?";
        for (std::size_t i = 1; i < event_column_count; ++i)
            out += ", ?";
        return out;
    }();
    return marks;
}

void bind_event(query& q, const queued_event& event) {
    const event_parts p = event.parts();
    q.number(p.gen.value).number(p.shard.value).number(p.shards.value);
    if (p.session != nullptr)
        q.bytes(*event.session);
    else
        q.null();
    q.bits(p.seq.value).bytes(p.discord_name);
    if (p.name == p.discord_name)
        q.null();
    else
        q.bytes(p.name);
    q.bits(p.guild.value).bits(p.channel.value).bits(p.id.value);
    q.number(static_cast<std::int64_t>(p.mark)).number(p.interaction_type);
    q.number(p.interaction_has_message ? 1 : 0).bytes(p.own_key).bytes(p.token);
    q.number(unix_ms(p.received_wall)).number(static_cast<std::int64_t>(event.weight()));
    q.bytes(p.frame);
}

session_handle session_cache::share(std::string_view id) {
    std::string text(id);
    const auto found = known_.find(text);
    if (found != known_.end()) return found->second;
    if (known_.size() >= max_sessions) known_.clear();  // sharing is only a saving
    auto handle = std::make_shared<const std::string>(text);
    known_.emplace(std::move(text), handle);
    return handle;
}

now_pair now_pair::read() {
    return {clock::now(), std::chrono::time_point_cast<std::chrono::milliseconds>(
                              std::chrono::system_clock::now())};
}

time_point now_pair::steady_at(wall_ms then) const noexcept {
    if (then >= wall) return steady;
    // In milliseconds: a stored number may be anything, and nanoseconds would not hold it.
    const std::int64_t lived =
        std::chrono::duration_cast<std::chrono::milliseconds>(steady.time_since_epoch()).count();
    const auto age =
        static_cast<std::uint64_t>(unix_ms(wall)) - static_cast<std::uint64_t>(unix_ms(then));
    if (age >= static_cast<std::uint64_t>(lived)) return time_point{};
    return steady - std::chrono::milliseconds(age);
}

event_ptr read_event(query& q, database& db, session_cache& sessions, const now_pair& now) {
    event_parts p;
    bool good = read_32(q, p.gen.value);
    good = read_32(q, p.shard.value) && good;
    good = read_32(q, p.shards.value) && good;
    const bool no_session = q.next_is_null();
    const std::string_view session = q.bytes();
    p.seq = seq_no{q.bits()};
    p.discord_name = q.bytes();
    const bool same_name = q.next_is_null();
    p.name = q.bytes();
    if (same_name) p.name = p.discord_name;
    p.guild = snowflake{q.bits()};
    p.channel = snowflake{q.bits()};
    p.id = snowflake{q.bits()};
    const std::int64_t mark = q.number();
    good = mark >= 0 && mark <= static_cast<std::int64_t>(guild_mark::unavailable) && good;
    p.mark = static_cast<guild_mark>(mark);
    good = read_32(q, p.interaction_type) && good;
    p.interaction_has_message = q.number() != 0;
    p.own_key = q.bytes();
    p.token = q.bytes();
    p.received_wall = wall_ms(std::chrono::milliseconds(q.number()));
    static_cast<void>(q.number());  // its weight: for those who do not read the event
    p.frame = q.bytes();
    if (!good || p.frame.empty() || p.discord_name.empty()) {
        db.note_damage("a row holds what no event has");
        return nullptr;
    }
    if (!no_session) p.session = sessions.share(session);
    p.received = now.steady_at(p.received_wall);
    return queued_event::restore(p);
}

}  // namespace shardgate::store
