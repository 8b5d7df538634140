// SPDX-License-Identifier: Apache-2.0
// What must hold in a crash_world.
#include "unit/delivery/crash_world.hpp"

namespace shardgate::testing {

std::string crash_world::key_of(const queued_event& e) {
    std::string key;
    e.append_key(key);
    return key;
}

void crash_world::on_delivered(const queued_event& e) {
    if (e.is_own()) {
        gaps_told += e.name() == "SHARDGATE_GAP" ? 1U : 0U;
        return;
    }
    fate& f = events[key_of(e)];
    ++f.delivered;
    if (f.delivered > 1 || f.dead_once || f.shed_once) return;
    // The first copy of each comes in Discord's order.
    std::uint64_t& last = last_in_lane[{e.shard.value, f.guild}];
    EXPECT_LT(last, f.order) << "seed " << seed << ": " << key_of(e) << " of guild " << f.guild;
    last = std::max(last, f.order);
}

void crash_world::on_settled(const queued_event& e, settled_as how) {
    if (how != settled_as::shed || e.is_own()) return;
    ++shed_told;
    events[key_of(e)].shed_once = true;
}

void crash_world::on_given_up(const spool_row_info& row) {
    const queued_event& e = *files.rows.at(row.position).row.event;
    ++shed_told;
    events[key_of(e)].shed_once = true;
}

bool crash_world::is_settled_or_durable(const std::string& key) const {
    const fate& f = events.at(key);
    if (f.filtered || f.delivered > 0 || f.dead_once || f.shed_once || f.excused) return true;
    for (const auto& [position, r] : files.rows)
        if (!r.row.event->is_own() && key_of(*r.row.event) == key) return true;
    return false;
}

// Everything a mark covers newly is settled or durable.
void crash_world::check_marks() {
    for (std::uint32_t i = 0; i < shard_total; ++i) {
        const gateway& g = shards[i];
        const std::uint64_t mark = safe(i, false);
        std::uint64_t& before = safe_before[i];
        for (std::uint64_t seq = before + 1; seq <= mark; ++seq) {
            const std::string key = *g.session + "-" + std::to_string(seq);
            EXPECT_TRUE(is_settled_or_durable(key))
                << "seed " << seed << ": the mark covers " << key << ", which a crash would lose";
        }
        before = std::max(before, mark);
    }
}

// Before a crash: a shard whose new session is not on disk yet will not be resumed, and Discord
// replays nothing of the old one.
void crash_world::excuse_lost_sessions() {
    for (std::uint32_t i = 0; i < shard_total; ++i) {
        const auto mark = files.marks.find(i);
        if (mark != files.marks.end() && mark->second.first == *shards[i].session) continue;
        const std::string prefix = "s" + std::to_string(i) + ".";
        for (auto& [key, f] : events)
            if (key.starts_with(prefix) && !is_settled_or_durable(key)) f.excused = true;
    }
}

// received = filtered + accepted + dead + shed, when nothing is left in the queue.
void crash_world::check_books() {
    std::uint64_t missing = 0;
    for (const auto& [key, f] : events) {
        if (f.filtered || f.delivered > 0 || f.dead_once || f.excused) continue;
        ++missing;
        EXPECT_TRUE(f.shed_once) << "seed " << seed << ": " << key << " was lost";
    }
    // What had been shed may have arrived all the same, before it timed out or after a crash.
    EXPECT_LE(missing, shed) << "seed " << seed;
    EXPECT_EQ(shed, shed_told) << "seed " << seed;
    const delivery_snapshot s = core->snapshot();
    EXPECT_EQ(s.events + s.spooled_events + s.stored_events, 0U) << "seed " << seed;
    EXPECT_EQ(s.spooled_bytes, 0U) << "seed " << seed;
}

}  // namespace shardgate::testing
