// SPDX-License-Identifier: Apache-2.0
#include "unit/identify/fleet_world.hpp"

#include <cmath>
#include <utility>

namespace shardgate::test {

fleet_world::fleet_world(const world_settings& settings)
    : settings_(settings),
      random_(settings.seed),
      pacer_({},
             session_start_limit{settings.starts, settings.starts, duration{0},
                                 settings.max_concurrency},
             t0),
      shards_(settings.shards) {
    session_settings session;
    session.profile.token = secret("token");
    for (std::uint32_t i = 0; i < settings.shards; ++i)
        shards_[i].fsm = std::make_unique<session_fsm>(session, shard_id{i},
                                                       shard_count{settings.shards}, random_);
}

void fleet_world::start_all() {
    for (std::uint32_t i = 0; i < settings_.shards; ++i) {
        session_actions out;
        shards_[i].fsm->start(std::nullopt, now_, out);
        carry_out(i, out);
    }
    poll_pacer();
}

void fleet_world::run(duration d) {
    const time_point end = now_ + d;
    for (;;) {
        const time_point next = queue_.empty() ? never : queue_.top().when;
        const time_point due = std::min(next, pacer_.deadline());
        if (due > end || !broken_.empty()) break;
        now_ = std::max(now_, due);
        if (next <= now_) {
            const happening h = queue_.top();
            queue_.pop();
            step(h);
        }
        poll_pacer();
        ++steps_;
    }
    now_ = end;
}

void fleet_world::op7_for_all() {
    for (std::uint32_t i = 0; i < settings_.shards; ++i)
        if (shards_[i].attached) at(hop(), i, what::op7);
}

std::size_t fleet_world::count(shard_state s) const {
    std::size_t n = 0;
    for (const shard_side& side : shards_)
        n += side.fsm->state() == s ? 1 : 0;
    return n;
}

void fleet_world::at(duration in, std::uint32_t shard, what kind, std::uint32_t argument) {
    queue_.push({now_ + in, order_++, shard, shards_[shard].connection, kind, argument});
}

duration fleet_world::hop() {
    return settings_.latency + random_.between(duration{0}, settings_.jitter);
}

void fleet_world::step(const happening& h) {
    shard_side& side = shards_[h.shard];
    session_actions out;
    if (h.kind == what::timer) {
        if (side.timer == h.when) side.timer = never;
        if (side.fsm->deadline() <= now_) side.fsm->on_timer(now_, out);
        carry_out(h.shard, out);
        return;
    }
    if (h.connection != side.connection) return;
    switch (h.kind) {
    case what::opened:
        side.rules.on_opened();
        side.fsm->on_opened(now_, out);
        at(hop(), h.shard, what::hello);
        break;
    case what::open_failed:
        side.rules.on_closed();
        ++side.connection;
        side.fsm->on_closed(0, false, now_, out);
        break;
    case what::closed:
        detach(h.shard);
        side.rules.on_closed();
        ++side.connection;
        side.fsm->on_closed(static_cast<close_code>(h.argument), true, now_, out);
        break;
    case what::hello:
        side.rules.on_hello(41250ms);
        side.hello_at = now_;
        frame(h.shard, 10, R"({"heartbeat_interval":41250})", out);
        break;
    case what::ack: frame(h.shard, 11, "null", out); break;
    case what::op7: frame(h.shard, 7, "null", out); break;
    case what::op9: frame(h.shard, 9, h.argument != 0 ? "true" : "false", out); break;
    case what::ready:
        dispatch(h.shard, "READY", 1,
                 R"({"user":{"id":"7"},"guilds":[],"session_id":")" + std::to_string(side.session) +
                     R"(","resume_gateway_url":"wss://r","application":{"id":"9"}})",
                 out);
        side.fsm->on_guilds_loaded();
        break;
    case what::resumed: dispatch(h.shard, "RESUMED", ++side.seq, "{}", out); break;
    case what::dispatch: dispatch(h.shard, "TYPING_START", ++side.seq, "{}", out); break;
    case what::replay: dispatch(h.shard, "TYPING_START", h.argument, "{}", out); break;
    case what::fault: fault(h.shard, out); break;
    default: server_step(h); break;
    }
    carry_out(h.shard, out);
}

