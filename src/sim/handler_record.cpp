// SPDX-License-Identifier: Apache-2.0
// Keeping and telling what the event handler saw.
#include "sim/handler_record.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

namespace shardgate::sim {
namespace {

constexpr std::size_t own_text_max = 65536;

boost::json::string_view as_json(std::string_view text) {
    return {text.data(), text.size()};
}

double milliseconds_between(time_point from, time_point to) {
    return std::chrono::duration<double, std::milli>(to - from).count();
}

}  // namespace

void handler_record::request_began(time_point now) {
    ++counts.requests;
    ++in_flight_;
    in_flight_max_ = std::max(in_flight_max_, in_flight_);
    armed_max_ = std::max(armed_max_, in_flight_);
    if (!armed_) return;
    if (beginnings_.empty() && armed_at_ == time_point{}) armed_at_ = now;
    beginnings_.push_back({static_cast<std::uint32_t>(in_flight_), now});
    armed_ = beginnings_.size() < in_flight_kept;
}

void handler_record::arm(time_point now) {
    beginnings_.clear();
    armed_ = true;
    armed_at_ = now;
    armed_max_ = in_flight_;
}

void handler_record::accepted(const posted_event& event, time_point now) {
    ++counts.accepted;
    if (event.name.starts_with("SHARDGATE_")) keep_own(event);
    if (event.name == "SHARDGATE_GAP" && !gaps_.take(event.key, event.text))
        problem("no gap event: " + std::string(event.text.substr(0, 200)));
    if (log_.empty()) return;
    line& l = log_[logged_++ % log_.size()];
    l.n = event.n;
    l.attempt = event.attempt;
    l.name = event.name;
    l.key = event.key;
    l.shard = event.shard;
    l.guild = event.guild;
    l.interaction = event.interaction;
    l.when = now;
}

void handler_record::keep_own(const posted_event& event) {
    if (own_.size() == own_capacity_ || event.text.size() > own_text_max) {
        ++own_dropped_;
        return;
    }
    own_.push_back(
        {std::string(event.name), std::string(event.key), std::string(event.text), event.attempt});
}

void handler_record::problem(std::string what) {
    ++counts.malformed;
    if (problems_.size() < problems_kept) problems_.push_back(std::move(what));
}

boost::json::array handler_record::log_json() const {
    boost::json::array out;
    const std::uint64_t kept = std::min<std::uint64_t>(logged_, log_.size());
    for (std::uint64_t i = logged_ - kept; i < logged_; ++i) {
        const line& l = log_[i % log_.size()];
        boost::json::object one;
        one["n"] = l.n;
        one["name"] = l.name;
        one["key"] = l.key;
        one["shard"] = l.shard;
        one["attempt"] = l.attempt;
        if (!l.guild.empty()) one["guild"] = l.guild;
        if (!l.interaction.empty()) one["interaction"] = l.interaction;
        one["at_ms"] = milliseconds_between(armed_at_, l.when);
        out.push_back(std::move(one));
    }
    return out;
}

boost::json::array handler_record::own_json() const {
    boost::json::array out;
    for (const own_event& e : own_) {
        boost::json::object one;
        one["name"] = e.name;
        one["key"] = e.key;
        one["attempt"] = e.attempt;
        boost::json::error_code ec;
        auto text = boost::json::parse(as_json(e.text), ec);
        one["event"] = ec ? boost::json::value(e.text) : std::move(text);
        out.push_back(std::move(one));
    }
    return out;
}

boost::json::array handler_record::in_flight_json() const {
    boost::json::array out;
    for (const beginning& b : beginnings_) {
        boost::json::array one;
        one.emplace_back(milliseconds_between(armed_at_, b.when));
        one.emplace_back(b.in_flight);
        out.push_back(std::move(one));
    }
    return out;
}

boost::json::object handler_record::report(bool with_events, std::size_t connections_open) const {
    boost::json::object out;
    out["requests"] = counts.requests;
    out["events"] = counts.events;
    out["accepted"] = counts.accepted;
    out["batches"] = counts.batches;
    out["connections"] = counts.connections;
    out["connections_open"] = connections_open;
    out["unauthorized"] = counts.unauthorized;
    out["bad_signature"] = counts.bad_signature;
    out["malformed"] = counts.malformed;
    out["broken"] = counts.broken;
    out["hung"] = counts.hung;
    out["dropped"] = counts.dropped;
    out["in_flight"] = in_flight_;
    out["in_flight_max"] = in_flight_max_;
    out["in_flight_max_armed"] = armed_max_;
    out["own_dropped"] = own_dropped_;
    boost::json::object statuses;
    for (const auto& [status, count] : by_status_)
        statuses[std::to_string(status)] = count;
    out["by_status"] = std::move(statuses);
    boost::json::array problems;
    for (const std::string& p : problems_)
        problems.emplace_back(as_json(p));
    out["problems"] = std::move(problems);
    out["own_events"] = own_json();
    if (!with_events) return out;
    out["in_flight_record"] = in_flight_json();
    out["last_events"] = log_json();
    return out;
}

}  // namespace shardgate::sim
