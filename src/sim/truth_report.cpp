// SPDX-License-Identifier: Apache-2.0
// The truth book as JSON, for the control API and the end-to-end tests.
#include "sim/truth.hpp"

namespace shardgate::sim {
namespace {

double milliseconds_of(std::chrono::microseconds us) {
    return static_cast<double>(us.count()) / 1000.0;
}

boost::json::object latency_json(const latency& lag) {
    boost::json::object out;
    out["count"] = lag.count();
    out["p50_ms"] = milliseconds_of(lag.percentile(0.5));
    out["p90_ms"] = milliseconds_of(lag.percentile(0.9));
    out["p99_ms"] = milliseconds_of(lag.percentile(0.99));
    out["p999_ms"] = milliseconds_of(lag.percentile(0.999));
    out["max_ms"] = milliseconds_of(lag.max());
    return out;
}

void add_counts(boost::json::object& out, const truth::counts& c) {
    out["sent"] = c.sent;
    out["expected"] = c.expected;
    out["missing"] = c.missing();
    out["lost"] = c.lost;
    out["lost_received"] = c.lost_received;
    out["received"] = c.received;
    out["received_unique"] = c.received_unique;
    out["received_expected"] = c.received_expected;
    out["duplicates"] = c.duplicates();
    out["duplicates_same_key"] = c.duplicates_same_key;
    out["duplicates_other_key"] = c.duplicates_other_key;
    out["out_of_order"] = c.out_of_order;
    out["filtered_sent"] = c.filtered_sent;
    out["filtered_received"] = c.filtered_received;
    out["may_arrive_sent"] = c.may_arrive_sent;
    out["may_arrive_received"] = c.may_arrive_received;
    out["unfurls_sent"] = c.unfurls_sent;
    out["unfurls_received"] = c.unfurls_received;
    out["unknown"] = c.unknown;
    out["unnumbered"] = c.unnumbered;
}

}  // namespace

void truth::account(boost::json::object& out) const {
    out["sent"] = counts_.sent;
    out["received"] = counts_.received_unique;
    out["missing"] = counts_.missing();
    out["missing_first"] = missing_first();
    out["copies"] = counts_.duplicates_same_key;
    out["doubles"] = counts_.duplicates_other_key;
    out["doubles_first"] = faults_json(double_faults_);
    out["out_of_order"] = counts_.out_of_order;
    out["out_of_order_first"] = faults_json(order_faults_);
    out["unwanted"] = counts_.filtered_received;
    out["unwanted_first"] = faults_json(filtered_faults_);
    out["never_sent"] = counts_.unknown;
    out["lost"] = counts_.lost;
    out["lost_received"] = counts_.lost_received;
    boost::json::object lost;
    for (const auto& [why, count] : lost_by_)
        if (count != 0) lost[why] = count;
    out["lost_by"] = std::move(lost);
}

boost::json::object truth::report() const {
    boost::json::object out;
    add_counts(out, counts_);
    out["flawless"] = flawless();
    out["interactions_received"] = interactions_.size();
    out["latency"] = latency_json(lag_);

    boost::json::object names;
    for (std::size_t i = 0; i < names_.size(); ++i) {
        boost::json::object one;
        one["sent"] = by_name_[i].sent;
        one["received"] = by_name_[i].received;
        names[names_[i]] = std::move(one);
    }
    out["by_name"] = std::move(names);
    boost::json::object forwarded;
    for (const auto& [name, count] : forwarded_)
        forwarded[name] = count;
    out["forwarded"] = std::move(forwarded);
    boost::json::object lost;
    for (const auto& [why, count] : lost_by_)
        if (count != 0) lost[why] = count;
    out["lost_by"] = std::move(lost);

    out["missing_first"] = missing_first();
    out["duplicates_first"] = faults_json(duplicate_faults_);
    out["doubles_first"] = faults_json(double_faults_);
    out["out_of_order_first"] = faults_json(order_faults_);
    out["filtered_first"] = faults_json(filtered_faults_);
    return out;
}

}  // namespace shardgate::sim
