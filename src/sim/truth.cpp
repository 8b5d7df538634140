// SPDX-License-Identifier: Apache-2.0
// The truth book: rows by number, counters kept as things happen, faults named for the report.
#include <algorithm>
#include <functional>
#include <utility>

#include "sim/truth_row.hpp"

namespace shardgate::sim {
namespace {

constexpr std::size_t names_max = 10000;
constexpr std::string_view other_name = "(other)";

// Ticks of 16 µs: 32 bits last 19 hours, and the difference of two survives the wrap.
using tick = std::chrono::duration<std::int64_t, std::ratio<16, 1000000>>;

std::uint32_t ticks_of(duration d) noexcept {
    return static_cast<std::uint32_t>(std::chrono::duration_cast<tick>(d).count());
}

std::uint32_t hash_of(std::string_view text) noexcept {
    return static_cast<std::uint32_t>(std::hash<std::string_view>{}(text));
}

void count_in(std::map<std::string, std::uint64_t, std::less<>>& where, std::string_view name) {
    auto it = where.find(name);
    if (it == where.end()) {
        const auto used = where.size() < names_max ? name : other_name;
        it = where.try_emplace(std::string(used)).first;
    }
    ++it->second;
}

}  // namespace

truth::truth() {
    static_assert(sizeof(row) == 16);
}
truth::~truth() = default;

truth::row* truth::find(std::uint64_t n) const noexcept {
    if (n < first_ || n > last_) return nullptr;
    const auto at = static_cast<std::size_t>(n - first_);
    row& r = pages_[at / page_rows][at % page_rows];
    return r.has(flag_given) ? &r : nullptr;
}

truth::row& truth::make_row(std::uint64_t n) {
    const auto at = static_cast<std::size_t>(n - first_);
    while (pages_.size() <= at / page_rows)
        pages_.push_back(std::make_unique<row[]>(page_rows));
    last_ = std::max(last_, n);
    return pages_[at / page_rows][at % page_rows];
}

std::uint16_t truth::name_index(std::string_view name) {
    auto it = name_index_.find(name);
    if (it != name_index_.end()) return it->second;
    const auto used = names_.size() < names_max ? name : other_name;
    const auto [added, is_new] =
        name_index_.try_emplace(std::string(used), static_cast<std::uint16_t>(names_.size()));
    if (is_new) {
        names_.emplace_back(used);
        by_name_.emplace_back();
    }
    return added->second;
}

std::uint32_t truth::lane_index(std::uint64_t lane) {
    const auto [it, is_new] =
        lane_index_.try_emplace(lane, static_cast<std::uint32_t>(lanes_.size()));
    if (is_new) lanes_.push_back({lane, 0});
    return it->second;
}

void truth::sent(const sent_event& event, time_point now) {
    if (event.n < first_ || find(event.n) != nullptr) return;
    if (!start_) start_ = now;
    row& r = make_row(event.n);
    r.lane = lane_index(event.lane);
    r.sent = ticks_of(now - *start_);
    r.name = name_index(event.name);
    r.flags = static_cast<std::uint8_t>(flag_given | static_cast<unsigned>(event.expected) << 6U);
    ++counts_.sent;
    ++by_name_[r.name].sent;
    switch (event.expected) {
    case expectation::arrives: ++counts_.expected; break;
    case expectation::may_arrive: ++counts_.may_arrive_sent; break;
    case expectation::filtered: ++counts_.filtered_sent; break;
    }
    if (event.unfurl) {
        r.flags |= flag_unfurl;
        ++counts_.unfurls_sent;
        if (event.about != 0) create_of_.emplace(event.n, event.about);
    }
    if (event.interaction.value != 0) {
        r.flags |= flag_interaction;
        interaction_of_.emplace(event.n, event.interaction);
    }
    if (event.guild_mark == "loaded")
        r.flags |= flag_loading;  // too many to be kept beside the rows
    else if (!event.guild_mark.empty())
        mark_of_.emplace(event.n, event.guild_mark);
    advance_settled();
}

// Two steps a call keep pace with one new row a call, and catch up besides.
void truth::advance_settled() {
    for (int step = 0; step < 2 && settled_ <= last_; ++step) {
        const auto at = static_cast<std::size_t>(settled_ - first_);
        if (!pages_[at / page_rows][at % page_rows].settled()) return;
        ++settled_;
    }
}

void truth::received(const received_event& event, time_point now) {
    count_in(forwarded_, event.name);
    if (event.n == 0) {
        ++counts_.unnumbered;
        return;
    }
    if (event.n < first_) return;  // from before clear()
    ++counts_.received;
    row* r = find(event.n);
    if (r == nullptr) {
        ++counts_.unknown;
        return;
    }
    const std::uint32_t hash = hash_of(event.key);
    const bool first = r->receipts == 0;
    if (first) {
        if (r->missed()) --lost_by_[r->key_hash].second;
        r->key_hash = hash;
        count_first(*r, event, now);
    }
    if (r->has(flag_copies))
        count_copy(event, hash);
    else if (!first)
        count_duplicate(*r, event, hash);
    if (r->receipts < 255) ++r->receipts;
}

void truth::count_first(row& r, const received_event& event, time_point now) {
    ++counts_.received_unique;
    ++by_name_[r.name].received;
    if (r.has(flag_unfurl)) ++counts_.unfurls_received;
    if (r.missed()) {
        ++counts_.lost_received;
    } else if (r.expected() == expectation::arrives) {
        ++counts_.received_expected;
    }
    const bool excused = r.expected() == expectation::filtered && create_never_came(event.n);
    if (r.expected() == expectation::may_arrive || excused) ++counts_.may_arrive_received;
    if (r.expected() == expectation::filtered && !excused) {
        ++counts_.filtered_received;
        note(filtered_faults_, event.n, std::string(event.key));
    }
    check_order(r, event.n);
    if (!event.guild_mark.empty()) check_mark(r, event);
    const tick took(static_cast<std::uint32_t>(ticks_of(now - *start_) - r.sent));
    lag_.observe(took);
    lag_lately_.observe(took);
    if (r.has(flag_interaction)) {
        interaction_receipt receipt{now, event.attempt, std::string(event.interaction_mark)};
        interactions_.emplace(interaction_of_.at(event.n), std::move(receipt));
    }
}

// Of equal events nobody can say which one came first.
void truth::check_order(const row& r, std::uint64_t n) {
    if (r.has(flag_copies) && copies_.at(n).must > 0) return;
    lane_state& lane = lanes_[r.lane];
    if (n < lane.highest) {
        ++counts_.out_of_order;
        note(order_faults_, n, "after " + std::to_string(lane.highest));
    }
    lane.highest = std::max(lane.highest, n);
}

void truth::check_mark(const row& r, const received_event& event) {
    count_in(marks_, event.guild_mark);
    const auto it = mark_of_.find(event.n);
    // A loading guild is `available` when it comes back from an outage meanwhile.
    const bool wrong = r.has(flag_loading)    ? event.guild_mark == "joined"
                       : it != mark_of_.end() ? event.guild_mark != it->second
                                              : false;
    if (!wrong) return;
    ++counts_.guild_marks_wrong;
    note(mark_faults_, event.n, std::string(event.guild_mark));
}

// An unfurl whose MESSAGE_CREATE went down with a session: in a lane's order the create would have
// come first, so the daemon has never seen it and cannot know that nothing else changed.
bool truth::create_never_came(std::uint64_t unfurl) const noexcept {
    const auto it = create_of_.find(unfurl);
    const row* create = it == create_of_.end() ? nullptr : find(it->second);
    return create != nullptr && create->receipts == 0 &&
           create->expected() != expectation::filtered;
}

void truth::note(std::vector<fault>& where, std::uint64_t n, std::string detail) {
    if (where.size() < faults_kept) where.push_back({n, std::move(detail)});
}

std::uint64_t truth::lane_of(std::uint64_t n) const noexcept {
    const row* r = find(n);
    return r == nullptr ? 0 : lanes_[r->lane].key;
}

bool truth::was_received(std::uint64_t n) const noexcept {
    const row* r = find(n);
    return r != nullptr && r->receipts > 0;
}

bool truth::was_lost(std::uint64_t n) const noexcept {
    const row* r = find(n);
    return r != nullptr && r->has(flag_lost);
}

const interaction_receipt* truth::interaction(snowflake id) const noexcept {
    const auto it = interactions_.find(id);
    return it == interactions_.end() ? nullptr : &it->second;
}

bool truth::flawless() const noexcept {
    return counts_.missing() == 0 && counts_.duplicates() == 0 && counts_.out_of_order == 0 &&
           counts_.filtered_received == 0 && counts_.unknown == 0 && counts_.repeats_missing == 0 &&
           counts_.repeats_same_key == 0;
}

void truth::clear() {
    pages_.clear();
    first_ = settled_ = last_ + 1;
    start_.reset();
    lanes_.assign(1, {});
    lane_index_ = {{0, 0}};
    std::fill(by_name_.begin(), by_name_.end(), name_counts{});
    forwarded_.clear();
    lost_by_.clear();
    copies_.clear();
    interaction_of_.clear();
    create_of_.clear();
    interactions_.clear();
    mark_of_.clear();
    marks_.clear();
    counts_ = {};
    lag_ = lag_lately_ = {};
    duplicate_faults_.clear();
    double_faults_.clear();
    order_faults_.clear();
    filtered_faults_.clear();
    same_key_faults_.clear();
    mark_faults_.clear();
}

}  // namespace shardgate::sim
