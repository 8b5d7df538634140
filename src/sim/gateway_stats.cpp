// SPDX-License-Identifier: Apache-2.0
#include "sim/gateway_stats.hpp"

namespace shardgate::sim {

namespace {

template <class Map>
boost::json::object by_number(const Map& counts) {
    boost::json::object out;
    for (const auto& [code, count] : counts)
        out[std::to_string(code)] = count;
    return out;
}

}  // namespace

boost::json::object gateway_stats::report() const {
    boost::json::object errors_out;
    for (const auto& [what, count] : errors)
        errors_out[what] = count;
    boost::json::object o;
    o["connections"] = connections;
    o["refused_upgrades"] = refused_upgrades;
    o["identifies"] = identifies;
    o["identifies_refused"] = identifies_refused;
    o["resumes"] = resumes;
    o["resumes_refused"] = resumes_refused;
    o["resumes_above_sent"] = resumes_above_sent;
    o["sessions_expired"] = sessions_expired;
    o["sessions_closed"] = sessions_closed;
    o["sessions_forgotten"] = sessions_forgotten;
    o["replayed"] = replayed;
    o["sent_again"] = sent_again;
    o["trimmed_by_heartbeats"] = trimmed_by_beats;
    o["trimmed_by_resumes"] = trimmed_by_resumes;
    o["heartbeats"] = heartbeats;
    o["longest_heartbeat_gap_ms"] = longest_beat_gap_ms;
    o["heartbeats_above_sent"] = beats_above_sent;
    o["heartbeats_missed"] = beats_missed;
    o["asked_heartbeats"] = asked_beats;
    o["asked_heartbeats_answered"] = asked_beats_answered;
    o["slowest_asked_heartbeat_ms"] = slowest_asked_beat_ms;
    o["rate_limited"] = rate_limited;
    o["slow_readers"] = slow_readers;
    o["client_ops"] = by_number(sent_ops);
    o["server_closes"] = by_number(server_closes);
    o["client_closes"] = by_number(client_closes);
    o["protocol_errors"] = std::move(errors_out);
    return o;
}

}  // namespace shardgate::sim
