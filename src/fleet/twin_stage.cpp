// SPDX-License-Identifier: Apache-2.0
#include "shardgate/fleet/twin_stage.hpp"

#include <utility>

namespace shardgate {

namespace {

lane_key lane_of(const dispatch_fields& fields) noexcept {
    if (fields.guild.value != 0) return {lane_key::kind::guild, fields.guild.value};
    if (fields.channel.value != 0) return {lane_key::kind::channel, fields.channel.value};
    return {lane_key::kind::shard, 0};
}

// Answers to a request belong to the session that asked, and to no other.
bool is_answer(const dispatch& event) noexcept {
    switch (event.event) {
    case event_id::rate_limited:
    case event_id::guild_members_chunk:
    case event_id::soundboard_sounds:
    case event_id::channel_info:
    case event_id::voice_server_update: return true;
    default: return false;
    }
}

// A session's own beginning: what the handler knows of its guilds does not change by it.
bool is_beginning(const dispatch& event) noexcept {
    return event.event == event_id::ready || event.event == event_id::resumed ||
           event.mark == guild_mark::loaded;
}

// Every shard shows it, and sets of different size have no twins for each.
bool is_everywhere(const dispatch& event) noexcept {
    return event.fields.guild.value == 0 && event.fields.channel.value == 0 &&
           event.shard.value != 0;
}

}  // namespace

std::optional<event_identity> shared_identity(const dispatch& event) {
    if (is_beginning(event) || is_answer(event) || is_everywhere(event)) return std::nullopt;
    return identity_of(event);
}

twin_stage::twin_stage(boost::asio::any_io_executor loop, const pairing_settings& settings,
                       generation old_gen, generation new_gen, dispatch_sink& next,
                       identity_keys& keys, deliverer& out)
    : old_gen_(old_gen),
      new_gen_(new_gen),
      next_(next),
      keys_(keys),
      out_(out),
      pairing_(settings, clock::now()),
      timer_(std::move(loop), [this] {
          pairing_.on_timer(clock::now());
          send_released();
          arm();
      }) {}

void twin_stage::push(const dispatch& event) {
    const shard_set from = set_of(event.gen);
    // What a session that began in the windows has to load the handler has from the other set.
    if (is_beginning(event)) return;
    if (is_answer(event)) return next_.push(event);
    paired_event e;
    e.lane = lane_of(event.fields);
    if (is_everywhere(event)) {
        if (from == pairing_.preferred()) next_.push(event);
        return;
    }
    e.from = from;
    e.shard = event.shard;
    e.seq = event.seq;
    e.id = identity_of(event);
    const auto keep = [&event] { return queued_event::from(event); };
    const pair_verdict verdict = pairing_.on_event(e, keep, event.received);
    if (verdict == pair_verdict::forward) send_on(event, e.id);
    send_released();
    arm();
}

void twin_stage::send_on(const dispatch& event, const event_identity& id) {
    if (!keys_.wants(event.gen, event.shard, event.seq)) return next_.push(event);
    dispatch with_key = event;
    with_key.key = keys_.next(event.gen, id);
    next_.push(with_key);
}

void twin_stage::send_released() {
    for (const pairing::released_event& r : pairing_.take_released()) {
        const queued_event& held = *r.event;
        text_.assign(held.frame());
        text_.append(scanner::padding, '\0');
        const auto frame = again_.scan({text_.data(), held.frame().size()});
        if (!frame) continue;  // it was read once already
        dispatch event;
        event.shard = held.shard;
        event.shards = held.shards;
        event.gen = held.gen;
        event.session = &held.session;
        event.seq = held.seq;
        event.event = frame->event;
        event.name = frame->t;
        event.frame = frame->frame;
        event.d = frame->d;
        event.fields = frame->fields;
        event.received = clock::now();
        event.received_wall = held.received_wall;
        event.mark = held.mark;
        send_on(event, r.id);
    }
}

void twin_stage::on_live(generation gen, shard_id shard, bool live) {
    pairing_.on_live(set_of(gen), shard, live, clock::now());
    send_released();
    arm();
}

void twin_stage::on_new_session(generation gen, shard_id shard) {
    pairing_.on_new_session(set_of(gen), shard, clock::now());
    send_released();
    arm();
}

void twin_stage::prefer(shard_set set) {
    pairing_.prefer(set, clock::now());
    send_released();
    arm();
}

void twin_stage::forget(shard_set set) {
    pairing_.forget(set, clock::now());
    send_released();
    arm();
}

void twin_stage::arm() {
    timer_.arm(pairing_.deadline());
}

std::optional<seq_no> twin_stage::first_unsafe(generation gen, shard_id shard) {
    const auto unsafe = [this](shard_set set, shard_id id) {
        return std::as_const(out_).core().first_unsafe(
            set == shard_set::old_set ? old_gen_ : new_gen_, id, true);
    };
    return pairing_.first_unsafe(set_of(gen), shard, unsafe);
}

}  // namespace shardgate