// Something happens to a live connection.
void fleet_world::fault(std::uint32_t shard, session_actions& out) {
    shard_side& side = shards_[shard];
    switch (random_.below(8)) {
    case 0: side.silent = true; return;
    case 1: at(hop(), shard, what::op7); return;
    case 2: at(hop(), shard, what::op9, 1); return;
    case 3:
        side.session_lives = false;
        at(hop(), shard, what::op9, 0);
        return;
    case 4:
        side.session_lives = false;
        at(hop(), shard, what::closed, 4009);
        return;
    case 5: side.fsm->on_broken_stream("corrupt", now_, out); return;
    case 6: at(hop(), shard, what::closed, 4000); return;
    default: at(hop(), shard, what::closed, 0); return;
    }
}

void fleet_world::server_step(const happening& h) {
    if (h.kind == what::identify_in) identify_arrives(h.shard);
    if (h.kind == what::resume_in) resume_arrives(h.shard);
    if (h.kind == what::heartbeat_in && !shards_[h.shard].silent) at(hop(), h.shard, what::ack);
}

void fleet_world::identify_arrives(std::uint32_t shard) {
    shard_side& side = shards_[shard];
    const std::uint32_t key = shard % settings_.max_concurrency;
    if (const auto last = key_arrived_.find(key); last != key_arrived_.end())
        if (now_ - last->second < 5s) say("two IDENTIFYs of one key within 5 s");
    key_arrived_[key] = now_;
    if (random_.unit() < settings_.identify_failures) {
        const std::uint64_t how = random_.below(4);
        if (how == 0) at(hop(), shard, what::op9, 0);
        if (how == 1) at(hop(), shard, what::closed, 4000);
        if (how == 2) at(hop(), shard, what::op7);
        return;  // or no answer at all
    }
    ++side.session;
    side.seq = 1;
    side.session_lives = side.attached = true;
    side.forgotten_at = never;
    at(hop(), shard, what::ready);
    if (settings_.mean_life > duration{0}) {
        const double lives = -std::log(1 - random_.unit());
        at(std::chrono::duration_cast<duration>(settings_.mean_life * lives), shard, what::fault);
        at(random_.between(1s, 600s), shard, what::dispatch);
    }
}

void fleet_world::resume_arrives(std::uint32_t shard) {
    shard_side& side = shards_[shard];
    if (!side.session_lives || now_ > side.forgotten_at) {
        at(hop(), shard, what::op9, 0);
        return;
    }
    side.attached = true;
    side.forgotten_at = never;
    const std::uint64_t from = side.fsm->session() ? side.fsm->session()->seq.value : 1;
    const duration late = hop();
    for (std::uint64_t s = from > 2 ? from - 2 : 1; s <= side.seq; ++s)  // some a second time
        at(late, shard, what::replay, static_cast<std::uint32_t>(s));
    at(late, shard, what::resumed);
    if (settings_.mean_life > duration{0}) {
        const double lives = -std::log(1 - random_.unit());
        at(std::chrono::duration_cast<duration>(settings_.mean_life * lives), shard, what::fault);
    }
}

void fleet_world::detach(std::uint32_t shard) {
    shard_side& side = shards_[shard];
    if (side.attached) side.forgotten_at = now_ + 180s;
    side.attached = false;
}

void fleet_world::frame(std::uint32_t shard, std::int32_t op, const std::string& d,
                        session_actions& out) {
    if (shards_[shard].silent) return;
    if (op == 10) {  // HELLO is read through the scanner
        const std::string text = R"({"op":10,"d":)" + d + "}";
        const std::string padded = text + std::string(scanner::padding, ' ');
        const auto e = scan_.scan(std::string_view(padded).substr(0, text.size()));
        (void)shards_[shard].fsm->on_frame(*e, scan_, now_, out);
        return;
    }
    envelope e;
    e.op = op;
    e.d = d;
    (void)shards_[shard].fsm->on_frame(e, scan_, now_, out);
}

