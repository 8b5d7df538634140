// SPDX-License-Identifier: Apache-2.0
// The gateway's behaviour: what a connection may say when, which sessions live, what is replayed,
// and the faults that were ordered. Knows bytes only through `peer`, time only as an argument.
// Pure.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/bot_ops.hpp"
#include "sim/faults.hpp"
#include "sim/gateway_stats.hpp"
#include "sim/identify_rules.hpp"
#include "sim/link.hpp"
#include "sim/publisher.hpp"
#include "sim/session_store.hpp"
#include "sim/world.hpp"
#include "sim/ws_codec.hpp"

namespace shardgate::sim {

class gateway {
public:
    // References outlive this.
    gateway(const options& o, world& w, session_store& sessions, publisher& out,
            identify_rules& rules, payloads& texts, std::uint64_t seed);
    ~gateway();

    // Where READY sends clients to resume: "wss://host:port".
    void resume_url(std::string url) { resume_url_ = std::move(url); }
    // Called with the time a dead resume address lasts, and to make a 16 MiB event.
    std::function<void(duration)> on_resume_dead;
    std::function<void(std::uint32_t shard, std::uint32_t shards, std::uint64_t bytes)> on_bulk;

    // A TCP connection came in: what befalls it before its upgrade.
    [[nodiscard]] std::optional<fault> on_accept(time_point now);
    // 101 when the request may go on, else the HTTP status to answer.
    [[nodiscard]] unsigned admit(const upgrade_request& r) const;
    // The upgrade is answered. The link lives until on_end().
    link& open(peer& io, const upgrade_request& r, bool generic_url, time_point now);
    void on_message(link& l, std::string_view text, time_point now);
    // The connection is over; `code` is the client's close code, 0 when it sent none.
    void on_end(link& l, close_code code, time_point now);
    // The next dispatch for this connection; the view lives until the next call.
    [[nodiscard]] bool next(link& l, std::string_view& frame, time_point now);

    void tick(time_point now);
    // Orders a fault: now for the live ones, or armed. Answers how many it met at once.
    std::size_t inject(const fault& f, time_point now);
    [[nodiscard]] fault_plan& faults() noexcept { return faults_; }

    [[nodiscard]] gateway_stats& stats() noexcept { return stats_; }
    [[nodiscard]] const gateway_stats& stats() const noexcept { return stats_; }
    [[nodiscard]] boost::json::object state(time_point now) const;
    [[nodiscard]] const bot_ops& answers() const noexcept { return bot_ops_; }
    [[nodiscard]] std::size_t connections() const noexcept { return links_.size(); }
    // Drops every connection and forgets every session.
    void clear(time_point now);

private:
    void heartbeat(link& l, const boost::json::value* d, time_point now);
    void identify(link& l, const boost::json::value* d, time_point now);
    void resume(link& l, const boost::json::value* d, time_point now);
    void begin_session(link& l, const identify_request& r, time_point now);
    void attach(link& l, session& s);
    void detach(link& l, time_point now);
    void end_session(session& s, std::string_view why);
    std::size_t forget(const fault& f);
    void reset_token(time_point now);
    void hello(link& l, time_point now);
    void refuse_session(link& l, bool resumable, time_point now);
    void server_close(link& l, close_code code, time_point now);
    void protocol_error(link& l, close_code code, std::string_view what, time_point now);
    bool within_rate(link& l, time_point now);
    void apply(link& l, const fault& f, time_point now);
    bool late(link& l, const session& s, const ring_entry& e, time_point now) const;
    void went_live(link& l, time_point now);
    void tick_link(link& l, time_point now);
    void stream_guilds(session& s, time_point now);
    [[nodiscard]] std::string ready_text(const session& s);

    const options& options_;
    world& world_;
    session_store& sessions_;
    publisher& out_;
    identify_rules& rules_;
    payloads& texts_;
    rng random_;
    bot_ops bot_ops_;
    fault_plan faults_;
    gateway_stats stats_;
    std::string resume_url_;
    std::vector<std::unique_ptr<link>> links_;
    std::uint64_t next_link_ = 1;
    std::string scratch_;
};

}  // namespace shardgate::sim
