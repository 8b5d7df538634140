// SPDX-License-Identifier: Apache-2.0
// The truth book as JSON, for the control API and the end-to-end tests.
#include <algorithm>
#include <utility>

#include "sim/truth_row.hpp"

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

void add_repeats(boost::json::object& out, const truth::counts& c) {
    out["repeats_sent"] = c.repeats_sent;
    out["repeats_received"] = c.repeats_received;
    out["repeats_missing"] = c.repeats_missing;
    out["repeats_same_key"] = c.repeats_same_key;
    out["repeats_lost"] = c.repeats_lost;
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
    out["guild_marks_wrong"] = c.guild_marks_wrong;
    add_repeats(out, c);
}

}  // namespace

boost::json::object truth::fault_json(std::uint64_t n, std::string_view detail) const {
    boost::json::object out;
    out["n"] = n;
    if (const row* r = find(n)) {
        out["name"] = names_[r->name];
        out["lane"] = std::to_string(lanes_[r->lane].key);
    }
    if (!detail.empty()) out["detail"] = detail;
    return out;
}

boost::json::array truth::faults_json(const std::vector<fault>& faults) const {
    boost::json::array out;
    for (const fault& f : faults)
        out.push_back(fault_json(f.n, f.detail));
    return out;
}

boost::json::array truth::missing_first() const {
    boost::json::array out;
    if (counts_.missing() == 0) return out;
    for (std::uint64_t n = settled_; n <= last_ && out.size() < faults_kept; ++n) {
        const row* r = find(n);
        if (r != nullptr && !r->settled()) out.push_back(fault_json(n, {}));
    }
    return out;
}

boost::json::array truth::repeats_missing_first() const {
    if (counts_.repeats_missing == 0) return {};
    std::vector<std::uint64_t> found;
    for (const auto& [n, c] : copies_)
        if (tally_of(c).missing != 0) found.push_back(n);
    std::sort(found.begin(), found.end());
    if (found.size() > faults_kept) found.resize(faults_kept);
    boost::json::array out;
    for (const std::uint64_t n : found) {
        const copies& c = copies_.at(n);
        out.push_back(fault_json(n, std::to_string(c.receipts) + " of " +
                                        std::to_string(1 + c.must - c.lost) + " came"));
    }
    return out;
}

boost::json::object truth::lost_by() const {
    boost::json::object out;
    for (const auto& [why, count] : lost_by_)
        if (count != 0) out[why] = count;
    return out;
}

boost::json::object truth::guild_marks() const {
    boost::json::object out;
    for (const auto& [mark, count] : marks_)
        out[mark] = count;
    return out;
}

boost::json::object truth::take_latency() {
    return latency_json(std::exchange(lag_lately_, {}));
}

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
    out["lost_by"] = lost_by();
    add_repeats(out, counts_);
    out["repeats_missing_first"] = repeats_missing_first();
    out["repeats_same_key_first"] = faults_json(same_key_faults_);
    out["guild_marks"] = guild_marks();
    out["guild_marks_wrong"] = counts_.guild_marks_wrong;
    out["guild_marks_wrong_first"] = faults_json(mark_faults_);
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
    out["lost_by"] = lost_by();
    out["guild_marks"] = guild_marks();

    out["missing_first"] = missing_first();
    out["duplicates_first"] = faults_json(duplicate_faults_);
    out["doubles_first"] = faults_json(double_faults_);
    out["out_of_order_first"] = faults_json(order_faults_);
    out["filtered_first"] = faults_json(filtered_faults_);
    out["repeats_missing_first"] = repeats_missing_first();
    out["repeats_same_key_first"] = faults_json(same_key_faults_);
    out["guild_marks_wrong_first"] = faults_json(mark_faults_);
    return out;
}

}  // namespace shardgate::sim
