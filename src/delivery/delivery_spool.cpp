// SPDX-License-Identifier: Apache-2.0
// What goes to the spool, and when; what a crash would lose. Rules: docs/spool.md.
// Within a lane, what is stored is always the older part of what is unsettled: after a crash a
// replay brings the rest, and it belongs behind.
#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "delivery/delivery_impl.hpp"

namespace shardgate {

namespace {

constexpr duration store_after = std::chrono::seconds(1);
// Then whatever is half as old goes along, so that there is a batch twice a second at most.
constexpr duration store_along = store_after / 2;
constexpr std::size_t rows_a_batch = 4096;
constexpr std::size_t bytes_a_batch = 8U << 20;
constexpr std::size_t frees_that_matter = 2048;

std::uint64_t code_of(generation gen, shard_id shard) noexcept {
    return (static_cast<std::uint64_t>(gen.value) << 32) | shard.value;
}

}  // namespace

// ---- arrival ---------------------------------------------------------------------------------

bool delivery::impl::known(const dispatch& event) {
    // Its row is gone, and a replay from a mark before it would bring it behind what came later.
    if (event.event == event_id::interaction_create && dropped_before.contains(event.fields.id)) {
        ++counts.replayed_known;
        return true;
    }
    const auto it = known_replays.find(code_of(event.gen, event.shard));
    if (it == known_replays.end()) return false;
    const known_seqs& k = it->second;
    const bool same = event.session != nullptr && *event.session && **event.session == k.session;
    if (!same || k.seqs.empty() || event.seq.value > k.seqs.back()) {
        known_replays.erase(it);
        return false;
    }
    if (!std::binary_search(k.seqs.begin(), k.seqs.end(), event.seq.value)) return false;
    ++counts.replayed_known;
    return true;
}

void delivery::impl::on_arrival(entry& e) {
    shard_order& of = *e.order;
    if (of.session != e.event->session) {
        // Nothing will replay what the old session left: it goes to the disk now.
        want_shard(of);
        orphans.splice(orphans.end(), of.unsafe);
        of.session = e.event->session;
    }
    e.mark.of = &e;
    e.mark.seq = e.event->seq;
    // In order of seq. Only what was held while shard sets overlap comes late.
    auto behind = of.unsafe.end();
    while (behind != of.unsafe.begin() && std::prev(behind)->seq > e.mark.seq)
        --behind;
    of.unsafe.insert(behind, e.mark);
    // Discord replays everything but this.
    if (e.event->event == event_id::ready && !e.spilled) want(e);
}

bool delivery::impl::must_spill(const lane& l) const noexcept {
    if (queue.overflow != config::overflow_policy::spill) return false;
    if (l.spilled()) return true;
    if (disk_fails) return false;  // it would be stuck: shedding keeps the bound
    // The fuller memory is, the less of it one lane may have: a guild whose requests hang fills
    // half of it, then the spool, and the others never notice.
    static constexpr std::array<std::size_t, 7> allowed{SIZE_MAX, SIZE_MAX, SIZE_MAX, SIZE_MAX,
                                                        64,       16,       4};
    const unsigned eighths = books.eighths();
    return eighths >= allowed.size() || l.queue.size() >= allowed[eighths];
}

void delivery::impl::spill(lane& l, entry& e) {
    if (!l.spilled())
        for (entry& older : l.queue)
            if (older.disk == on_disk::no) want_alone(older);
    e.where = &l;
    e.spilled = true;
    l.pending.push_back(e);
    e.due.unlink();
    e.disk = on_disk::wanted;
    spilling.push_back(e);
}

void delivery::impl::want(entry& e) {
    if (e.disk != on_disk::no) return;
    lane_queue& q = e.where->queue;
    auto first = q.iterator_to(e);
    while (first != q.begin() && std::prev(first)->disk == on_disk::no)
        --first;
    for (auto it = first; &*it != &e; ++it)
        want_alone(*it);
    want_alone(e);
}

void delivery::impl::want_alone(entry& e) {
    e.due.unlink();
    e.disk = on_disk::wanted;
    wanted.push_back(e);
}

void delivery::impl::want_shard(shard_order& of) {
    for (unsafe_mark& m : of.unsafe)
        if (m.of != nullptr && m.of->disk == on_disk::no) want(*m.of);
}

void delivery::impl::free_row(const entry& e) {
    if (e.disk != on_disk::stored && e.disk != on_disk::writing) return;
    if (e.disk == on_disk::stored) --stored_too;
    done.push_back(e.position);
    // Its lane may be read back before the row is gone, and from before its place in the lane.
    given_up.insert(e.position);
}

void delivery::impl::keep_dead(dead_letter letter, entry& of) {
    letter.number = ++last_dead;
    std::unique_ptr<dying> d;
    if (spooling) {
        d = std::make_unique<dying>();
        d->row = {letter.number, letter.status, letter.attempts,
                  letter.when,   letter.reason, letter.event};
        // It is safe once the letter is on disk, or already if its row is: both change at once.
        if (of.mark.in_shard.is_linked()) {
            d->mark.seq = of.mark.seq;
            of.order->unsafe.insert(mark_list::s_iterator_to(of.mark), d->mark);
        }
        dying_new.push_back(std::move(d));
    }
    for (const std::uint64_t number : dead.add(std::move(letter)))
        if (spooling) dead_done.push_back(number);
}

// ---- batches ---------------------------------------------------------------------------------

time_point delivery::changes_due() const noexcept {
    const impl& d = *impl_;
    if (!d.spooling || d.batch_out) return never;
    const bool now = !d.wanted.empty() || (!d.spilling.empty() && d.room_in_spool()) ||
                     !d.dying_new.empty() || !d.answers.empty() || !d.dead_done.empty() ||
                     d.gaps.changed() || d.done.size() >= frees_that_matter;
    if (now) return time_point::min();
    return d.young.empty() ? never : later(d.young.front().queued, store_after);
}

bool delivery::spool_due(time_point now) const noexcept {
    const impl& d = *impl_;
    return d.spooling && (changes_due() <= now || d.waiting.any_hungry() || d.spool_crowded() ||
                          now >= d.next_age_check);
}

void delivery::impl::take_rows(due_list& from, spool_changes& out, std::size_t& bytes) {
    while (!from.empty() && out.rows.size() < rows_a_batch && bytes < bytes_a_batch) {
        entry& e = from.front();
        spool_row row;
        row.position = e.position;
        row.lane = handler.ordering == config::ordering_mode::none
                       ? lane_key{lane_key::kind::single, 0}
                       : e.where->key;
        row.epoch = e.epoch;
        row.attempts = e.attempts;
        row.tells_gap = e.tells_gap;
        row.event = e.event;
        out.rows.push_back(std::move(row));
        bytes += e.event->weight();
        e.due.unlink();
        e.disk = on_disk::writing;
        e.mark.writing = true;
        if (e.spilled) books.set_pinned(e, true);
        writing.push_back(e);
    }
}

spool_changes delivery::next_changes(bool everything, time_point now, wall_ms) {
    impl& d = *impl_;
    spool_changes out;
    if (!d.spooling || d.batch_out) return out;
    const bool aged = !d.young.empty() && later(d.young.front().queued, store_after) <= now;
    while (!d.young.empty() &&
           (everything || (aged && later(d.young.front().queued, store_along) <= now)))
        d.want_alone(d.young.front());
    std::size_t bytes = 0;
    d.take_rows(d.wanted, out, bytes);
    const bool copies_done = d.wanted.empty();
    // Nothing replays what an ended session left: it is written although the spool is full.
    const bool spills = everything || d.room_in_spool() || !d.orphans.empty();
    if (copies_done && spills) d.take_rows(d.spilling, out, bytes);
    std::sort(out.rows.begin(), out.rows.end(),
              [](const spool_row& a, const spool_row& b) { return a.position < b.position; });
    d.done_out = std::exchange(d.done, {});
    out.done = d.done_out;
    d.dying_out = std::exchange(d.dying_new, {});
    for (const auto& dying : d.dying_out) {
        dying->mark.writing = true;
        out.dead.push_back(dying->row);
    }
    // A letter that is tried again must be among the events before it leaves the dead; a gap that
    // is told, before its count goes. What was shed is counted in the batch whose marks pass it.
    if (copies_done) out.dead_done = std::exchange(d.dead_done, {});
    out.notes = d.gaps.take_changes(copies_done);
    out.interactions = std::exchange(d.answers, {});
    d.drops_out = std::exchange(d.drops, {});
    d.batch_out = !out.empty();
    return out;
}

void delivery::on_changes_stored(time_point now) {
    impl& d = *impl_;
    if (!d.batch_out) return;
    d.batch_out = false;
    d.may_evict = true;
    while (!d.writing.empty())
        d.on_row_stored(d.writing.front());
    d.dying_out.clear();
    for (const std::uint64_t position : d.done_out)
        d.given_up.erase(position);
    d.done_out.clear();
    d.drop_all_for_good(d.drops_out, now);
    d.keep_bounds(now);
}

void delivery::impl::on_row_stored(entry& e) {
    e.due.unlink();
    e.mark.in_shard.unlink();
    e.mark.writing = false;
    e.disk = on_disk::stored;
    if (!e.spilled) {
        ++stored_too;
        return;
    }
    lane& l = *e.where;
    l.pending.erase(l.pending.iterator_to(e));
    if (l.readable == 0) l.spilled_from = e.position;
    count_spilled(l, e);
    books.remove(e);
    waiting.feed(l);
}

void delivery::impl::count_spilled(lane& l, const entry& e) {
    ++l.readable;
    ++spooled;
    spooled_bytes += e.event->weight();
    ++spooled_by_class[static_cast<std::size_t>(e.rank)];
    if (e.order->spilled++ == 0) e.order->spilled_since = e.event->received_wall;
    if (e.event->event == event_id::interaction_create) {
        const auto it = queued_interactions.find(e.event->id);
        if (it != queued_interactions.end() && it->second == &e) queued_interactions.erase(it);
    }
}

// ---- marks -----------------------------------------------------------------------------------

std::optional<seq_no> delivery::first_unsafe(generation gen, shard_id shard,
                                             bool after_batch) const noexcept {
    const shard_order* of = impl_->order.find(gen, shard);
    if (of == nullptr) return std::nullopt;
    for (const unsafe_mark& m : of->unsafe)
        if (!after_batch || !m.writing) return m.seq;
    return std::nullopt;
}

void delivery::hold(generation gen, shard_id shard) {
    if (shard_order* of = impl_->order.find(gen, shard)) impl_->want_shard(*of);
}

void delivery::restore_known(generation gen, shard_id shard, std::string_view session,
                             std::vector<std::uint64_t> seqs) {
    if (seqs.empty()) return;
    impl_->known_replays[code_of(gen, shard)] = {std::string(session), std::move(seqs)};
}

}  // namespace shardgate
