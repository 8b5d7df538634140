// SPDX-License-Identifier: Apache-2.0
#include "shardgate/fleet/shard_runner.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "shardgate/base/log.hpp"
#include "shardgate/protocol/outbound.hpp"

namespace shardgate {

namespace {

std::string_view wire_name(config::compression c) noexcept {
    switch (c) {
    case config::compression::zstd_stream: return "zstd-stream";
    case config::compression::zlib_stream: return "zlib-stream";
    case config::compression::none: break;
    }
    return {};
}

std::string host_of(std::string_view base) {
    const auto at = base.find("://");
    if (at != std::string_view::npos) base.remove_prefix(at + 3);
    return std::string(base.substr(0, base.find_first_of("/?")));
}

// Only what is known: a refused upgrade has no close code, a close frame no HTTP status.
void log_end(shard_id shard, const websocket_end& end, bool was_open) {
    constexpr close_code without_code = 1005;  // RFC 6455 7.4.1
    const std::string_view what = was_open ? "connection lost" : "connecting failed";
    if (end.why == websocket_end::cause::closed_by_peer) {
        const close_code named = end.code == 0 ? without_code : end.code;
        log::info(what,
                  {{"shard", shard.value}, {"code", end.code}, {"meaning", rule_for(named).name}});
    } else if (end.http_status != 0) {
        log::info(
            what,
            {{"shard", shard.value}, {"http_status", end.http_status}, {"detail", end.detail}});
    } else {
        log::info(what, {{"shard", shard.value}, {"detail", end.detail}});
    }
}

}  // namespace

shard_runner::shard_runner(shard_surroundings& around, shard_id shard, shard_count shards,
                           generation gen)
    : around_(around),
      shard_(shard),
      shards_(shards),
      gen_(gen),
      fsm_(around.session, shard, shards, around.random),
      timer_(around.loop, [this] { on_timer(); }) {}

shard_runner::~shard_runner() {
    around_.gate.cancel({gen_, shard_});
    drop_connection();
}

void shard_runner::start(const stored_session* stored) {
    const time_point now = clock::now();
    std::optional<session_record> record;
    if (stored != nullptr) {
        const session_row& row = stored->row;
        record = session_record{row.session_id, row.resume_url, row.safe};
        session_ = std::make_shared<const std::string>(row.session_id);
        session_seen_ = row.last_event;
        guilds_.restore(stored->guilds, row.guilds_loaded, now);
        kept_.restore(row);
        around_.stage.restore_known(gen_, shard_, row.session_id, stored->spooled);
    }
    fsm_.start(std::move(record), now, actions_);
    act();
}

void shard_runner::stop(close_code code) {
    stopping_ = true;
    fsm_.stop(code, clock::now(), actions_);
    act();
}

void shard_runner::reconnect(bool new_session) {
    fsm_.reconnect(new_session, clock::now(), actions_);
    act();
}

submitted shard_runner::submit(gateway_command command) {
    const submitted what = fsm_.submit(std::move(command), clock::now(), actions_);
    act();
    return what;
}

std::uint64_t shard_runner::wire_bytes() const noexcept {
    return finished_wire_bytes_ + (socket_ ? socket_->wire_bytes() : 0);
}

// ---- what happens
// --------------------------------------------------------------------------------

void shard_runner::on_open() {
    if (slot_) around_.connects.release(*std::exchange(slot_, std::nullopt));
    open_ = true;
    fsm_.on_opened(clock::now(), actions_);
    act();
}

void shard_runner::on_message(std::string_view message, bool /*binary*/, time_point now) {
    const auto payload = inflate_->feed(message);
    if (!payload) {
        fsm_.on_broken_stream(payload.error().detail, now, actions_);
        around_.stage.settle(around_.stage.buffer().capacity());
        return act();
    }
    if (!payload->has_value()) return;
    const std::string_view text = **payload;
    payload_bytes_ += text.size();
    const auto frame = around_.stage.scan().scan(text);
    if (!frame) {
        fsm_.on_broken_stream(frame.error().detail, now, actions_);
        return act();
    }
    if (frame->op != 0) tell_safe();  // it may be a beat that is asked for, or HELLO
    const auto verdict = fsm_.on_frame(*frame, around_.stage.scan(), now, actions_);
    if (!actions_.empty())
        act();  // READY: the session must be known before its first event goes on
    if (verdict.deliver) deliver(*frame, verdict, now);
    around_.stage.settle(text.size());
    timer_.arm(fsm_.deadline());
}

void shard_runner::on_end(const websocket_end& end) {
    const bool was_open = std::exchange(open_, false);
    drop_connection();
    const auto code = end.why == websocket_end::cause::closed_by_peer ? end.code : close_code{0};
    if (end.why == websocket_end::cause::closed_by_peer) around_.watcher.on_close_seen(end.code);
    if (!stopping_ && end.why != websocket_end::cause::closed_by_us) log_end(shard_, end, was_open);
    // What is here goes to the disk while we connect: the RESUME should not ask for it again.
    if (was_open && session_) around_.stage.hold(gen_, shard_);
    fsm_.on_closed(code, was_open, clock::now(), actions_);
    act();
}

void shard_runner::on_turn_near() {
    fsm_.on_turn_near(clock::now(), actions_);
    act();
}

void shard_runner::on_permit() {
    const auto before = fsm_.stats().identifies;
    fsm_.on_permit(clock::now(), actions_);
    const bool used = fsm_.stats().identifies != before;
    act();
    if (!used) around_.gate.release({gen_, shard_});
}

void shard_runner::on_timer() {
    const time_point now = clock::now();
    check_guilds(now);
    tell_safe();
    fsm_.on_timer(now, actions_);
    act();
}

// ---- what is done
// --------------------------------------------------------------------------------

void shard_runner::act() {
    if (acting_) return;
    acting_ = true;
    while (!actions_.empty()) {
        // Doing an action may bring new ones (a connect that fails at once): the batches alternate.
        doing_.swap(actions_);
        for (session_action& a : doing_)
            perform(a);
        doing_.clear();
    }
    acting_ = false;
    note_state();
    time_point wake = fsm_.deadline();
    if (guilds_.deadline() < wake) wake = guilds_.deadline();
    timer_.arm(wake);
    if (stopping_ && !socket_ && !slot_ && !told_stopped_ && fsm_.state() == shard_state::idle) {
        told_stopped_ = true;
        around_.watcher.on_stopped(*this);
    }
}

void shard_runner::perform(session_action& action) {
    const pacer_ticket me{gen_, shard_};
    std::visit(
        [&](auto& a) {
            using T = std::decay_t<decltype(a)>;
            if constexpr (std::is_same_v<T, act::connect>) {
                connect(a);
            } else if constexpr (std::is_same_v<T, act::send>) {
                if (socket_) socket_->send(std::move(a.text));
            } else if constexpr (std::is_same_v<T, act::close>) {
                hang_up(a.code, a.why);
            } else if constexpr (std::is_same_v<T, act::abort>) {
                hang_up(0, a.why);
            } else if constexpr (std::is_same_v<T, act::enqueue_identify>) {
                around_.gate.request(me, *this, a.keep_place,
                                     a.explicit_request || around_.by_hand);
            } else if constexpr (std::is_same_v<T, act::ready_for_permit>) {
                around_.gate.ready(me, true);
            } else if constexpr (std::is_same_v<T, act::not_ready_for_permit>) {
                around_.gate.ready(me, false);
            } else if constexpr (std::is_same_v<T, act::leave_queue>) {
                around_.gate.cancel(me);
            } else if constexpr (std::is_same_v<T, act::identified>) {
                around_.gate.sent(me);
            } else if constexpr (std::is_same_v<T, act::session_started>) {
                session_ = std::make_shared<const std::string>(a.record.session_id);
                around_.stage.on_new_session(gen_, shard_);
                around_.stage.urgent();
            } else if constexpr (std::is_same_v<T, act::session_lost>) {
                lose_session(a);
            } else if constexpr (std::is_same_v<T, act::park>) {
                around_.watcher.on_parked(*this, a.code);
            } else if constexpr (std::is_same_v<T, act::stop_bot>) {
                around_.watcher.on_stop_bot(*this, a.code);
            }
        },
        action);
}

void shard_runner::connect(const act::connect& how) {
    const std::string base = how.base.empty() ? around_.gateway_url : how.base;
    const auto alive = std::weak_ptr<bool>(alive_);
    const auto open_it = [this, base, attempt = ++attempt_, alive] {
        if (!alive.expired() && attempt == attempt_) open(base);
    };
    const auto go = [this, open_it, resuming = how.resuming, alive] {
        if (alive.expired()) return;
        const auto& record = fsm_.session();
        if (resuming && record && durable_safe() != record->seq)
            around_.stage.when_held(gen_, shard_, open_it);
        else
            open_it();
    };
    // acquire() may call `go` at once, before it has returned the ticket.
    slot_ = around_.connects.acquire(how.resuming, go);
}

void shard_runner::open(const std::string& base) {
    host_ = host_of(base);
    inflate_ = make_inflater(around_.discord.compression, around_.discord.max_message,
                             around_.stage.buffer());
    websocket_options options;
    options.user_agent = around_.user_agent;
    options.max_message = around_.discord.max_message;
    socket_ = open_websocket(around_.loop, around_.tls,
                             gateway_address(base, wire_name(around_.discord.compression)),
                             std::move(options), *this);
}

void shard_runner::hang_up(close_code code, std::string_view why) {
    if (!why.empty() && !stopping_)
        log::info("closing the connection", {{"shard", shard_.value}, {"why", why}});
    if (socket_) {
        if (code == 0)
            socket_->abort();
        else
            socket_->close(code);
        return;
    }
    if (!slot_) return;
    ++attempt_;
    // Still waiting for its turn to connect: nothing to close, but the machine waits for
    // on_closed().
    around_.connects.release(*std::exchange(slot_, std::nullopt));
    boost::asio::post(around_.loop, [this, alive = std::weak_ptr<bool>(alive_)] {
        if (alive.expired()) return;
        fsm_.on_closed(0, false, clock::now(), actions_);
        act();
    });
}

void shard_runner::drop_connection() {
    if (slot_) around_.connects.release(*std::exchange(slot_, std::nullopt));
    if (socket_) finished_wire_bytes_ += socket_->wire_bytes();
    socket_.reset();
    inflate_.reset();
    open_ = false;
}

void shard_runner::lose_session(const act::session_lost& lost) {
    ++sessions_lost_;
    around_.stage.on_new_session(gen_, shard_);
    log::warn("session lost: events since its last one are gone",
              {{"shard", shard_.value}, {"last_seq", lost.last.value}, {"why", lost.why}});
    around_.stage.tell_gap(shard_, shards_, gen_, "session_lost", session_seen_);
    session_.reset();
}

// ---- events
// --------------------------------------------------------------------------------------

void shard_runner::deliver(const envelope& frame, const session_fsm::verdict& verdict,
                           time_point now) {
    dispatch event;
    event.shard = shard_;
    event.shards = shards_;
    event.gen = gen_;
    if (!session_) session_ = std::make_shared<const std::string>();
    event.session = &session_;
    event.seq = seq_no{frame.s.value_or(0)};
    event.event = frame.event;
    event.name = frame.t;
    event.frame = frame.frame;
    event.d = frame.d;
    event.fields = frame.fields;
    event.received = now;
    event.received_wall = wall_.at(now);
    session_seen_ = event.received_wall;
    if (verdict.ready != nullptr) {
        guilds_.on_ready(verdict.ready->guilds, now);
        around_.stage.on_bot(verdict.ready->user);
        kept_.on_ready();
        timer_.arm(guilds_.deadline());
    } else if (frame.event == event_id::guild_create || frame.event == event_id::guild_delete) {
        const guild_state before = guilds_.state_of(event.fields.guild);
        event.mark = guilds_.on_dispatch(event, now);
        if (around_.stage.keeps_state())
            kept_.on_guild(event.seq, event.fields.guild, before,
                           guilds_.state_of(event.fields.guild));
    }
    if (event.event != event_id::ready && event.event != event_id::resumed)
        around_.watcher.on_event(shard_, shed_class_of(event.event));
    around_.stage.push(event);
    if (!guilds_.loaded() || verdict.ready != nullptr) check_guilds(now);
}

void shard_runner::check_guilds(time_point now) {
    const auto loaded = guilds_.take_loaded(now);
    if (!loaded) return;
    fsm_.on_guilds_loaded();
    log::info("guilds loaded", {{"shard", shard_.value},
                                {"guilds", loaded->guilds},
                                {"unavailable", loaded->unavailable}});
    around_.stage.tell_guilds_loaded(shard_, shards_, gen_, loaded->guilds, loaded->unavailable);
    note_state();
}

// ---- what is kept
// --------------------------------------------------------------------------------

seq_no shard_runner::safe_after_batch() const {
    const auto& record = fsm_.session();
    if (!record) return {};
    const auto unsafe = around_.stage.first_unsafe(gen_, shard_);
    if (!unsafe || unsafe->value == 0) return record->seq;
    return std::min(record->seq, seq_no{unsafe->value - 1});
}

seq_no shard_runner::durable_safe() const {
    const auto& record = fsm_.session();
    return record ? kept_.durable_safe(record->session_id) : seq_no{};
}

// The mark on disk, not the one in memory: what Discord is told it may forget, and a process after
// us asks for everything from the mark on disk.
void shard_runner::tell_safe() {
    if (around_.stage.keeps_state()) fsm_.set_safe(durable_safe());
}

void shard_runner::add_state(store_batch& batch) {
    std::optional<session_row> row;
    if (const auto& record = fsm_.session()) {
        row.emplace();
        row->gen = gen_;
        row->shard = shard_;
        row->shards = shards_;
        row->session_id = record->session_id;
        row->resume_url = record->resume_url;
        row->safe = safe_after_batch();
        row->received = record->seq;
        row->last_event = session_seen_;
        row->guilds_loaded = guilds_.loaded();
    }
    kept_.add(row, guilds_, {gen_, shard_}, batch);
}

void shard_runner::note_state() {
    const shard_state is = fsm_.state();
    if (is == logged_) return;
    log::info("shard state",
              {{"shard", shard_.value}, {"from", name_of(logged_)}, {"to", name_of(is)}});
    if ((is == shard_state::ready) != (logged_ == shard_state::ready))
        around_.watcher.on_live(*this, is == shard_state::ready);
    logged_ = is;
}

shard_snapshot shard_runner::snapshot() const {
    shard_snapshot s;
    s.id = shard_.value;
    s.total = shards_.value;
    s.generation = gen_.value;
    s.state = name_of(fsm_.state());
    s.state_age_s = std::chrono::duration<double>(clock::now() - fsm_.state_since()).count();
    if (const auto& record = fsm_.session()) {
        s.session = record->session_id.substr(0, 8) + "…";
        s.received = record->seq.value;
        s.safe = around_.stage.keeps_state() ? durable_safe().value : record->seq.value;
    }
    if (const auto latency = fsm_.latency())
        s.latency_ms = std::chrono::duration<double, std::milli>(*latency).count();
    s.guilds = guilds_.size();
    s.guilds_unavailable = guilds_.unavailable();
    s.guilds_loading = guilds_.loading();
    s.guilds_loaded = guilds_.loaded();
    const session_stats& stats = fsm_.stats();
    s.events = stats.events;
    s.last_close = fsm_.last_close();
    s.url = host_;
    s.connects = stats.connects;
    s.identifies = stats.identifies;
    s.resumes = stats.resumes_done;
    s.zombies = stats.zombies;
    s.commands_waiting = fsm_.commands().size();
    s.invalid_sessions = stats.invalid_sessions;
    s.wire_bytes = wire_bytes();
    s.payload_bytes = payload_bytes_;
    return s;
}

}  // namespace shardgate