void fleet_world::dispatch(std::uint32_t shard, const char* t, std::uint64_t s,
                           const std::string& d, session_actions& out) {
    if (shards_[shard].silent) return;
    const std::string text = R"({"t":")" + std::string(t) + R"(","s":)" + std::to_string(s) +
                             R"(,"op":0,"d":)" + d + "}";
    const std::string padded = text + std::string(scanner::padding, ' ');
    const auto e = scan_.scan(std::string_view(padded).substr(0, text.size()));
    const auto verdict = shards_[shard].fsm->on_frame(*e, scan_, now_, out);
    for (const session_action& a : out)
        if (std::get_if<act::session_started>(&a)) shards_[shard].rules.on_action(a, now_);
    if (verdict.deliver) shards_[shard].rules.on_deliver(s);
}

void fleet_world::carry_out(std::uint32_t shard, session_actions& out) {
    shard_side& side = shards_[shard];
    const pacer_ticket me = ticket(shard);
    for (const session_action& a : out) {
        if (!std::get_if<act::session_started>(&a)) side.rules.on_action(a, now_);
        if (std::get_if<act::connect>(&a)) {
            ++side.connection;
            side.silent = false;
            const bool fails =
                !network_up_ || side.cut_off || random_.unit() < settings_.connect_failures;
            at(2 * hop(), shard, fails ? what::open_failed : what::opened);
        }
        if (const auto* s = std::get_if<act::send>(&a)) on_sent(shard, s->text);
        if (std::get_if<act::close>(&a) || std::get_if<act::abort>(&a))
            at(hop(), shard, what::closed, 4200);
        if (const auto* e = std::get_if<act::enqueue_identify>(&a))
            pacer_.request(me, e->keep_place, e->explicit_request, now_);
        if (std::get_if<act::ready_for_permit>(&a)) pacer_.ready(me, true, now_);
        if (std::get_if<act::not_ready_for_permit>(&a)) pacer_.ready(me, false, now_);
        if (std::get_if<act::leave_queue>(&a)) pacer_.cancel(me, now_);
        if (std::get_if<act::identified>(&a)) pacer_.sent(me, now_);
        if (std::get_if<act::park>(&a) || std::get_if<act::stop_bot>(&a)) say("gave up");
    }
    side.rules.end_of_call();
    if (!side.rules.broken().empty())
        say("shard " + std::to_string(shard) + ": " + side.rules.broken());
    if (const time_point due = side.fsm->deadline(); due < side.timer) {
        side.timer = due;
        queue_.push({std::max(due, now_), order_++, shard, 0, what::timer, 0});
    }
}

void fleet_world::on_sent(std::uint32_t shard, const std::string& text) {
    const int op = op_of(text);
    if (op == 1) at(hop(), shard, what::heartbeat_in);
    if (op == 6) at(hop(), shard, what::resume_in);
    if (op != 2) return;
    const std::uint32_t key = shard % settings_.max_concurrency;
    if (const auto last = key_sent_.find(key); last != key_sent_.end())
        if (now_ - last->second < interval) say("two IDENTIFYs of one key within the interval");
    key_sent_[key] = now_;
    if (starts_lately_ == 0 || now_ - window_began_ >= 24h) {
        window_began_ = now_;
        starts_lately_ = 0;
    }
    if (++starts_lately_ > settings_.starts - 20) say("the reserve was spent");
    if (identifies_++ == 0) first_ = now_;
    last_ = now_;
    longest_wait_ = std::max(longest_wait_, now_ - shards_[shard].hello_at);
    at(hop(), shard, what::identify_in);
}

void fleet_world::poll_pacer() {
    if (pacer_.deadline() > now_) return;
    std::vector<pacer_signal> signals;
    pacer_.poll(now_, signals);
    if (signals.empty() && pacer_.deadline() <= now_) say("the pacer would spin");
    for (const pacer_signal& s : signals) {
        const std::uint32_t shard = s.who.shard.value;
        session_actions out;
        if (s.what == pacer_signal::kind::permit) {
            shards_[shard].rules.on_permit();
            shards_[shard].fsm->on_permit(now_, out);
        } else {
            shards_[shard].fsm->on_turn_near(now_, out);
        }
        carry_out(shard, out);
    }
}

}  // namespace shardgate::test
