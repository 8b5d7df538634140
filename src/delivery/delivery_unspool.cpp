// SPDX-License-Identifier: Apache-2.0
// What comes back from the spool: at start, in a lane's turn, or to be given up. Rules:
// docs/spool.md.
#include <algorithm>
#include <utility>
#include <vector>

#include "delivery/delivery_impl.hpp"
#include "shardgate/base/log.hpp"

namespace shardgate {

namespace {

constexpr std::size_t reads_at_once = 32;
constexpr std::size_t rows_a_read = 64;
constexpr std::size_t bytes_a_read = 1U << 20;
constexpr std::size_t rows_when_stuck = 8;
constexpr unsigned full_for_reading = 5;  // eighths
constexpr std::size_t rows_to_choose_from = 512;
constexpr duration age_checked_every = std::chrono::minutes(1);
constexpr duration answerable = std::chrono::seconds(3);
constexpr duration interaction_life = std::chrono::minutes(15);
constexpr std::size_t drops_remembered = 10'000;

}  // namespace

void delivery::restore(const spool_contents& c, time_point now, wall_ms wall) {
    impl& d = *impl_;
    d.spooling = true;
    d.last_position = d.restored_upto = c.last_position;
    d.spooled = c.rows;
    d.spooled_bytes = c.bytes;
    d.spooled_by_class = c.by_class;
    d.next_age_check = now;
    for (const spool_epoch& e : c.epochs) {
        d.order.restore(e.gen, e.shard, e.epoch, e.rows);
        d.order.of(e.gen, e.shard).spilled_since = wall;
    }
    d.order.restored();
    for (const spool_lane& stored : c.lanes) {
        lane& l = d.waiting.get(stored.lane);
        l.readable = stored.rows;
        l.spilled_from = stored.first;
        d.waiting.feed(l);
    }
    for (const dead_row& row : c.dead) {
        d.last_dead = std::max(d.last_dead, row.number);
        dead_letter letter{row.number, row.event, row.status, row.attempts, row.when, row.reason};
        for (const std::uint64_t number : d.dead.add(std::move(letter)))
            d.dead_done.push_back(number);
    }
    for (const auto& [name, text] : c.notes)
        (void)d.gaps.restore(name, text, now);
    for (const interaction_row& row : c.interactions)
        if (row.how == interaction_answer::for_good)
            d.dropped_before.insert(row.id);
        else if (row.how != interaction_answer::none)
            d.restored_answers[row.id] = row.how;
}

// ---- reading back ------------------------------------------------------------------------------

std::optional<spool_read> delivery::next_read(time_point now) {
    impl& d = *impl_;
    if (!d.spooling || d.disk_fails || d.reads_out >= reads_at_once) return std::nullopt;
    lane* l = d.waiting.hungriest();
    if (l == nullptr) return std::nullopt;
    spool_read read{l->key, l->spilled_from, rows_a_read, bytes_a_read};
    if (d.books.eighths() >= full_for_reading) {
        // What is in memory may wait, behind a fence, for what is not: then there is no other way.
        if (d.reads_out > 0 || d.in_flight > 0 || !l->queue.empty()) return std::nullopt;
        for (std::size_t group = 0; group < d.endpoints.size(); ++group)
            if (d.waiting.has_group(group) && d.waiting.any_ready(group)) return std::nullopt;
        read.rows = d.room_before(read.from, rows_when_stuck, now);
        if (read.rows == 0) {
            if (d.waiting.deadline() != never) return std::nullopt;  // something will be tried
            read.rows = 1;  // nothing could ever leave otherwise: let the bound shed
        }
        l->awaited = true;
    }
    l->reading = true;
    d.waiting.feed(*l);
    ++d.reads_out;
    return read;
}

void delivery::on_read(const lane_key& key, bool ok, const std::vector<spool_row>& rows,
                       time_point now) {
    impl& d = *impl_;
    lane* l = d.waiting.find(key);
    if (l == nullptr || !l->reading) return;  // the spool was lost meanwhile
    --d.reads_out;
    if (ok) {  // a lane that is being read is not retired, whatever becomes of its events

        const std::uint64_t before = l->readable;
        for (const spool_row& row : rows)
            d.read_back(*l, row, now);
        if (rows.empty() && before > 0) {
            // Somebody else took rows out of the file. Nothing may wait for them.
            log::error("the spool lacks events that were in it",
                       {{"lane", key.id}, {"events", l->readable}});
            d.counts.spool_lost += l->readable;
            d.spooled -= std::min(d.spooled, l->readable);
            l->readable = 0;
            d.order.each([](shard_order& of) { of.waived = true; });
        }
    }
    l->reading = l->awaited = false;
    d.refill(*l, now);
    d.waiting.feed(*l);
    d.waiting.place(*l, now);
    d.keep_bounds(now);
}

void delivery::impl::read_back(lane& l, const spool_row& row, time_point now) {
    if (row.position < l.spilled_from || l.readable == 0) return;
    l.spilled_from = row.position + 1;
    if (given_up.contains(row.position)) return;  // shed while it was on its way
    --l.readable;
    entry& e = books.add(row.event, row.event->is_own(), std::min(row.event->received, now));
    e.position = row.position;
    e.disk = on_disk::stored;
    // An attempt of the process that wrote it may have been under way.
    e.attempts = row.attempts + (row.position <= restored_upto ? 1U : 0U);
    e.tells_gap = row.tells_gap;
    e.stays = l.awaited;
    e.order = &order.of(row.event->gen, row.event->shard);
    e.order->shards = row.event->shards;
    e.epoch = row.epoch;
    if (e.order->spilled > 0) --e.order->spilled;
    --spooled;
    // A restored interaction weighs its token more than it did: no drift is carried on.
    spooled_bytes -= std::min<std::uint64_t>(spooled_bytes, row.event->weight());
    if (spooled == 0) spooled_bytes = 0;
    --spooled_by_class[static_cast<std::size_t>(e.rank)];
    ++stored_too;
    if (!l.in_flight) waiting.take_off(l);
    lane& to = l.key.what == lane_key::kind::single
                   ? waiting.get({lane_key::kind::single, ++single_lanes})
                   : l;
    waiting.append(to, e);
    if (to.queue.size() == 1) to.group = group_of(to);
    if (&to != &l) waiting.place(to, now);
    if (e.event->event == event_id::interaction_create) welcome_interaction(e, now);
}

void delivery::impl::welcome_interaction(entry& e, time_point now) {
    const snowflake id = e.event->id;
    if (answered_for_good.erase(id) > 0 || dropped_before.contains(id))
        return drop_answered(e, settled_as::answered_and_dropped, now);
    const duration age = now - e.event->received;
    if (interactions.auto_defer && age > interaction_life)
        return drop_answered(e, settled_as::expired, now);
    const bool ours = e.position <= restored_upto;  // of an earlier process, that is
    if (ours && age < answerable && !restored_answers.contains(id))
        track_interaction(e, now);
    else
        queued_interactions.insert_or_assign(id, &e);
}

void delivery::impl::drop_when_read(snowflake interaction) {
    if (spooling && answered_for_good.size() < drops_remembered)
        answered_for_good.insert(interaction);
}

// What is still on its way to the disk, when nothing on the disk lies before it, need not take the
// detour.
void delivery::impl::call_back_pending(lane& l, time_point now) {
    if (l.readable > 0 || l.reading || l.pending.empty()) return;
    if (!l.in_flight) waiting.take_off(l);
    while (!l.pending.empty()) {
        entry& e = l.pending.front();
        l.pending.pop_front();
        e.spilled = false;
        if (e.disk == on_disk::wanted) want_alone(e);
        if (e.disk == on_disk::writing) books.set_pinned(e, false);
        lane& to = l.key.what == lane_key::kind::single
                       ? waiting.get({lane_key::kind::single, ++single_lanes})
                       : l;
        waiting.append(to, e);
        if (to.queue.size() == 1) to.group = group_of(to);
        if (&to != &l) waiting.place(to, now);
    }
}

// The lane has come to it, so the handler takes events: no need to wait for the disk.
void delivery::impl::refill(lane& l, time_point now) {
    if (l.queue.empty() && l.key.what != lane_key::kind::single) call_back_pending(l, now);
}

void delivery::set_disk_fails(bool fails, time_point now) {
    impl& d = *impl_;
    if (d.disk_fails == fails) return;
    d.disk_fails = fails;
    if (!fails) return;
    d.drop_all_for_good(d.drops, now);
    d.drop_all_for_good(d.drops_out, now);
    std::vector<lane*> stuck;
    d.waiting.each([&](lane& l) {
        if (!l.pending.empty()) stuck.push_back(&l);
    });
    for (lane* l : stuck) {
        d.call_back_pending(*l, now);
        d.waiting.place(*l, now);
    }
}

// ---- giving up ---------------------------------------------------------------------------------

std::optional<spool_candidates> delivery::next_candidates(time_point now, wall_ms wall) {
    impl& d = *impl_;
    if (!d.spooling || d.listing || d.disk_fails) return std::nullopt;
    spool_candidates ask;
    ask.rows = rows_to_choose_from;
    ask.received_before = wall_ms::max();
    if (d.spool_crowded()) {
        std::size_t rank = 0;
        while (rank + 1 < shed_class_count && d.spooled_by_class[rank] == 0)
            ++rank;
        if (!d.shed_below(rank, now)) return std::nullopt;
        ask.rank = static_cast<shed_class>(rank);
        d.listing_aged = false;
    } else if (now >= d.next_age_check) {
        d.next_age_check = later(now, age_checked_every);
        ask.any_rank = true;
        ask.received_before =
            wall - std::chrono::duration_cast<std::chrono::milliseconds>(d.queue.spill_max_age);
        d.shed_aged(ask.received_before, now);
        if (d.spooled == 0) return std::nullopt;
        d.listing_aged = true;
    } else {
        return std::nullopt;
    }
    ask.after_position = d.list_after;
    d.listing = true;
    return ask;
}

void delivery::on_candidates(bool ok, const std::vector<spool_row_info>& rows, time_point now,
                             wall_ms) {
    impl& d = *impl_;
    d.listing = false;
    if (!ok) {
        d.list_after = 0;
        return;
    }
    const std::uint64_t enough = d.queue.spill_max_bytes - d.queue.spill_max_bytes / 8;
    bool any = false;
    for (const spool_row_info& row : rows) {
        if (!d.listing_aged && d.spooled_bytes <= enough) break;
        lane* l = d.waiting.find(row.lane);
        const bool here = l != nullptr && l->readable > 0 && !l->reading &&
                          row.position >= l->spilled_from && !row.own &&
                          !d.given_up.contains(row.position);
        if (!here) continue;
        any = true;
        d.give_up(*l, row, now);
    }
    // Rows of events that are in memory too are not ours to give up: look behind them.
    const bool more = rows.size() >= rows_to_choose_from;
    d.list_after = !any && more ? rows.back().position : 0;
    if (d.listing_aged && more) d.next_age_check = now;
}

void delivery::impl::give_up(lane& l, const spool_row_info& row, time_point now) {
    const shed_class rank = shed_class_of(row.event);
    ++counts.shed[static_cast<std::size_t>(rank)];
    gaps.on_shed({row.gen, row.shard, row.shards, row.event, row.received_wall}, now);
    if (row.event == event_id::interaction_create) desk.forget(row.id);
    if (listener != nullptr) listener->on_given_up(row);
    --l.readable;
    --spooled;
    spooled_bytes -= std::min(spooled_bytes, row.bytes);
    if (spooled == 0) spooled_bytes = 0;
    --spooled_by_class[static_cast<std::size_t>(rank)];
    done.push_back(row.position);
    given_up.insert(row.position);
    shard_order& of = order.of(row.gen, row.shard);
    if (of.spilled > 0) --of.spilled;
    const bool fell = order.settle(of, row.epoch);
    refill(l, now);
    waiting.feed(l);
    waiting.place(l, now);
    if (fell) waiting.on_fence(of, now);
}

// What is cheaper in memory goes before anything of that class in the spool: it makes room for
// reading back. False: it has done enough at once, and there is more.
bool delivery::impl::shed_below(std::size_t rank, time_point now) {
    for (std::size_t n = 0; n < rows_to_choose_from; ++n) {
        entry* const e = books.victim_below(rank);
        if (e == nullptr) return true;
        shed(*e, now);
    }
    return books.victim_below(rank) == nullptr;
}

void delivery::impl::shed_aged(wall_ms before, time_point now) {
    std::vector<entry*> old;
    for (entry& e : books.by_age()) {
        if (e.event->received_wall >= before) break;
        if (!e.in_flight && !e.own && e.disk != on_disk::writing) old.push_back(&e);
    }
    for (entry* e : old)
        shed(*e, now);
}

// ---- a lost spool ------------------------------------------------------------------------------

void delivery::on_spool_reset(time_point now, wall_ms wall) {
    impl& d = *impl_;
    if (!d.spooling) return;
    d.forget_spooled(now, wall);
    d.drop_all_for_good(d.drops_out, now);
    d.batch_out = false;
    d.reads_out = 0;
    d.listing = false;
    d.list_after = 0;
    d.done.clear(), d.done_out.clear(), d.given_up.clear(), d.dead_done.clear();
    d.dying_new.clear(), d.dying_out.clear();
    d.gaps.forget_kept();
    d.dead.each([&](const dead_letter& l) {
        auto again = std::make_unique<impl::dying>();
        again->row = {l.number, l.status, l.attempts, l.when, l.reason, l.event};
        d.dying_new.push_back(std::move(again));
    });
    // Everything in memory is to be written again, in order of arrival.
    d.young.clear(), d.wanted.clear(), d.spilling.clear(), d.writing.clear();
    std::vector<entry*> all;
    for (entry& e : d.books.by_age())
        all.push_back(&e);
    std::sort(all.begin(), all.end(),
              [](const entry* a, const entry* b) { return a->position < b->position; });
    for (entry* e : all) {
        if (e->disk == on_disk::writing && e->spilled) d.books.set_pinned(*e, false);
        e->mark.writing = false;
        e->disk = on_disk::wanted;
        (e->spilled ? d.spilling : d.wanted).push_back(*e);
    }
    d.stored_too = 0;
    d.relink_marks();
    d.keep_bounds(now);
}

void delivery::impl::forget_spooled(time_point now, wall_ms wall) {
    counts.spool_lost += spooled;
    spooled = spooled_bytes = 0;
    spooled_by_class.fill(0);
    order.forget_counts();
    for (const entry& e : books.by_age())
        order.recount(e);
    order.settle_recount();
    std::vector<event_ptr> told;
    order.each([&](shard_order& of) {
        if (of.spilled == 0) return;
        told.push_back(own_events.gap(of.shard, of.shards, of.gen, "storage", of.spilled_since,
                                      wall, nullptr, now, wall));
        of.spilled = 0;
    });
    std::vector<lane*> touched;
    waiting.each([&](lane& l) {
        if (l.readable == 0 && !l.reading) return;
        touched.push_back(&l);
    });
    for (lane* l : touched) {
        l->readable = 0;
        l->reading = l->awaited = false;
        l->spilled_from = 0;
        refill(*l, now);
        waiting.feed(*l);
        waiting.place(*l, now);
    }
    for (event_ptr& e : told)
        enqueue(std::move(e), true, true, now);
    order.each([&](const shard_order& of) { waiting.on_fence(of, now); });
}

// The marks of what had been durable, in order of seq again.
void delivery::impl::relink_marks() {
    std::vector<entry*> events;
    for (entry& e : books.by_age())
        if (!e.own && e.order->session == e.event->session) events.push_back(&e);
    std::sort(events.begin(), events.end(),
              [](const entry* a, const entry* b) { return a->event->seq < b->event->seq; });
    order.each([](shard_order& of) { of.unsafe.clear(); });
    for (entry* e : events) {
        e->mark.of = e;
        e->mark.seq = e->event->seq;
        e->order->unsafe.push_back(e->mark);
    }
}

}  // namespace shardgate
