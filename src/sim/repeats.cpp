// SPDX-License-Identifier: Apache-2.0
#include "sim/repeats.hpp"

#include <utility>

namespace shardgate::sim {

namespace {

constexpr std::uint64_t longest_ms = 4000;

}  // namespace

bool repeats::equal_by_nature(event_kind kind) noexcept {
    using enum event_kind;
    return kind == typing || kind == presence || kind == reaction_add;
}

void repeats::plan(repetition r, time_point now) {
    if (!random_.chance(options_.encoding.repeats)) return;
    if (later_.size() >= later_max) {
        ++dropped_;
        return;
    }
    r.due = now + options_.scaled(milliseconds(random_.below(longest_ms + 1)));
    later_.push(std::move(r));
}

void repeats::happened(const occurrence& what, const guild* in, std::uint64_t n, std::string_view d,
                       time_point now) {
    if (options_.encoding.repeats <= 0) return;
    repetition r;
    r.what = what;
    r.in = in;
    r.n = n;
    r.d = d;
    plan(std::move(r), now);
}

void repeats::tick(time_point now) {
    while (!later_.empty() && later_.top().due <= now) {
        repetition r = later_.top();
        later_.pop();
        if (r.in != nullptr && !(r.in->present && r.in->available)) continue;
        if (!out_.repeat(r.what, r.n, r.times, r.d, now)) continue;
        ++r.times;
        plan(std::move(r), now);
    }
}

void repeats::clear() {
    later_ = {};
    dropped_ = 0;
}

}  // namespace shardgate::sim
