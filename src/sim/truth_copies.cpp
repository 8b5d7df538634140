// SPDX-License-Identifier: Apache-2.0
// The truth book's rules for what comes more than once and for what cannot come any more.
#include <algorithm>
#include <utility>

#include "sim/truth_row.hpp"

namespace shardgate::sim {

copies& truth::copies_of(row& r, std::uint64_t n) {
    const auto [it, is_new] = copies_.try_emplace(n);
    if (is_new && r.receipts > 0) {  // what came before was the first, whatever else is wrong
        it->second.receipts = 1;
        it->second.keys.push_back(r.key_hash);
    }
    r.flags |= flag_copies;
    return it->second;
}

void truth::add(const copies_tally& before, const copies_tally& after) noexcept {
    counts_.repeats_received += after.received - before.received;
    counts_.repeats_missing += after.missing - before.missing;
    counts_.repeats_same_key += after.same_key - before.same_key;
    counts_.lost_received += after.lost_received - before.lost_received;
    counts_.duplicates_same_key += after.extra_same_key - before.extra_same_key;
    counts_.duplicates_other_key += after.extra_other_key - before.extra_other_key;
}

void truth::sent_again(std::uint64_t n) {
    row* r = find(n);
    if (r == nullptr) return;
    copies& c = copies_of(*r, n);
    const copies_tally before = tally_of(c);
    ++c.may;
    add(before, tally_of(c));
}

void truth::happened_again(std::uint64_t n) {
    row* r = find(n);
    if (r == nullptr) return;
    copies& c = copies_of(*r, n);
    const copies_tally before = tally_of(c);
    // What need not come the first time need not come again.
    if (r->expected() == expectation::arrives && !r->has(flag_lost)) {
        ++c.must;
        ++counts_.repeats_sent;
    } else {
        ++c.may;
    }
    add(before, tally_of(c));
}

std::uint16_t truth::lost_reason(std::string_view why) {
    auto reason = std::find_if(lost_by_.begin(), lost_by_.end(),
                               [why](const auto& one) { return one.first == why; });
    if (reason == lost_by_.end()) reason = lost_by_.insert(lost_by_.end(), {std::string(why), 0});
    ++reason->second;
    return static_cast<std::uint16_t>(reason - lost_by_.begin());
}

void truth::lost(std::uint64_t n, std::string_view why, std::uint32_t repetition) {
    row* r = find(n);
    if (r == nullptr || r->has(flag_lost) || r->receipts > repetition) return;
    copies* c = r->has(flag_copies) ? &copies_.at(n) : nullptr;
    if (c != nullptr && c->must > c->lost) {
        const copies_tally before = tally_of(*c);
        ++c->lost;
        c->why.push_back(lost_reason(why));
        ++counts_.lost;
        ++counts_.repeats_lost;
        return add(before, tally_of(*c));
    }
    if (r->receipts > 0) return;
    r->flags |= flag_lost;
    if (!r->missed()) return;
    ++counts_.lost;
    --counts_.expected;
    r->key_hash = lost_reason(why);
}

void truth::count_duplicate(const row& r, const received_event& event, std::uint32_t key_hash) {
    const bool same = key_hash == r.key_hash;
    ++(same ? counts_.duplicates_same_key : counts_.duplicates_other_key);
    std::string detail = (same ? "same key " : "other key ") + std::string(event.key) +
                         ", attempt " + std::to_string(event.attempt);
    if (!same) note(double_faults_, event.n, detail);
    note(duplicate_faults_, event.n, std::move(detail));
}

void truth::count_copy(const received_event& event, std::uint32_t key_hash) {
    copies& c = copies_.at(event.n);
    const copies_tally before = tally_of(c);
    ++c.receipts;
    if (std::find(c.keys.begin(), c.keys.end(), key_hash) == c.keys.end())
        c.keys.push_back(key_hash);
    const copies_tally after = tally_of(c);
    add(before, after);
    for (std::uint64_t i = before.lost_received; i < after.lost_received; ++i)
        --lost_by_[c.why[i]].second;
    const std::string detail = std::string(event.key) + ", attempt " +
                               std::to_string(event.attempt) + ", receipt " +
                               std::to_string(c.receipts) + " of " + std::to_string(1 + c.must);
    if (after.same_key > before.same_key) note(same_key_faults_, event.n, detail);
    if (after.extra_other_key > before.extra_other_key)
        note(double_faults_, event.n, "other key " + detail);
    if (after.extra_same_key + after.extra_other_key >
        before.extra_same_key + before.extra_other_key)
        note(duplicate_faults_, event.n, "one too many: " + detail);
}

}  // namespace shardgate::sim
