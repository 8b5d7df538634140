// SPDX-License-Identifier: Apache-2.0
// Connections and their life; what clients say is in gateway_ops.cpp.
#include "sim/gateway.hpp"

#include <algorithm>
#include <boost/json/array.hpp>

#include "sim/frame.hpp"

namespace shardgate::sim {

namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t load_window = 128;  // loading guilds a session may be ahead of its reader

compression compression_of(std::string_view target) {
    const std::string name = query_value(target, "compress");
    if (name == "zlib-stream") return compression::zlib_stream;
    if (name == "zstd-stream") return compression::zstd_stream;
    return compression::none;
}

std::int64_t ms_of(duration d) {
    return std::chrono::duration_cast<milliseconds>(d).count();
}

bool known_version(std::string_view target) {
    const std::string v = query_value(target, "v");
    return v == "10" || v == "9";
}

}  // namespace

gateway::gateway(const options& o, world& w, session_store& sessions, publisher& out,
                 identify_rules& rules, payloads& texts, std::uint64_t seed)
    : options_(o),
      world_(w),
      sessions_(sessions),
      out_(out),
      rules_(rules),
      texts_(texts),
      random_(seed),
      bot_ops_(o, w, out) {}

gateway::~gateway() = default;

std::optional<fault> gateway::on_accept(time_point now) {
    ++stats_.connections;
    return faults_.take(fault_phase::connect, std::nullopt, 0, now);
}

unsigned gateway::admit(const upgrade_request& r) const {
    if (!r.valid) return 400;
    if (!known_version(r.target) && options_.gateway.bad_version_http) return 400;
    const std::string encoding = query_value(r.target, "encoding");
    if (!encoding.empty() && encoding != "json") return 400;
    const std::string compress = query_value(r.target, "compress");
    if (!compress.empty() && compress != "zlib-stream" && compress != "zstd-stream") return 400;
    return 101;
}

link& gateway::open(peer& io, const upgrade_request& r, bool generic_url, time_point now) {
    links_.push_back(std::make_unique<link>(next_link_++, io));
    link& l = *links_.back();
    l.kind = compression_of(r.target);
    l.generic_url = generic_url;
    l.opened = now;
    l.last_beat = now;
    if (!known_version(r.target)) {
        protocol_error(l, 4012, "unknown version", now);
        return l;
    }
    const auto f = faults_.take(fault_phase::hello, std::nullopt, 0, now);
    if (f && f->kind == fault_kind::delay_hello) {
        l.hello_at = now + f->delay;
    } else if (f) {
        apply(l, *f, now);
    } else {
        hello(l, now);
    }
    return l;
}

void gateway::hello(link& l, time_point now) {
    const auto interval = std::chrono::duration_cast<milliseconds>(
        options_.scaled(options_.gateway.heartbeat_interval));
    std::string d;
    json_text w(d);
    w(R"({"heartbeat_interval":)").number(static_cast<std::uint64_t>(interval.count()));
    w(R"(,"_trace":["[\"shardgate-sim\",{\"micros\":0.0}]"]})");
    l.hello_at.reset();
    l.hello_sent = now;
    l.last_beat = now;
    if (l.now == link::state::opening) l.now = link::state::waiting;
    l.io->send(control_frame(10, d));
}

void gateway::attach(link& l, session& s) {
    l.session = &s;
    l.due_at.reset();
    l.now = link::state::live;
    s.connection = &l;
    s.alone_since.reset();
    s.orderly = false;
    ++stats_.of(s.shard, s.shards).connections;
}

void gateway::detach(link& l, time_point now) {
    if (!l.session) return;
    l.session->connection = nullptr;
    l.session->alone_since = now;
    l.session = nullptr;
    if (l.now == link::state::live) l.now = link::state::waiting;
}

void gateway::end_session(session& s, std::string_view why) {
    if (s.connection) {
        s.connection->session = nullptr;
        if (s.connection->now == link::state::live) s.connection->now = link::state::waiting;
    }
    out_.abandon(s, why);
    sessions_.remove(s);
}

void gateway::server_close(link& l, close_code code, time_point now) {
    if (l.now == link::state::closing) return;
    ++stats_.server_closes[code];
    if (l.session) {
        stats_.of(l.session->shard, l.session->shards).last_server_close = code;
        l.session->orderly = true;
        detach(l, now);
    }
    l.now = link::state::closing;
    l.io->close(code);
}

