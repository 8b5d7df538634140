// SPDX-License-Identifier: Apache-2.0
// What must hold in the model's world, whatever happens.
#include <algorithm>
#include <sstream>

#include "unit/reshard/pairing_model.hpp"

namespace shardgate::testing {

void pairing_model::fail(const std::string& what) {
    if (!fault_.empty()) return;
    std::ostringstream text;
    text << "seed " << world_.seed << ", " << settings_.old_total.value << " -> "
         << settings_.new_total.value << ", overlap " << settings_.overlap / 1s << " s, at "
         << std::chrono::duration<double>(now_ - start_).count() << " s: " << what;
    fault_ = text.str();
}

void pairing_model::tell(std::size_t lane_index, const std::string& what) {
    if (world_.told != lane_index) return;
    std::ostringstream text;
    text << std::chrono::duration<double>(now_ - start_).count() << "  " << what << "\n";
    story_ += text.str();
}

// The proofs of pairing.hpp: an event unique by nature, or one that nothing equals within
// `overlap`, seen by both of the present sessions; or nothing at all for `overlap`.
void pairing_model::note_proof(lane& l, const happening& h, shard_set by) {
    const duration now = pairs_[l.pair].both_live;
    check_proof(l);
    l.quiet_from = now;
    const shard_set o = other(by);
    const copy& twin = h.copies[at(o)];
    const bool both = twin.what != fate::none && twin.what != fate::before &&
                      twin.session == of(o, l.shards[at(o)]).number;
    if (both && h.id.unique) l.proven = true;
    if (both && h.lone && !l.proven) l.lone_in_both.push_back(now);
}

void pairing_model::check_proof(lane& l) {
    if (l.proven) return;
    const duration now = pairs_[l.pair].both_live;
    // It looks at its lanes four times an overlap.
    const duration noticed = settings_.overlap * 5 / 4;
    l.proven = now - l.quiet_from > noticed ||
               (!l.lone_in_both.empty() && now - l.lone_in_both.front() > noticed);
    l.doubtful = l.doubtful || (!l.proven && now - l.unproven_from > 6 * settings_.overlap);
}

void pairing_model::goes_on(std::size_t index, shard_set by) {
    happening& h = all_[index];
    h.gone_on = true;
    h.by = by;
    lanes_[h.lane].gone_on.push_back(index);
    session& s = of(by, lanes_[h.lane].shards[at(by)]);
    const copy& c = h.copies[at(by)];
    if (c.session != s.number) return;
    s.unsafe.insert(c.seq);
    settling_.push({now_ + (chance_.below(5) != 0 ? span(0, 1) : span(0, 6)), &s, s.number, c.seq});
}

void pairing_model::collect_released() {
    for (const pairing::released_event& r : pairing_->take_released()) {
        const std::uint64_t number = r.event ? r.event->id.value : 0;
        if (number == 0 || number > all_.size()) return fail("something strange was released");
        happening& h = all_[number - 1];
        copy& c = h.copies[at(r.from)];
        tell(h.lane, std::string(r.from == shard_set::old_set ? "old" : "new") + "'s " +
                         std::to_string(h.id.low) + " is RELEASED");
        if (c.what != fate::held || !(r.id == h.id) || r.event->seq.value != c.seq)
            fail("what was released had not been held");
        c.what = fate::released;
        ++tally_.released;
        goes_on(number - 1, r.from);
    }
}

void pairing_model::settle() {
    while (!settling_.empty() && settling_.top().when <= now_) {
        const settling& t = settling_.top();
        if (t.of->number == t.number) t.of->unsafe.erase(t.seq);
        settling_.pop();
    }
}

std::optional<seq_no> pairing_model::ask_unsafe(session& s) {
    const auto unsafe = [this](shard_set set, shard_id shard) -> std::optional<seq_no> {
        const session& of_twin = of(set, shard.value);
        if (of_twin.unsafe.empty()) return std::nullopt;
        return seq_no{*of_twin.unsafe.begin()};
    };
    return pairing_->first_unsafe(s.set, shard_id{static_cast<std::uint32_t>(s.shard)}, unsafe);
}

// Never above an event that was held or dropped while its twin could still be lost. Of equal events
// it is not known which is whose twin, and a twin from a session that is gone is in nobody's marks.
void pairing_model::check_marks(session& s) {
    const std::optional<seq_no> mark = ask_unsafe(s);
    const bool over = retired_ && s.set != preferred_;
    if (world_.hopeless || world_.records < 100'000 || s.doomed || over) return;
    const shard_set o = other(s.set);
    while (!s.watched.empty()) {
        const happening& h = all_[s.watched.front()];
        const lane& l = lanes_[h.lane];
        const copy& mine = h.copies[at(s.set)];
        const copy& twin = h.copies[at(o)];
        const session& partner = of(o, l.shards[at(o)]);
        const bool safe =
            !h.lone || twin.what == fate::before || l.hard || l.doubtful ||
            mine.what == fate::released ||
            (h.gone_on && (twin.session != partner.number || partner.what == session::phase::gone ||
                           partner.unsafe.count(twin.seq) == 0));
        if (!safe) {
            if (mark && mark->value <= mine.seq) return;
            wrong_lane_ = h.lane;
            fail("lane " + std::to_string(h.lane) + ": " + name_of(s) + "'s " +
                 std::to_string(mine.seq) + " is not safe, but its mark is " +
                 (mark ? std::to_string(mark->value) : "nothing"));
            return;
        }
        s.watched.pop_front();
    }
}

void pairing_model::check_books(bool at_the_end) {
    const pairing_stats st = pairing_->stats();
    tally_.most_records = std::max(tally_.most_records, st.records);
    tally_.most_held_bytes = std::max(tally_.most_held_bytes, st.held_bytes);
    if (st.records > settings_.records) fail("more records than allowed");
    if (st.held_bytes > settings_.held_bytes) fail("more bytes held than allowed");
    if (st.forwarded != forwarded_ || st.held != held_ || st.released != tally_.released)
        fail("forwarded, held or released is counted wrongly");
    if (forwarded_ + held_ + dropped_ != tally_.copies) fail("an event without a verdict");
    if (st.dropped != dropped_) fail("dropped is counted wrongly");
    const std::uint64_t ended = st.released + st.met + st.expired + st.forgotten;
    if (ended > st.held || (ended == st.held && st.held_bytes != 0))
        fail("of " + std::to_string(st.held) + " held, with " + std::to_string(st.held_bytes) +
             " bytes left, " + std::to_string(st.released) + " released, " +
             std::to_string(st.met) + " met, " + std::to_string(st.expired) + " expired, " +
             std::to_string(st.forgotten) + " forgotten");
    if (st.led_by_old + st.led_by_new > st.lanes || st.unaligned > st.lanes)
        fail("lanes are counted wrongly");
    if (!at_the_end) return;
    tally_.guessed = st.guessed;
    tally_.started_over = st.started_over;
    if (ended != st.held) fail("what became of something held is not counted");
    if (st.held_bytes != 0) fail("something is held for ever");
    if (st.records != 0) fail(std::to_string(st.records) + " records are kept for ever");
    if (st.owed_to_old + st.owed_to_new != 0) fail("something is owed for ever");
    if (!pairing_->settled()) fail("not settled when all is quiet");
}

// What came from either set has gone on, as often as it happened and in that order.
void pairing_model::check_lane(std::size_t index) {
    lane& l = lanes_[index];
    std::vector<std::uint64_t> due, went;
    for (const std::size_t i : l.happened) {
        const auto& c = all_[i].copies;
        // Of a set that was forgotten only what had gone on by then.
        const auto came = [&](shard_set set) {
            const fate what = c[at(set)].what;
            return retired_ && set != preferred_ ? what == fate::forwarded || what == fate::released
                                                 : what != fate::none && what != fate::before;
        };
        // What the old set showed before the pairing began has gone on without it.
        if (c[0].what != fate::before && (came(shard_set::old_set) || came(shard_set::new_set)))
            due.push_back(all_[i].id.low);
    }
    for (const std::size_t i : l.gone_on)
        went.push_back(all_[i].id.low);
    if (due == went) return;
    const bool excused = l.hard || l.doubtful || world_.hopeless;
    std::map<std::uint64_t, std::int64_t> balance;
    for (const std::uint64_t id : due)
        ++balance[id];
    for (const std::uint64_t id : went)
        --balance[id];
    std::int64_t lost = 0, doubled = 0;
    for (const auto& [id, n] : balance)
        (n > 0 ? lost : doubled) += std::abs(n);
    if (excused) {
        ++tally_.wrong;
        tally_.lost += static_cast<std::uint64_t>(lost);
        tally_.doubled += static_cast<std::uint64_t>(doubled);
        return;
    }
    const auto [a, b] = std::mismatch(due.begin(), due.end(), went.begin(), went.end());
    if (!wrong_lane_) wrong_lane_ = index;
    fail("lane " + std::to_string(index) + ": " + std::to_string(lost) + " lost, " +
         std::to_string(doubled) + " doubled; of " + std::to_string(due.size()) + " the first " +
         std::to_string(a - due.begin()) + " are right, then " +
         (a == due.end() ? "nothing" : std::to_string(*a)) + " was due, " +
         (b == went.end() ? "nothing" : std::to_string(*b)) + " went on");
}

void pairing_model::check_end() {
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
        check_lane(i);
        tally_.doubtful += lanes_[i].doubtful && !lanes_[i].hard ? 1 : 0;
    }
    for (const shard_set set : {shard_set::old_set, shard_set::new_set})
        for (session& s : sessions_[at(set)]) {
            if (retired_ || !s.live) continue;
            if (const auto mark = ask_unsafe(s))
                fail(name_of(s) + "'s mark stays at " + std::to_string(mark->value));
        }
    check_books(true);
}

}  // namespace shardgate::testing
