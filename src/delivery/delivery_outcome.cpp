// SPDX-License-Identifier: Apache-2.0
// What became of requests. Rules: docs/delivery.md, "Answers".
#include <algorithm>
#include <utility>

#include "delivery/delivery_impl.hpp"
#include "delivery/fetch.hpp"
#include "shardgate/base/log.hpp"

namespace shardgate {

namespace {

constexpr std::size_t fetched_ahead = 8;  // of a batch
constexpr duration longest_retry_after = std::chrono::minutes(5);

std::string reason_of(const delivery_outcome& o) {
    std::string text = "answered " + std::to_string(o.status);
    if (!o.detail.empty()) text.append(": ").append(o.detail.substr(0, 200));
    return text;
}

}  // namespace

void delivery::on_outcome(std::uint64_t request, const delivery_outcome& outcome, time_point now,
                          wall_ms wall) {
    impl& d = *impl_;
    impl::flight* slot = d.find_flight(request);
    if (slot == nullptr) return;
    // It has landed, but its slot is not free before all is done: settling starts nothing.
    impl::flight& f = *slot;
    f.id = 0;
    --d.in_flight;
    const duration took = now - f.started;
    d.request_seconds.observe(took);
    const answer what = read_answer(outcome);
    if (what != answer::away) d.answer_time += (took - d.answer_time) / impl::answers_in_mean;
    switch (what) {
    case answer::accepted: d.on_accepted(f, now, wall); break;
    case answer::refused: d.on_refused(f, outcome, now, wall); break;
    case answer::away: d.on_away(f, outcome, now, wall); break;
    }
    // Only a handler that answers is told: while it is away a run goes on.
    if (what != answer::away) d.tell_gaps(now, wall);
    f.entries.clear();
    f.target.reset();
    d.free_flights.push_back(request & impl::slot_mask);
    d.keep_bounds(now);
}

// ---- what will be needed
// --------------------------------------------------------------------------

void delivery::impl::fetch(const entry& e) noexcept {
    fetch_lines(&e);
}

void delivery::impl::fetch_around(const entry& e) noexcept {
    fetch_lines(e.event.get());
    fetch_lines(e.where);
}

// Those of a batch from `first` on, and behind them the next ones.
void delivery::impl::foresee_entries(const flight& f, std::size_t first) noexcept {
    const std::size_t middle = std::min(first + fetched_ahead, f.entries.size());
    const std::size_t last = std::min(middle + fetched_ahead, f.entries.size());
    for (std::size_t i = first; i < middle; ++i)
        fetch_around(*f.entries[i]);
    for (std::size_t i = middle; i < last; ++i)
        fetch(*f.entries[i]);
}

void delivery::foresee(std::uint64_t request, unsigned step) const noexcept {
    const std::size_t slot = request & impl::slot_mask;
    if (slot >= impl_->flights.size()) return;
    const impl::flight& f = impl_->flights[slot];
    if (step == 0) return fetch_lines(&f);
    if (f.id != request || f.entries.empty()) return;
    if (step == 1) impl::fetch(*f.entries.front());
    if (step == 2) impl::fetch_around(*f.entries.front());
}

void delivery::impl::land(flight& f) {
    // Backwards: each goes to the front of its class, so that the oldest ends up first again.
    for (auto it = f.entries.rbegin(); it != f.entries.rend(); ++it) {
        books.set_in_flight(**it, false);
        (*it)->where->in_flight = false;
    }
}

void delivery::impl::note_breaker(const handler_url& target, bool opened, time_point now) {
    if (opened) {
        log::warn(
            "handler away: events wait in the queue",
            {{"url", target.url()}, {"detail", target.last_error()}, {"queued", books.events()}});
        return;
    }
    log::info(
        "handler back",
        {{"url", target.url()},
         {"away_ms",
          std::chrono::duration_cast<std::chrono::milliseconds>(now - target.opened_at()).count()},
         {"queued", books.events()}});
}

void delivery::impl::on_accepted(flight& f, time_point now, wall_ms wall) {
    ++counts.requests_ok;
    ++successes;
    if (f.target->on_answered(f.ticket)) note_breaker(*f.target, false, now);
    // They do not land: nothing may shed them, and they leave the queue now.
    for (const entry* e : f.entries)
        e->where->in_flight = false;
    for (std::size_t i = 0; i < f.entries.size(); ++i) {
        if (i % fetched_ahead == 0) foresee_entries(f, i);
        entry* const e = f.entries[i];
        lane& l = *e->where;
        l.failures = l.fixed_batch = 0;
        if (l.singles > 0) --l.singles;
        if (e->event->event == event_id::interaction_create)
            interaction_accepted(*e, f.marked, now, wall);
        settle(*e, settled_as::accepted, now);
    }
}

void delivery::impl::on_refused(flight& f, const delivery_outcome& o, time_point now,
                                wall_ms wall) {
    ++counts.requests_refused;
    land(f);
    if (f.target->on_answered(f.ticket)) note_breaker(*f.target, false, now);
    if (f.entries.size() == 1) {
        lane& l = *f.entries.front()->where;
        l.failures = 0;
        if (l.singles > 0) --l.singles;
        bury(*f.entries.front(), o.status, reason_of(o), now, wall);
        return;
    }
    // Which of them it was is not known: one by one, in order.
    for (entry* e : f.entries) {
        lane& l = *e->where;
        l.failures = l.fixed_batch = 0;
        ++l.singles;
    }
    for (entry* e : f.entries)
        waiting.place(*e->where, now);
}

bool delivery::impl::poisoned(entry& e, const delivery_outcome& o) {
    if (o.status == 0) return false;
    if (e.status_failures == 0 || successes != e.successes_elsewhere) ++e.status_failures;
    e.successes_elsewhere = successes;
    return e.status_failures >= poison_after;
}

void delivery::impl::on_away(flight& f, const delivery_outcome& o, time_point now, wall_ms wall) {
    ++(o.timed_out ? counts.requests_timed_out : counts.requests_failed);
    land(f);
    entry& head = *f.entries.front();
    lane& l = *head.where;
    handler_url_failure failure;
    failure.lane = l.serial;
    // Nobody else to ask: what waits behind a fence or for a time cannot say whether it is there.
    failure.only_lane = in_flight == 0 && !waiting.any_ready(l.group);
    failure.refused = o.connection_refused;
    failure.timed_out = o.timed_out;
    failure.retry_after = o.retry_after;
    const std::string detail = o.status != 0 ? reason_of(o) : std::string(o.detail);
    failure.detail = detail;
    const bool opened = f.target->on_failure(f.ticket, failure, now);
    if (opened) note_breaker(*f.target, true, now);
    const bool poison = poisoned(head, o);
    const bool one = f.entries.size() == 1;
    if (one && (poison || head.drop_if_away)) {
        l.failures = 0;
        if (l.singles > 0) --l.singles;
        if (head.drop_if_away)
            drop_answered(head, settled_as::answered_and_dropped, now);
        else
            bury(head, o.status, reason_of(o) + ", eight times while others were accepted", now,
                 wall);
        return;
    }
    for (const entry* e : f.entries)
        e->where->fixed_batch = 0;
    for (entry* e : f.entries) {
        lane& of = *e->where;
        if (!one && poison) {
            e->status_failures = 0;
            ++of.singles;  // find the one that fails
        } else if (!one && handler.ordering != config::ordering_mode::none) {
            ++of.fixed_batch;  // again what it was, each lane for itself
        }
        // Once a lane: the first of its entries.
        if (&of.queue.front() == e) hold_back(of, f, o, now);
    }
    for (entry* e : f.entries)
        waiting.place(*e->where, now);
    if (opened) waiting.forgive(l.group, now);
}

void delivery::impl::hold_back(lane& l, const flight& f, const delivery_outcome& o,
                               time_point now) {
    l.retry_at = now;
    l.told_when = o.retry_after.has_value();
    // A URL that was replaced says nothing about the new ones.
    if (std::find(endpoints.begin(), endpoints.end(), f.target) == endpoints.end()) return;
    ++l.failures;
    if (f.target->open()) return;  // the breaker says when
    duration wait = queue.retry_initial;
    for (std::uint32_t i = 1; i < l.failures && wait < queue.retry_max; ++i)
        wait *= 2;
    wait = std::min<duration>(wait, queue.retry_max);
    wait = random.between(wait - wait / 4, wait);
    if (o.retry_after) wait = std::max(wait, std::min(*o.retry_after, longest_retry_after));
    l.retry_at = later(now, wait);
}

void delivery::impl::bury(entry& e, unsigned status, std::string reason, time_point now,
                          wall_ms wall) {
    log::write_limited(
        log::level::warn, "dead letter", "event goes to the dead letters",
        {{"event", e.event->name()}, {"shard", e.event->shard.value}, {"reason", reason}});
    dead_letter letter;
    letter.event = e.event;
    letter.status = status;
    letter.attempts = e.attempts;
    letter.when = wall;
    letter.reason = std::move(reason);
    keep_dead(std::move(letter), e);
    settle(e, settled_as::dead, now);
}

}  // namespace shardgate