void gateway::protocol_error(link& l, close_code code, std::string_view what, time_point now) {
    ++stats_.errors[std::string(what)];
    server_close(l, code, now);
}

void gateway::on_end(link& l, close_code code, time_point now) {
    ++stats_.client_closes[code];
    if (l.session) {
        session& s = *l.session;
        stats_.of(s.shard, s.shards).last_client_close = code;
        detach(l, now);
        // Only a client's own 1000 or 1001 ends the session (Discord docs, Initiating a
        // Disconnect).
        if (code == 1000 || code == 1001) {
            ++stats_.sessions_closed;
            end_session(s, "closed by the client");
        }
    }
    std::erase_if(links_, [&](const auto& one) { return one.get() == &l; });
}

// Whether the session's next dispatch has to wait; the connection is woken when it need not.
bool gateway::late(link& l, const session& s, const ring_entry& e, time_point now) const {
    l.due_at.reset();
    if (options_.gateway.lag.count() == 0) return false;
    const time_point due = std::max(e.due, s.not_before);
    if (due <= now) return false;
    l.due_at = due;
    return true;
}

bool gateway::next(link& l, std::string_view& frame, time_point now) {
    while (l.now == link::state::live && l.session) {
        session& s = *l.session;
        if (l.replaying && l.replay_fault && l.taken >= l.replay_fault->after) {
            const fault f = *std::exchange(l.replay_fault, std::nullopt);
            apply(l, f, now);
            continue;
        }
        if (s.cursor > s.ring.last()) return false;
        const ring_entry* e = s.ring.find(s.cursor);
        if (!e) {  // the ring went on without this reader
            ++stats_.slow_readers;
            server_close(l, 4000, now);
            return false;
        }
        if (late(l, s, *e, now)) return false;
        if (e->what != ring_entry::shape::gap && e->seq != l.replay_end) {
            if (l.replaying) ++stats_.replayed;
            if (e->seq <= s.written) ++stats_.sent_again;
        }
        s.written = std::max(s.written, s.cursor++);
        if (l.replaying && e->seq >= l.replay_end) {
            l.replaying = false;
            went_live(l, now);
        }
        if (e->what == ring_entry::shape::gap) continue;
        ++l.taken;
        frame = e->text;
        if (e->what == ring_entry::shape::guild_create) {
            scratch_.clear();
            out_.render(*e, world_.at(e->guild), texts_, scratch_);
            frame = scratch_;
        }
        return true;
    }
    return false;
}

void gateway::went_live(link& l, time_point now) {
    const auto f = faults_.take(fault_phase::live, l.session->shard, l.session->shards, now);
    if (f) l.live_fault = *f;  // at the next tick: the frame under way goes first
}

void gateway::tick_link(link& l, time_point now) {
    if (l.hello_at && *l.hello_at <= now) hello(l, now);
    if (l.live_fault) {
        const fault f = *std::exchange(l.live_fault, std::nullopt);
        apply(l, f, now);
    }
    if (l.due_at && (*l.due_at <= now || options_.gateway.lag.count() == 0)) {
        l.due_at.reset();
        l.io->wake();
    }
    if (l.refuse_at && *l.refuse_at <= now) {
        l.refuse_at.reset();
        l.io->send(control_frame(9, "false"));
    }
    if (l.close_at && *l.close_at <= now && l.now != link::state::closing) {
        l.close_at.reset();
        server_close(l, l.close_with, now);
    }
    const duration interval = options_.scaled(options_.gateway.heartbeat_interval);
    // A half-open connection is the client's to notice; much later the server's side goes as well.
    if (l.silent && now - l.last_beat > interval * 4 && l.now != link::state::closing) {
        detach(l, now);
        l.now = link::state::closing;
        return l.io->drop(false);
    }
    const bool listening = l.hello_sent && l.now != link::state::closing && !l.silent;
    if (!listening) return;
    if (now - l.last_beat > interval * 3 / 2) {
        ++stats_.beats_missed;
        if (options_.gateway.missed_heartbeat_code != 0) {
            server_close(l, static_cast<close_code>(options_.gateway.missed_heartbeat_code), now);
        } else {
            detach(l, now);
            l.now = link::state::closing;
            l.io->drop(false);
        }
        return;
    }
    const duration patience = options_.scaled(options_.gateway.identify_timeout);
    if (l.now == link::state::waiting && !l.kept_waiting && now - *l.hello_sent > patience)
        protocol_error(l, 4003, "no IDENTIFY in time", now);
}

