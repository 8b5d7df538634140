// SPDX-License-Identifier: Apache-2.0
// The interaction desk's records: where each stands in the timetables, what is counted, what is
// given up for room. Pure.
#include "delivery/interaction_desk.hpp"

#include <algorithm>

namespace shardgate {

interaction_desk::record* interaction_desk::find(snowflake id) {
    const auto at = records_.find(id);
    return at == records_.end() ? nullptr : &at->second;
}

const interaction_desk::record* interaction_desk::find(snowflake id) const {
    const auto at = records_.find(id);
    return at == records_.end() ? nullptr : &at->second;
}

// Room for one more record; the oldest that nothing depends on make way.
bool interaction_desk::make_room() {
    if (records_.size() >= limits_.tracked && !spares_.empty())
        erase(*find(spares_.begin()->second));
    return records_.size() < limits_.tracked;
}

void interaction_desk::count(record& r, outcome what) {
    if (r.counted) return;
    r.counted = true;
    ++(counts_.*what);
}

// Gives back what only a callback or its announcement needs.
void interaction_desk::release(record& r) {
    r.event.reset();
    orphan_bytes_ -= r.orphan_token.size();
    r.orphan_token = {};
}

void interaction_desk::end(record& r) {
    r.at = phase::closed;
    release(r);
}

// A callback under way still decides the outcome.
void interaction_desk::three_seconds_passed(record& r) {
    r.over = true;
    if (r.at == phase::calling) return;
    count(r, r.tries > 0 ? &interaction_counters::failed : &interaction_counters::expired);
    end(r);
}

// Brings the timetables in line with the record. To be called after every change.
void interaction_desk::place(record& r) {
    const auto move = [&r](timetable& table, time_point& stands, time_point wanted) {
        if (stands == wanted) return;
        if (stands != never) table.erase({stands, r.id});
        if (wanted != never) table.insert({wanted, r.id});
        stands = wanted;
    };
    move(calls_, r.in_calls, r.at == phase::due ? r.due : never);
    // The three seconds matter until the outcome is known.
    move(ends_, r.in_ends, r.counted || r.over ? r.ends : r.expires);
    // What an event in the queue still needs to know of its record is an answer given; that nobody
    // answered shows by its age.
    const bool unanswered =
        r.answer == interaction_answer::none || r.answer == interaction_answer::expired;
    const bool needless = r.copies == 0 || (unanswered && !r.accepted && (r.over || r.counted));
    move(spares_, r.in_spares, r.at == phase::closed && needless ? r.ends : never);
    if (spares_.size() > limits_.remembered) erase(*find(spares_.begin()->second));
}

void interaction_desk::erase(record& r) {
    count(r, r.tries > 0 ? &interaction_counters::failed : &interaction_counters::expired);
    if (r.at == phase::calling) --under_way_;  // its result never came
    release(r);
    if (r.in_calls != never) calls_.erase({r.in_calls, r.id});
    if (r.in_ends != never) ends_.erase({r.in_ends, r.id});
    if (r.in_spares != never) spares_.erase({r.in_spares, r.id});
    const snowflake id = r.id;
    records_.erase(id);
}

time_point interaction_desk::deadline() const noexcept {
    const time_point end = ends_.empty() ? never : ends_.begin()->first;
    if (calls_.empty() || under_way_ >= limits_.under_way) return end;
    return std::min(end, calls_.begin()->first);
}

void interaction_desk::fill(delivery_snapshot& snapshot) const noexcept {
    snapshot.interactions_taken = counts_.taken;
    snapshot.interactions_deferred = counts_.deferred;
    snapshot.interactions_messaged = counts_.messaged + counts_.no_choices;  // answered for good
    snapshot.interactions_already = counts_.already;
    snapshot.interactions_too_late = counts_.too_late;
    snapshot.interactions_failed = counts_.failed + counts_.untracked;
    snapshot.interactions_expired = counts_.expired;
    snapshot.interactions_unknown_type = counts_.unknown_type + counts_.no_token;
}

}  // namespace shardgate
