// SPDX-License-Identifier: Apache-2.0
// Joins the interaction desk to the queue: marks, answers in the handler's stead, what leaves the
// queue because it was answered for good.
#include <utility>

#include "delivery/delivery_impl.hpp"

namespace shardgate {

void delivery::impl::track_interaction(entry& e, time_point now) {
    if (!desk.track(*e.event, now)) return;
    queued_interactions.insert_or_assign(e.event->id, &e);
}

void delivery::impl::interaction_accepted(const entry& e, bool marked, time_point now,
                                          wall_ms wall) {
    const auto told = desk.on_accepted(e.event->id, marked, now);
    if (told.now) announce(*e.event, told.how, now, wall);
}

void delivery::impl::announce(const queued_event& event, interaction_answer how, time_point now,
                              wall_ms wall) {
    enqueue(own_events.interaction(event, how, now, wall), true, false, now);
}

void delivery::impl::drop_answered(entry& e, settled_as how, time_point now) {
    desk.forget(e.event->id);
    settle(e, how, now);
}

void delivery::impl::expire_interactions(time_point now) {
    while (const auto id = desk.next_expired(now)) {
        const auto it = queued_interactions.find(*id);
        if (it == queued_interactions.end()) continue;
        entry& e = *it->second;
        // Under way it cannot be taken out; if it fails, it goes.
        if (e.in_flight)
            e.drop_if_away = true;
        else
            settle(e, settled_as::expired, now);
    }
}

std::optional<interaction_callback> delivery::next_callback(time_point now, wall_ms wall) {
    impl_->expire_interactions(now);
    auto callback = impl_->desk.next(now);
    // The intent: if we die over it, nobody knows whether it was answered.
    if (callback) impl_->note_answer(callback->id, interaction_answer::acknowledged, wall);
    return callback;
}

interaction_answer delivery::impl::mark_of(const queued_event& event, time_point now) const {
    if (const auto it = restored_answers.find(event.id); it != restored_answers.end())
        return it->second;
    return desk.mark_of(event, now);
}

void delivery::impl::note_answer(snowflake id, interaction_answer how, wall_ms wall) {
    if (spooling) answers.push_back({id, how, wall});
}

void delivery::on_callback(snowflake interaction, callback_result how, time_point now,
                           wall_ms wall) {
    impl& d = *impl_;
    const auto verdict = d.desk.on_callback(interaction, how, now);
    if (!verdict.known) return;
    d.note_answer(interaction, verdict.drop_event ? interaction_answer::for_good : verdict.mark,
                  wall);
    if (verdict.announce && verdict.event) {
        d.announce(*verdict.event, verdict.mark, now, wall);
        d.keep_bounds(now);
    }
    if (!verdict.drop_event) return;
    // Not before that is on disk: until then what comes behind it in its lane must not pass it, or
    // a process after us, which finds it in the replay, would deliver it behind them.
    if (d.spooling && !d.disk_fails)
        d.drops.push_back(interaction);
    else
        d.drop_for_good(interaction, now);
}

void delivery::impl::drop_for_good(snowflake interaction, time_point now) {
    const auto it = queued_interactions.find(interaction);
    if (it == queued_interactions.end()) return drop_when_read(interaction);
    entry& e = *it->second;
    if (e.in_flight)
        e.drop_if_away = true;
    else
        drop_answered(e, settled_as::answered_and_dropped, now);
}

void delivery::impl::drop_all_for_good(std::vector<snowflake>& these, time_point now) {
    for (const snowflake id : std::exchange(these, {}))
        drop_for_good(id, now);
}

}  // namespace shardgate