void gateway::stream_guilds(session& s, time_point now) {
    if (s.loading.empty() || !s.connection) return;
    std::uint64_t may = UINT64_MAX;
    if (options_.gateway.guild_rate != 0) {
        const double seconds = std::chrono::duration<double>(now - s.load_start).count();
        may = static_cast<std::uint64_t>(seconds * options_.gateway.guild_rate * options_.scale);
    }
    // What lags waits in the ring.
    const std::uint64_t window = options_.gateway.lag.count() == 0
                                     ? load_window
                                     : std::max<std::uint64_t>(load_window, s.ring.depth() / 2);
    while (!s.loading.empty() && s.waiting() < window && s.loads_sent < may) {
        const std::uint32_t index = s.loading.back();
        s.loading.pop_back();
        ++s.loads_sent;
        const guild& g = world_.at(index);
        if (!g.present) continue;  // its GUILD_DELETE has gone out
        if (g.available)
            out_.load_guild(s, index, g.id, now);
        else
            out_.load_unavailable(s, g.id, (g.seed & 1U) != 0, now);
    }
}

void gateway::tick(time_point now) {
    // By index: closing may not change the list, but a fault's callback may open the way to it.
    for (std::size_t i = 0; i < links_.size(); ++i)
        tick_link(*links_[i], now);
    const duration lifetime = options_.scaled(options_.gateway.replay_lifetime);
    std::vector<session*> expired;
    for (const auto& s : sessions_.all()) {
        if (s->alone_since && now - *s->alone_since > lifetime) expired.push_back(s.get());
        stream_guilds(*s, now);
    }
    for (session* s : expired) {
        ++stats_.sessions_expired;
        end_session(*s, "session expired");
    }
}

boost::json::object gateway::state(time_point now) const {
    namespace json = boost::json;
    json::array list;
    for (const auto& s : sessions_.all()) {
        json::object o;
        o["session"] = s->id;
        o["shard"] = s->shard;
        o["shards"] = s->shards;
        o["connected"] = s->connection != nullptr;
        o["seq"] = s->seq();
        o["written"] = s->written;
        o["acked"] = s->acked;
        o["waiting"] = s->waiting();
        o["ring_first"] = s->ring.first();
        o["loading"] = s->loading.size();
        o["second"] = s->second;
        if (options_.gateway.lag.count() != 0)
            o["lag_ms"] =
                ms_of(s->lag.at(now, options_.scaled(options_.gateway.lag), options_.scale));
        if (s->connection) {
            o["heartbeats"] = s->connection->beats;
            if (s->connection->last_beat_seq) o["heartbeat_seq"] = *s->connection->last_beat_seq;
            o["replaying"] = s->connection->replaying;
        }
        if (s->alone_since) o["alone_ms"] = ms_of(now - *s->alone_since);
        list.push_back(std::move(o));
    }
    json::array shards;
    for (const auto& [key, s] : stats_.shards) {
        json::object o;
        o["shard"] = key.second;
        o["shards"] = key.first;
        o["connections"] = s.connections;
        o["identifies"] = s.identifies;
        o["resumes"] = s.resumes;
        o["resumes_refused"] = s.resumes_refused;
        o["heartbeats"] = s.beats;
        o["last_heartbeat_seq"] = s.last_beat_seq;
        if (s.last_client_close >= 0) o["last_client_close"] = s.last_client_close;
        if (s.last_server_close >= 0) o["last_server_close"] = s.last_server_close;
        shards.push_back(std::move(o));
    }
    json::object out;
    out["connections"] = links_.size();
    out["sessions"] = std::move(list);
    out["shards"] = std::move(shards);
    return out;
}

void gateway::clear(time_point now) {
    for (const auto& l : links_) {
        detach(*l, now);
        l->now = link::state::closing;
        l->io->drop(true);
    }
    while (sessions_.size() != 0)
        end_session(*sessions_.all().front(), "reset");
    sessions_.clear();  // what those that ended had does not matter any more
    stats_ = {};
    bot_ops_.clear();
}

}  // namespace shardgate::sim
