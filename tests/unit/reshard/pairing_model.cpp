// SPDX-License-Identifier: Apache-2.0
// What happens in the model's world. What must hold: pairing_model_rules.cpp.
#include "unit/reshard/pairing_model.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>

namespace shardgate::testing {

namespace {

std::uint64_t mixed(std::uint64_t x) {
    return std::hash<snowflake>{}(snowflake{x + 0x9e3779b97f4a7c15ULL});
}

constexpr std::array<std::array<std::uint32_t, 2>, 12> totals{{{8, 16},
                                                               {16, 12},
                                                               {12, 24},
                                                               {5, 5},
                                                               {3, 1},
                                                               {1, 7},
                                                               {1, 1},
                                                               {2, 4},
                                                               {6, 4},
                                                               {4, 8},
                                                               {1, 2},
                                                               {7, 3}}};

}  // namespace

void pairing_tally::add(const pairing_tally& more) {
    happened += more.happened;
    copies += more.copies;
    released += more.released;
    resets += more.resets;
    new_sessions += more.new_sessions;
    lanes += more.lanes;
    hard += more.hard;
    doubtful += more.doubtful;
    wrong += more.wrong;
    lost += more.lost;
    doubled += more.doubled;
    guessed += more.guessed;
    started_over += more.started_over;
    most_records = std::max(most_records, more.most_records);
    most_held_bytes = std::max(most_held_bytes, more.most_held_bytes);
}

pairing_model::pairing_model(const pairing_world& world) : world_(world), chance_(world.seed) {
    const auto& total = totals[chance_.below(totals.size())];
    settings_.old_total = shard_count{total[0]};
    settings_.new_total = shard_count{total[1]};
    settings_.overlap = chance_.below(2) == 0 ? 5s : 10s;
    settings_.records = world.records;
    settings_.held_bytes = world.held_bytes;
    rate_ = 20 + 60 * chance_.unit();
    make_lanes();
    make_pairs();
    make_sessions();
}

double pairing_model::seconds_from(double low, double high) {
    return low + (high - low) * chance_.unit();
}

duration pairing_model::span(double low, double high) {
    return std::chrono::duration_cast<duration>(
        std::chrono::duration<double>(seconds_from(low, high)));
}

event_identity pairing_model::new_id(bool unique) {
    event_identity id;
    id.low = ++last_id_;
    id.high = mixed(id.low);
    id.unique = unique;
    return id;
}

// Few guilds have most of the events. Some lanes show nothing but the same content again and again.
void pairing_model::make_lanes() {
    const std::size_t count = 40 + chance_.below(200);
    const double steep = seconds_from(0.7, 1.4);
    double sum = 0;
    for (std::size_t i = 0; i < count; ++i) {
        lane l;
        const std::uint64_t id = mixed(i * 77 + world_.seed) >> 1;
        l.key = {lane_key::kind::guild, id};
        if (i % 10 == 3) l.key = {lane_key::kind::channel, id};
        if (i == 5) l.key = {lane_key::kind::shard, 0};
        l.hard = chance_.unit() < world_.hard_lanes;
        l.unique = seconds_from(0.2, 0.7);
        l.lone = seconds_from(0.1, 0.3);
        l.shards = {shard_of(l.key, settings_.old_total).value,
                    shard_of(l.key, settings_.new_total).value};
        sum += l.hard ? 0 : std::pow(static_cast<double>(i + 1), -steep);
        weights_.push_back(sum);
        if (l.hard) repeats_.push({start_ - 3s + span(0, 5), i, new_id(false)});
        tally_.hard += l.hard ? 1 : 0;
        lanes_.push_back(std::move(l));
    }
    tally_.lanes = count;
}

void pairing_model::make_pairs() {
    std::map<std::array<std::size_t, 2>, std::size_t> known;
    for (lane& l : lanes_) {
        const auto [place, fresh] = known.try_emplace(l.shards, pairs_.size());
        if (fresh) pairs_.push_back({l.shards, {}, {}});
        l.pair = place->second;
    }
}

void pairing_model::happens(std::size_t lane_index, const event_identity& id, bool lone) {
    lane& l = lanes_[lane_index];
    const std::size_t index = all_.size();
    all_.push_back({lane_index, id, lone, now_, {}, false, {}});
    l.happened.push_back(index);
    ++tally_.happened;
    tell(lane_index, "happens: " + std::to_string(id.low) + (id.unique ? " (unique)" : ""));
    for (const shard_set set : {shard_set::old_set, shard_set::new_set}) {
        session& s = of(set, l.shards[at(set)]);
        if (s.what != session::phase::unborn) s.queue.push_back(index);
    }
}

void pairing_model::something_in(std::size_t lane_index) {
    const lane& l = lanes_[lane_index];
    const double what = chance_.unit();
    if (what < l.unique) return happens(lane_index, new_id(true), true);
    if (what < l.unique + l.lone) return happens(lane_index, new_id(false), true);
    const event_identity id = new_id(false);
    happens(lane_index, id, false);
    if (chance_.below(4) != 0) repeats_.push({now_ + span(0, 8), lane_index, id});
}

void pairing_model::happen() {
    while (!repeats_.empty() && repeats_.top().when <= now_) {
        const repeat r = repeats_.top();
        repeats_.pop();
        if (!traffic_) continue;
        happens(r.lane, r.id, false);
        const bool hard = lanes_[r.lane].hard;
        const double most = 0.8 * std::chrono::duration<double>(settings_.overlap).count();
        if (hard) repeats_.push({now_ + span(0.05, most), r.lane, r.id});
        if (!hard && chance_.below(2) == 0) repeats_.push({now_ + span(0, 8), r.lane, r.id});
    }
    if (!traffic_ || weights_.back() <= 0) return;
    if (chance_.below(1500) == 0) {  // somebody raids a guild
        burst_lane_ = chance_.below(std::min<std::size_t>(lanes_.size(), 20));
        burst_until_ = now_ + span(0.5, 4);
    }
    // Steps are 20 ms in the mean.
    for (double due = rate_ * 0.02 * 2 * chance_.unit(); due > 0; due -= 1) {
        if (due < 1 && chance_.unit() >= due) break;
        const double point = chance_.unit() * weights_.back();
        const auto it = std::lower_bound(weights_.begin(), weights_.end(), point);
        something_in(static_cast<std::size_t>(it - weights_.begin()));
    }
    if (now_ < burst_until_ && !lanes_[burst_lane_].hard)
        for (std::uint64_t n = chance_.below(5); n > 0; --n)
            something_in(burst_lane_);
}

void pairing_model::deliver(session& s) {
    if (s.what != session::phase::up || now_ < s.silent_until) return;
    const duration lag = lag_of(s);
    while (!s.queue.empty() && all_[s.queue.front()].when + lag <= now_) {
        const std::size_t index = s.queue.front();
        s.queue.pop_front();
        deliver_one(s, index);
    }
}

void pairing_model::deliver_one(session& s, std::size_t index) {
    happening& h = all_[index];
    copy& mine = h.copies[at(s.set)];
    mine = {fate::before, s.number, ++s.seq};
    if (!pairing_) return;
    ++tally_.copies;
    paired_event event{s.set, shard_id{static_cast<std::uint32_t>(s.shard)}, seq_no{s.seq},
                       lanes_[h.lane].key, h.id};
    int kept = 0;
    const auto keep = [&] {
        ++kept;
        constexpr std::string_view frame = R"({"t":"X","s":1,"op":0,"d":{"content":"same"}})";
        static const session_handle name = std::make_shared<const std::string>("session");
        dispatch d;
        d.shard = event.shard;
        d.seq = event.seq;
        d.session = &name;
        d.name = "X";
        d.frame = frame;
        d.d = frame.substr(frame.size() - 19, 18);
        d.fields.id = snowflake{index + 1};
        return queued_event::from(d);
    };
    const pair_verdict verdict = pairing_->on_event(event, keep, now_);
    const bool hold = verdict == pair_verdict::hold;
    if (kept != (hold ? 1 : 0)) fail("keep was asked for " + std::to_string(kept) + " times");
    mine.what = hold                               ? fate::held
                : verdict == pair_verdict::forward ? fate::forwarded
                                                   : fate::dropped;
    tell(h.lane, name_of(s) + " shows " + std::to_string(h.id.low) + ": " +
                     (hold                           ? "held"
                      : mine.what == fate::forwarded ? "FORWARDED"
                                                     : "dropped"));
    held_ += hold ? 1 : 0;
    dropped_ += verdict == pair_verdict::drop ? 1 : 0;
    forwarded_ += verdict == pair_verdict::forward ? 1 : 0;
    if (verdict == pair_verdict::forward)
        goes_on(index, s.set);
    else
        s.watched.push_back(index);
    note_proof(lanes_[h.lane], h, s.set);
    collect_released();
}

void pairing_model::plan_preferences() {
    time_point when = now_ + 2 * settings_.overlap;
    preferences_.emplace_back(when, shard_set::new_set);
    const double unit = std::chrono::duration<double>(settings_.overlap).count();
    if (chance_.below(5) < 2) {
        when += span(0.01, 4 * unit);
        preferences_.emplace_back(when, shard_set::old_set);
        if (chance_.below(2) == 0) {
            when += span(0.01, 4 * unit);
            preferences_.emplace_back(when, shard_set::new_set);
        }
    }
    preferences_.emplace_back(when + span(unit, 5 * unit), preferences_.back().second);
}

void pairing_model::prefer_as_planned() {
    if (preferences_.empty() || now_ < preferences_.front().first) return;
    preferred_ = preferences_.front().second;
    preferences_.erase(preferences_.begin());
    pairing_->prefer(preferred_, now_);
    if (world_.told)
        tell(*world_.told, preferred_ == shard_set::old_set ? "prefer old" : "prefer new");
    if (pairing_->preferred() != preferred_) fail("the preferred set is another");
    collect_released();
}

void pairing_model::step() {
    const duration passed = span(0.001, 0.039);
    now_ += passed;
    for (pair_clock& p : pairs_)
        if (of(shard_set::old_set, p.shards[0]).live && of(shard_set::new_set, p.shards[1]).live) {
            p.both_live += passed;
            p.since_break[0] += passed;
            p.since_break[1] += passed;
            p.on_end += passed;
            p.acquainted = p.acquainted || p.on_end > settings_.overlap;
        } else {
            p.on_end = {};
        }
    happen();
    // Whoever comes first within a step.
    const std::size_t count = sessions_[0].size() + sessions_[1].size();
    const std::size_t first = chance_.below(count);
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t k = (first + i) % count;
        session& s =
            k < sessions_[0].size() ? sessions_[0][k] : sessions_[1][k - sessions_[0].size()];
        move(s);
        deliver(s);
    }
    if (!pairing_) return;
    prefer_as_planned();
    settle();
    if (now_ >= pairing_->deadline()) {
        pairing_->on_timer(now_);
        collect_released();
        if (pairing_->deadline() <= now_) fail("the timer is due again at once");
    }
    if (chance_.below(8) == 0) {
        std::vector<session>& set = sessions_[chance_.below(2)];
        check_marks(set[chance_.below(set.size())]);
    }
    if (chance_.below(32) == 0) check_books(false);
}

