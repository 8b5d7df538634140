// SPDX-License-Identifier: Apache-2.0
// What clients say (Discord fact sheet 5 and S12 to S22), and faults on open connections.
#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>

#include "shardgate/protocol/outbound.hpp"
#include "sim/frame.hpp"
#include "sim/gateway.hpp"

namespace shardgate::sim {

namespace {

namespace json = boost::json;

std::optional<std::uint64_t> whole(const json::value* v) {
    if (!v) return std::nullopt;
    if (v->is_uint64()) return v->get_uint64();
    if (v->is_int64() && v->get_int64() >= 0) return static_cast<std::uint64_t>(v->get_int64());
    return std::nullopt;
}

std::string_view text_of(const json::object& o, std::string_view key) {
    const json::value* v = o.if_contains(key);
    if (!v || !v->is_string()) return {};
    return {v->get_string().data(), v->get_string().size()};
}

// Sent while authenticated: presence, voice state, members, soundboard, channel info.
constexpr std::array<std::int64_t, 5> commands{3, 4, 8, 31, 43};

}  // namespace

bool gateway::within_rate(link& l, time_point now) {
    const duration window = options_.scaled(milliseconds(60000));
    while (!l.sent_by_client.empty() && now - l.sent_by_client.front() >= window)
        l.sent_by_client.pop_front();
    l.sent_by_client.push_back(now);
    return l.sent_by_client.size() <= options_.gateway.send_limit;
}

void gateway::on_message(link& l, std::string_view text, time_point now) {
    if (l.now == link::state::closing) return;
    if (!within_rate(l, now)) {
        ++stats_.rate_limited;
        return protocol_error(l, 4008, "too many payloads", now);
    }
    if (text.size() > max_outbound_bytes) return protocol_error(l, 4002, "payload too large", now);
    json::error_code ec;
    const json::value v = json::parse(text, ec);
    const json::value* op = !ec && v.is_object() ? v.get_object().if_contains("op") : nullptr;
    if (!op || !op->is_int64()) return protocol_error(l, 4002, "not a gateway payload", now);
    ++stats_.sent_ops[static_cast<int>(op->get_int64())];
    const json::value* d = v.get_object().if_contains("d");
    switch (op->get_int64()) {
    case 1: return heartbeat(l, d, now);
    case 2: return identify(l, d, now);
    case 6: return resume(l, d, now);
    default: break;
    }
    if (std::find(commands.begin(), commands.end(), op->get_int64()) == commands.end())
        return protocol_error(l, 4001, "unknown op", now);
    if (l.now != link::state::live) return protocol_error(l, 4003, "not authenticated", now);
    if (l.session) bot_ops_.on_command(*l.session, op->get_int64(), d, now);
}

void gateway::heartbeat(link& l, const json::value* d, time_point now) {
    const auto seq = whole(d);
    if (d && !d->is_null() && !seq) return protocol_error(l, 4002, "bad heartbeat", now);
    ++stats_.heartbeats;
    ++l.beats;
    const double gap = std::chrono::duration<double, std::milli>(now - l.last_beat).count();
    stats_.longest_beat_gap_ms = std::max(stats_.longest_beat_gap_ms, gap);
    l.last_beat = now;
    l.last_beat_seq = seq;
    if (l.asked_beat) {
        ++stats_.asked_beats_answered;
        const double ms = std::chrono::duration<double, std::milli>(now - *l.asked_beat).count();
        stats_.slowest_asked_beat_ms = std::max(stats_.slowest_asked_beat_ms, ms);
        l.asked_beat.reset();
    }
    if (l.session) {
        session& s = *l.session;
        shard_stats& stats = stats_.of(s.shard, s.shards);
        ++stats.beats;
        stats.last_beat_seq = seq.value_or(0);
        if (seq && *seq > s.written) {
            ++stats_.beats_above_sent;
            ++stats_.errors["heartbeat above what was sent"];
        } else if (seq) {
            s.acked = std::max(s.acked, *seq);
            if (options_.gateway.trim != ring_trim::none)
                stats_.trimmed_by_beats += s.ring.trim(*seq);
        }
    }
    if (!l.no_ack) l.io->send(control_frame(11, "null"));
}

void gateway::identify(link& l, const json::value* d, time_point now) {
    if (l.now == link::state::live || l.kept_waiting)
        return protocol_error(l, 4005, "already authenticated", now);
    auto r = d ? read_identify(*d) : std::nullopt;
    if (!r) return protocol_error(l, 4002, "bad IDENTIFY", now);
    r->connected = l.opened;
    const bool sane = r->shards != 0 && r->shard < r->shards;
    const std::uint32_t guilds = sane ? world_.count_on(r->shard, r->shards) : 0;
    const identify_verdict verdict = rules_.check(*r, guilds, now);
    using enum identify_verdict::outcome;
    if (verdict.what != accepted) ++stats_.identifies_refused;
    switch (verdict.what) {
    case close: return protocol_error(l, verdict.code, verdict.reason, now);
    case token_reset: ++stats_.errors[verdict.reason]; return reset_token(now);
    case invalid_session:
        ++stats_.errors[verdict.reason];
        if (options_.gateway.late_invalid_session.count() > 0)
            l.refuse_at = now + options_.scaled(options_.gateway.late_invalid_session);
        else
            l.io->send(control_frame(9, "false"));
        return;
    case accepted: break;
    }
    ++stats_.identifies;
    ++stats_.of(r->shard, r->shards).identifies;
    const auto f = faults_.take(fault_phase::ready, r->shard, r->shards, now);
    if (f && f->kind != fault_kind::no_ack) return apply(l, *f, now);
    begin_session(l, *r, now);
    if (f) apply(l, *f, now);
}

void gateway::begin_session(link& l, const identify_request& r, time_point now) {
    std::string id;
    json_text(id).hash(random_);  // 32 digits, as Discord's are
    const std::vector<std::uint32_t> guilds = world_.on_shard(r.shard, r.shards);
    const std::size_t depth = options_.gateway.replay_depth != 0 ? options_.gateway.replay_depth
                                                                 : replay_depth_for(guilds.size());
    session& s = sessions_.create(std::move(id), r.shard, r.shards, depth);
    s.intents = r.intents;
    s.first_event = out_.next_event();
    s.last_event = s.first_event - 1;
    s.lag = lag_curve(random_.next());
    l.payload_compression = r.compress && l.kind == compression::none;
    attach(l, s);
    s.loading = guilds;
    const std::string ready = ready_text(s);
    if ((r.intents & 1U) == 0) s.loading.clear();  // GUILD_CREATE needs GUILDS
    for (std::size_t i = s.loading.size(); i > 1; --i)
        std::swap(s.loading[i - 1], s.loading[random_.below(i)]);
    s.load_start = now;
    out_.direct(s, "READY", ready, now);
    went_live(l, now);
}

std::string gateway::ready_text(const session& s) {
    std::string d;
    json_text w(d);
    w(R"({"v":10,"user_settings":{},"user":{"verified":true,"username":"simulated","mfa_enabled":)"
      R"(true,"id":)")
        .id(user_id(1, 0));
    w(R"(,"global_name":null,"flags":0,"email":null,"discriminator":"0001","bot":true,"avatar":)"
      R"(null},"shard":[)");
    w.number(s.shard)(",").number(s.shards)(R"(],"session_type":"normal","session_id":")")(s.id);
    w(R"(","resume_gateway_url":")")(resume_url_);
    w(R"(","relationships":[],"private_channels":[],"presences":[],"guilds":[)");
    bool first = true;
    for (const std::uint32_t index : s.loading) {
        if (!first) w(",");
        first = false;
        w(R"({"unavailable":true,"id":)").id(world_.at(index).id)("}");
    }
    w(R"(],"guild_join_requests":[],"geo_ordered_rtc_regions":["frankfurt"],"application":{"id":)");
    w.id(user_id(1, 1))(R"(,"flags":565248},"_trace":["sim"]})");
    return d;
}

void gateway::resume(link& l, const json::value* d, time_point now) {
    if (l.now == link::state::live) return protocol_error(l, 4005, "already authenticated", now);
    if (!d || !d->is_object()) return protocol_error(l, 4002, "bad RESUME", now);
    const json::object& o = d->get_object();
    const auto seq = whole(o.if_contains("seq"));
    const std::string token(text_of(o, "token"));
    const std::string_view id = text_of(o, "session_id");
    if (!seq || token.empty() || id.empty()) return protocol_error(l, 4002, "bad RESUME", now);
    if (!rules_.token_valid(token)) return protocol_error(l, 4004, "wrong token", now);
    session* s = sessions_.find(id);
    const resume_verdict verdict = s ? check_resume(*s, *seq) : resume_verdict::out_of_range;
    if (verdict == resume_verdict::above_sent) {
        ++stats_.resumes_above_sent;
        return protocol_error(l, 4007, "RESUME above what was sent", now);
    }
    if (verdict == resume_verdict::out_of_range) {
        ++stats_.resumes_refused;
        if (s) {
            ++stats_.of(s->shard, s->shards).resumes_refused;
            end_session(*s, "resume out of range");
        }
        l.io->send(control_frame(9, "false"));
        return;
    }
    if (s->connection) {  // the client came back before the old connection was noticed to be dead
        link& old = *s->connection;
        detach(old, now);
        old.now = link::state::closing;
        old.io->drop(false);
    }
    ++stats_.resumes;
    ++stats_.of(s->shard, s->shards).resumes;
    attach(l, *s);
    s->acked = std::max(s->acked, *seq);
    s->cursor = *seq + 1;
    if (options_.gateway.trim == ring_trim::resume) stats_.trimmed_by_resumes += s->ring.trim(*seq);
    out_.direct(*s, "RESUMED", R"({"_trace":["sim"]})", now);
    // The replay is as late as what is new.
    s->not_before = now + s->lag.at(now, options_.scaled(options_.gateway.lag), options_.scale);
    l.replaying = true;
    l.replay_end = s->seq();
    l.replay_fault = faults_.take(fault_phase::replay, s->shard, s->shards, now);
    if (l.generic_url && options_.gateway.generic_resume_life.count() > 0) {
        l.close_at = now + options_.scaled(options_.gateway.generic_resume_life);
        l.close_with = 4000;
    }
    l.io->wake();
}

void gateway::reset_token(time_point now) {
    for (const auto& l : links_)
        server_close(*l, 4004, now);
    while (sessions_.size() != 0)
        end_session(*sessions_.all().front(), "token reset");
}

void gateway::refuse_session(link& l, bool resumable, time_point now) {
    if (session* s = l.session) {
        s->orderly = true;
        detach(l, now);
        if (!resumable) end_session(*s, "invalidated");
    }
    l.io->send(control_frame(9, resumable ? "true" : "false"));
    l.last_beat = now;
    l.hello_sent = now;  // the time for a new IDENTIFY starts anew
}

void gateway::apply(link& l, const fault& f, time_point now) {
    using enum fault_kind;
    if (l.now == link::state::closing) return;
    switch (f.kind) {
    case close: return server_close(l, f.code, now);
    case fin:
    case reset:
        detach(l, now);
        l.now = link::state::closing;
        return l.io->drop(f.kind == reset);
    case reconnect:
        l.io->send(control_frame(7, "null"));
        l.close_at = now + options_.scaled(options_.gateway.op7_grace);
        l.close_with = 4000;
        return;
    case invalid_session: return refuse_session(l, f.resumable, now);
    case silence: l.silent = true; return l.io->go_silent();
    case no_ack: l.no_ack = true; return;
    case drip: return l.io->drip(true);
    case garbage: return l.io->send(R"({"op":0,"t":"MESSAGE_CREATE","s":1,"d":{"id":)");
    case unknown_op: return l.io->send(control_frame(99, R"({"what":"nobody knows"})"));
    case huge: {
        // An s above all others would poison the client's mark; Discord would not send that either.
        std::string d = R"({"padding":")";
        d.append(f.bytes, 'x');
        d += R"("})";
        std::string frame;
        write_dispatch(frame, "SIMULATED_HUGE", l.session ? l.session->written : 1, d);
        return l.io->send(frame);
    }
    case bulk:
        if (l.session && on_bulk) on_bulk(l.session->shard, l.session->shards, f.bytes);
        return;
    case no_ready: l.kept_waiting = true; return;
    case corrupt: return l.io->corrupt_next();
    case ask_heartbeat:
        ++stats_.asked_beats;
        l.asked_beat = now;
        return l.io->send(control_frame(1, "null"));
    default: return;
    }
}

