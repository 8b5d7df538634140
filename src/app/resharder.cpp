// SPDX-License-Identifier: Apache-2.0
#include "app/resharder.hpp"

#include <algorithm>
#include <utility>

#include "app/plan_facts.hpp"
#include "shardgate/base/log.hpp"
#include "shardgate/protocol/close_code.hpp"

namespace shardgate {

namespace {

constexpr close_code retired = 1000;      // Discord forgets the session at once
constexpr std::size_t closed_a_look = 2;  // twenty a second
// How far ahead of its events a seq is written down: two seconds' worth, and a few.
constexpr double ahead_seconds = 2;
constexpr double ahead_least = 16;

std::uint64_t received(const shard_runner& shard) {
    const auto& session = shard.session().session();
    return session ? session->seq.value : 0;
}

double seconds(duration d) {
    return std::chrono::duration<double>(d).count();
}

}  // namespace

resharder::resharder(reshard_parts parts, fleet& old, reshard_order order,
                     const std::vector<stored_session>& stored, std::function<void()> done)
    : parts_(std::move(parts)),
      old_(old),
      order_(order),
      done_(std::move(done)),
      new_(std::make_unique<fleet>(parts_.loop, parts_.settings, parts_.tls, parts_.stage,
                                   parts_.gate, parts_.random, order.to, parts_.gateway_url,
                                   parts_.user_agent, static_cast<fleet_listener&>(*this))),
      machine_({parts_.settings.resharding.overlap, order.expected_start,
                parts_.settings.resharding.voice_drain},
               order.again, clock::now()),
      timer_(parts_.loop, [this] { look(); }) {
    parts_.stage.withhold(order_.to.gen);
    for (const auto& shard : old_.shards())
        old_at_start_.push_back(received(*shard));
    if (!order_.again) keep("starting");
    // A new process must know which of the stored sets is the one in force.
    if (parts_.keeper != nullptr)
        parts_.keeper->set_fact(std::string(facts::plan), facts::text_of(old_.range()));
    log::info("resharding", {{"from", old_.range().total.value},
                             {"to", order_.to.total.value},
                             {"generation", order_.to.gen.value},
                             {"automatic", order_.automatic},
                             {"again", order_.again}});
    look();
    new_->spend_reserve(!order_.automatic);
    new_->start(stored);
}

resharder::~resharder() {
    parts_.stage.pair(nullptr);
    parts_.stage.withhold({});
}

void resharder::keep(std::string_view phase) {
    if (parts_.keeper == nullptr) return;
    parts_.keeper->set_fact(
        std::string(facts::reshard),
        facts::text_of({std::string(phase), old_.range().total, order_.to, order_.started}));
}

void resharder::end_sessions(const shard_range& of) {
    if (parts_.keeper != nullptr) parts_.keeper->end_sessions(of.gen, of.ids());
}

reshard_view resharder::view() const {
    reshard_view v;
    v.shards = static_cast<std::uint32_t>(new_->shards().size());
    v.loaded = new_->loaded();
    v.settled = twins_ != nullptr && twins_->settled();
    v.both_gone = machine_.calling_off() ? new_gone_ : old_gone_;
    return v;
}

void resharder::look() {
    if (suspended_) return;
    const time_point now = clock::now();
    if (closing_old_) close_some_old(now);
    for (reshard_step s = machine_.next(view(), now); s != reshard_step::none;
         s = machine_.next(view(), now))
        perform(s);
    if (const reshard_state is = machine_.state(); is != told_) {
        told_ = is;
        const pairing_stats p = twins_ ? twins_->stats() : last_;
        log::info("resharding: state", {{"state", name_of(is)},
                                        {"reason", std::string_view(machine_.reason())},
                                        {"led_by_old", p.led_by_old},
                                        {"led_by_new", p.led_by_new},
                                        {"unaligned", p.unaligned},
                                        {"owed_by_new", p.owed_to_new},
                                        {"owed_by_old", p.owed_to_old},
                                        {"acquainted", twins_ && twins_->acquainted()}});
    }
    timer_.arm(machine_.deadline(now));
    if (!machine_.over()) return;
    suspended_ = true;
    done_();
}

// Those with a live voice session may stay a while: it ends with them.
void resharder::close_some_old(time_point now) {
    const bool patient = now - closing_since_ < parts_.settings.resharding.voice_drain;
    const auto spare = [&](const shard_runner& shard) {
        return patient && parts_.stage.voices().any_on(shard.id(), old_.range().total);
    };
    closing_old_ = old_.stop_some(retired, closed_a_look, spare);
}

void resharder::perform(reshard_step step) {
    const auto when_stored = [this](std::function<void()> go) {
        if (parts_.keeper == nullptr) return go();
        parts_.keeper->when_stored([go = std::move(go), alive = std::weak_ptr<bool>(alive_)] {
            if (!alive.expired()) go();
        });
    };
    switch (step) {
    case reshard_step::none: break;
    case reshard_step::store_windows:
        keep("overlap");
        announce_keys();
        when_stored([this] { machine_.on_stored(); });
        break;
    case reshard_step::open_windows: open_windows(); break;
    case reshard_step::prefer_new: twins_->prefer(shard_set::new_set); break;
    case reshard_step::prefer_old: twins_->prefer(shard_set::old_set); break;
    case reshard_step::store_plan:
        keep("retiring");
        end_keys(*new_);
        if (parts_.keeper != nullptr)
            parts_.keeper->set_fact(std::string(facts::plan), facts::text_of(order_.to));
        when_stored([this] { machine_.on_stored(); });
        break;
    case reshard_step::close_old:
        twins_->forget(shard_set::old_set);
        closing_old_ = true;
        closing_since_ = clock::now();
        break;
    case reshard_step::close_new:
        if (twins_) {
            twins_->forget(shard_set::new_set);
            end_keys(old_);
        }
        new_->stop(retired);
        break;
    case reshard_step::finish:
        close_windows();
        keep("");
        end_sessions(old_.range());
        forget_keys(old_.range().gen);
        parts_.stage.withhold({});
        parts_.stage.tell_resharded(order_.to.first, old_.range().total, order_.to.total,
                                    order_.to.gen, order_.started);
        break;
    case reshard_step::give_up:
        close_windows();
        keep("");
        end_sessions(order_.to);
        forget_keys(order_.to.gen);
        break;
    }
}

// ---- keys ------------------------------------------------------------------------------------

void resharder::keep_keys(generation gen, const key_ranges& ranges) {
    parts_.stage.keys().set(gen, ranges);
    if (parts_.keeper != nullptr) parts_.keeper->set_fact(facts::keys_of(gen), text_of(ranges));
}

void resharder::forget_keys(generation gen) {
    parts_.stage.keys().forget(gen);
    if (parts_.keeper != nullptr) parts_.keeper->set_fact(facts::keys_of(gen), "");
}

std::uint64_t resharder::soon(const fleet& set, std::size_t index) const {
    const std::uint64_t now = received(*set.shards()[index]);
    const std::uint64_t then = &set == &old_ ? old_at_start_[index] : 0;
    const double grown = now > then ? static_cast<double>(now - then) : 0;
    const double rate = grown / std::max(1.0, seconds(clock::now() - begun_));
    return now + static_cast<std::uint64_t>(rate * ahead_seconds + ahead_least);
}

void resharder::announce_keys() {
    const auto when = static_cast<std::uint64_t>(order_.started.time_since_epoch().count());
    key_ranges old{when, std::vector<key_range>(old_.range().total.value)};
    for (std::size_t i = 0; i < old_.shards().size(); ++i)
        old.of[old_.shards()[i]->id().value].from = soon(old_, i);
    keep_keys(old_.range().gen, old);
    keep_keys(order_.to.gen, {when, std::vector<key_range>(order_.to.total.value)});
}

// From here on the set that stays gives its events their usual keys again.
void resharder::end_keys(const fleet& stays) {
    const key_ranges* const now = parts_.stage.keys().of(stays.range().gen);
    if (now == nullptr) return;
    key_ranges ended = *now;
    for (std::size_t i = 0; i < stays.shards().size(); ++i) {
        key_range& r = ended.of[stays.shards()[i]->id().value];
        r.until = std::min(r.until, soon(stays, i));
    }
    keep_keys(stays.range().gen, ended);
}

// ------------------------------------------------------------------------------------------------

void resharder::open_windows() {
    pairing_settings s;
    s.old_total = old_.range().total;
    s.new_total = order_.to.total;
    s.overlap = parts_.settings.resharding.overlap;
    if (parts_.keeper == nullptr) s.marks = 0;
    twins_ = std::make_unique<twin_stage>(parts_.loop, s, old_.range().gen, order_.to.gen,
                                          parts_.stage.filter(), parts_.stage.keys(), parts_.out);
    parts_.stage.pair(twins_.get());
    const auto tell = [this](const fleet& set) {
        for (const auto& shard : set.shards())
            twins_->on_live(set.range().gen, shard->id(), shard->state() == shard_state::ready);
    };
    tell(old_);
    tell(*new_);
}

void resharder::close_windows() {
    if (!twins_) return;
    last_ = twins_->stats();
    parts_.stage.pair(nullptr);
    twins_.reset();
}

bool resharder::abort() {
    if (!machine_.call_off("aborted on request", true, clock::now())) return false;
    look();
    return true;
}

void resharder::stop(close_code code, std::function<void()> stopped) {
    suspended_ = true;
    stopped_ = std::move(stopped);
    new_->stop(code);
}

std::unique_ptr<fleet> resharder::take_new() {
    if (!succeeded()) return nullptr;
    return std::move(new_);
}

// ---- what the new set reports ------------------------------------------------------------------

void resharder::on_stop_bot(shard_id shard, close_code code) {
    const close_rule& rule = rule_for(code);
    (void)machine_.call_off("Discord closed new shard " + std::to_string(shard.value) + " with " +
                                std::to_string(code) + " (" + std::string(rule.name) + ")",
                            false, clock::now());
}

void resharder::on_parked(shard_id shard, close_code code, bool) {
    on_stop_bot(shard, code);
}

void resharder::on_all_stopped() {
    new_gone_ = true;
    if (stopped_) std::exchange(stopped_, nullptr)();
}

reshard_snapshot resharder::snapshot() const {
    const time_point now = clock::now();
    reshard_snapshot s;
    s.state = name_of(machine_.state());
    s.from = old_.range().total.value;
    s.to = order_.to.total.value;
    s.generation = order_.to.gen.value;
    s.ready = new_ ? new_->loaded() : s.to;
    const reshard_view v = new_ ? view() : reshard_view{};
    s.percent = machine_.percent(v, now);
    s.eta_s = seconds(machine_.remaining(now));
    s.reason = machine_.reason();
    s.automatic = order_.automatic;
    s.started_ago_s = seconds(now - begun_);
    const pairing_stats p = twins_ ? twins_->stats() : last_;
    s.forwarded = p.forwarded;
    s.dropped = p.dropped + p.met;
    s.released = p.released;
    s.expired = p.expired;
    s.guessed = p.guessed;
    s.held = p.held_bytes;
    return s;
}

}  // namespace shardgate