void pairing_model::run() {
    faults_ = false;
    while (now_ < start_ + 3500ms)
        step();
    faults_ = true;
    pairing_ = std::make_unique<pairing>(settings_, now_);
    for (auto& set : sessions_)
        for (session& s : set)
            if (s.what == session::phase::unborn)
                s.until = now_ + span(0.05, 0.6 * static_cast<double>(sessions_[1].size()));
            else if (chance_.below(10) != 0)
                set_live(s, true);
            else
                reset(s);
    const auto& young = sessions_[at(shard_set::new_set)];
    const time_point patience = now_ + 10min;
    while (fault_.empty() && now_ < patience &&
           std::any_of(young.begin(), young.end(), [](const session& s) {
               return s.number == 0 || (s.number == 1 && !s.live);
           }))
        step();
    plan_preferences();
    while (fault_.empty() && !preferences_.empty())
        step();
    if (fault_.empty()) wait_until_settled();
    if (fault_.empty() && chance_.below(2) == 0) retire();
    if (fault_.empty()) drain();
    if (fault_.empty()) check_end();
}

// The connections have come to rest, the traffic goes on.
void pairing_model::wait_until_settled() {
    faults_ = false;
    for (auto& set : sessions_)
        for (session& s : set)
            s.silent_until = {};
    const auto at_rest = [this] {
        for (const auto& set : sessions_)
            for (const session& s : set)
                if (!s.live) return false;
        return true;
    };
    while (fault_.empty() && !at_rest())
        step();
    const time_point patience = now_ + 12 * settings_.overlap;
    time_point settled_since = never;
    while (fault_.empty() && (settled_since == never || now_ < settled_since + settings_.overlap)) {
        step();
        settled_since = pairing_->settled() ? std::min(settled_since, now_) : never;
        if (now_ < patience) continue;
        if (!world_.hopeless && world_.records >= 100'000) fail("not settled in twelve overlaps");
        return;
    }
}

// What the controller does then: the other set is forgotten, and closed little by little.
void pairing_model::retire() {
    if (!pairing_->settled()) return;
    retired_ = true;
    pairing_->forget(other(preferred_), now_);
    collect_released();
    for (session& s : sessions_[at(other(preferred_))]) {
        faults_ = true;  // the set that stays has them alone now
        for (std::uint64_t n = chance_.below(60); n > 0; --n)
            step();
        faults_ = false;
        set_live(s, false);
        s.what = session::phase::down;
        s.until = never;
    }
}

void pairing_model::drain() {
    for (time_point until = now_ + settings_.overlap; now_ < until;)
        step();
    traffic_ = false;
    for (time_point until = now_ + 4s + 3 * settings_.overlap; now_ < until;)
        step();
    while (!settling_.empty() && fault_.empty())
        step();
}

}  // namespace shardgate::testing