std::size_t gateway::forget(const fault& f) {
    std::vector<session*> met;
    for (const auto& s : sessions_.all()) {
        if (s->connection || (f.shard_count != 0 && f.shard_count != s->shards)) continue;
        if (!f.shards.empty() && !f.shards.contains(s->shard)) continue;
        if (f.share >= 1 || random_.chance(f.share)) met.push_back(s.get());
    }
    for (session* s : met)
        end_session(*s, "forgotten");
    stats_.sessions_forgotten += met.size();
    return met.size();
}

std::size_t gateway::inject(const fault& f, time_point now) {
    if (f.kind == fault_kind::forget) return forget(f);
    if (f.kind == fault_kind::resume_dead) {
        if (on_resume_dead) on_resume_dead(f.until ? *f.until - now : duration::max());
        return 1;
    }
    if (f.armed()) {
        faults_.arm(f);
        return 0;
    }
    std::vector<link*> met;
    for (const auto& l : links_) {
        if (l->now != link::state::live || !l->session) continue;
        const bool mine = f.shards.empty() || f.shards.contains(l->session->shard);
        if (mine && (f.shard_count == 0 || f.shard_count == l->session->shards))
            if (f.share >= 1 || random_.chance(f.share)) met.push_back(l.get());
    }
    for (link* l : met)
        apply(*l, f, now);
    return met.size();
}

}  // namespace shardgate::sim
