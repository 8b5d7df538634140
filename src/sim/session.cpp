// SPDX-License-Identifier: Apache-2.0
#include "sim/session.hpp"

#include <algorithm>

namespace shardgate::sim {

namespace {

constexpr std::size_t spans_max = 256;  // then the last one grows over what it should not

}  // namespace

bool within(const std::vector<event_span>& spans, std::uint64_t event) noexcept {
    return std::any_of(spans.begin(), spans.end(),
                       [event](const event_span& s) { return s.from <= event && event <= s.to; });
}

void session::miss(const ring_entry& oldest) {
    const bool next = missed_seq != 0 && oldest.seq == missed_seq + 1;
    missed_seq = oldest.seq;
    if (oldest.event == 0) return;
    if (!missed.empty() && (next || missed.size() >= spans_max))
        missed.back().to = oldest.event;
    else
        missed.push_back({oldest.event, oldest.event});
}

bool session::gives(std::uint64_t event) const noexcept {
    return event >= first_event && !within(missed, event);
}

resume_verdict check_resume(const session& s, std::uint64_t seq) noexcept {
    if (seq > s.written) return resume_verdict::above_sent;
    // first() - 1 is the newest seq that has left the ring.
    if (seq + 1 < s.ring.first()) return resume_verdict::out_of_range;
    return resume_verdict::ok;
}

}  // namespace shardgate::sim
