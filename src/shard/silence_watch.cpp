// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "shardgate/shard/silence_watch.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace shardgate {
namespace {

// Ticks remembered: the longest silence that is weighed against the siblings.
constexpr std::size_t remembered_ticks = 1800;
// A habit younger than this, or formed from less, is none.
constexpr duration least_watched = std::chrono::minutes(5);

double seconds(duration d) noexcept {
    return std::chrono::duration<double>(d).count();
}

}  // namespace

silence_watch::silence_watch(silence_settings settings, shard_id first, std::uint32_t count,
                             time_point now)
    : settings_(settings),
      first_(first.value),
      shards_(count),
      last_tick_(now),
      next_tick_(later(now, settings.tick)) {
    for (ring& r : ticks_)
        r.assign(remembered_ticks, 0);
    for (shard_watch& w : shards_)
        for (stream& s : w.streams)
            s.accounted = s.silent_since = now;
}

void silence_watch::on_event(shard_id shard, shed_class what) noexcept {
    const std::size_t index = shard.value - first_;
    if (shard.value < first_ || index >= shards_.size()) return;
    ++shards_[index].streams[static_cast<std::size_t>(what)].fresh;
}

void silence_watch::on_live(shard_id shard, bool live, time_point now) noexcept {
    const std::size_t index = shard.value - first_;
    if (shard.value < first_ || index >= shards_.size()) return;
    shard_watch& w = shards_[index];
    w.live = live;
    for (stream& s : w.streams) {
        s.fresh = 0;
        s.accounted = s.silent_since = now;  // the time in between counts for nothing
    }
}

// A plain mean while the habit is young, then exponential forgetting. Once there is a habit a burst
// (the answer to a member request, say) counts for at most three times of it: it must not make
// the usual look like silence afterwards.
void silence_watch::learn(stream& s, duration span) const noexcept {
    const double length = std::max(seconds(span), 1e-3);
    double rate = s.fresh / length;
    if (s.watched >= least_watched) rate = std::min(rate, 3 * s.habit + 3 / length);
    const double forgetting = 1 - std::exp(-length / seconds(settings_.memory));
    s.habit += (rate - s.habit) * std::max(forgetting, length / (seconds(s.watched) + length));
    s.watched = std::min(s.watched + span, settings_.memory);
}

// Takes the tick's counts into the habits. A stream's habit moves only when events come: while it
// is silent the habit stands still, and the gap is weighed in with the next event.
void silence_watch::account(time_point now) {
    habits_.fill(0);
    const std::size_t previous = std::exchange(cursor_, (cursor_ + 1) % remembered_ticks);
    for (std::size_t c = 0; c < shed_class_count; ++c) {
        std::uint64_t total = ticks_[c][previous];
        for (shard_watch& w : shards_) {
            stream& s = w.streams[c];
            if (!w.live) continue;
            if (s.fresh != 0) {
                const duration span = now - s.accounted;
                learn(s, span);
                s.accounted = s.silent_since = now;
                total += s.fresh;
                s.fresh = 0;
            }
            habits_[c] += s.habit;
        }
        ticks_[c][cursor_] = total;
    }
}

// What the siblings had in the last `span`, as a share of what they are used to. It also carries
// the time of day: at night everybody is expected to have less.
double silence_watch::siblings_factor(std::size_t shard, std::size_t what, duration span) const {
    const double used_to = habits_[what] - shards_[shard].streams[what].habit;
    if (used_to <= 0) return 0;
    const auto wanted = static_cast<std::size_t>(span / settings_.tick);
    const std::size_t ticks = std::clamp<std::size_t>(wanted, 1, remembered_ticks - 1);
    const ring& totals = ticks_[what];
    const std::size_t before = (cursor_ + remembered_ticks - ticks) % remembered_ticks;
    const auto had = static_cast<double>(totals[cursor_] - totals[before]);
    const double weighed = seconds(settings_.tick) * static_cast<double>(ticks);
    return had / (used_to * weighed);
}

std::optional<double> silence_watch::silent_expectation(std::size_t shard, std::size_t what,
                                                        time_point now) const {
    const shard_watch& w = shards_[shard];
    const stream& s = w.streams[what];
    if (!w.live || s.watched < least_watched) return std::nullopt;
    const duration span = now - s.silent_since;
    if (span < settings_.least_silence) return std::nullopt;
    if (s.habit * seconds(span) < settings_.enough_expected) return std::nullopt;
    const double factor = siblings_factor(shard, what, span);
    if (factor < settings_.siblings_alive) return std::nullopt;
    const double expected = s.habit * seconds(span) * std::min(1.0, factor);
    if (expected < settings_.enough_expected) return std::nullopt;
    return expected;
}

// Closes the case in hand when its stream flows again or when it has taken too long.
void silence_watch::settle_case(time_point now) {
    if (!case_) return;
    shard_watch& w = shards_[case_->shard];
    stream& s = w.streams[case_->what];
    const bool flows = w.live && s.accounted == now && s.accounted > case_->advised;
    if (!flows && now < case_->gives_up) return;
    if (!flows || case_->step == silence_step::identify) {
        // Its habit may have changed for good (guilds left): form it anew, and leave it in peace.
        w.left_alone_until = later(now, settings_.cooldown);
        for (stream& other : w.streams) {
            other.watched = duration::zero();
            other.habit = 0;
        }
    }
    case_.reset();
}

std::optional<silence_advice> silence_watch::advise(std::size_t shard, std::size_t what,
                                                    time_point now) {
    const std::optional<double> expected = silent_expectation(shard, what, now);
    if (!expected) return std::nullopt;
    // A second step is for a shard that came back from the first and is silent again.
    if (case_ && shards_[shard].streams[what].silent_since <= case_->advised) return std::nullopt;
    const silence_step step = case_ ? silence_step::identify : silence_step::resume;
    case_ = case_file{shard, what, step, now, later(now, settings_.step_timeout)};
    const stream& s = shards_[shard].streams[what];
    return silence_advice{shard_id{first_ + static_cast<std::uint32_t>(shard)}, step,
                          static_cast<shed_class>(what), now - s.silent_since, *expected};
}

std::optional<silence_advice> silence_watch::poll(time_point now) {
    if (now < next_tick_) return std::nullopt;
    const bool stalled = now - last_tick_ > 3 * settings_.tick;
    last_tick_ = now;
    next_tick_ = later(now, settings_.tick);
    account(now);
    settle_case(now);
    if (stalled) return std::nullopt;  // our own loop stood still: the ring's ticks are not seconds
    if (case_) {
        // The resume did not help: its stream is silent again, measured from RESUMED.
        if (case_->step == silence_step::identify) return std::nullopt;
        return advise(case_->shard, case_->what, now);
    }
    for (std::size_t shard = 0; shard < shards_.size(); ++shard) {
        if (now < shards_[shard].left_alone_until) continue;
        for (std::size_t c = 0; c < shed_class_count; ++c)
            if (std::optional<silence_advice> found = advise(shard, c, now)) return found;
    }
    return std::nullopt;
}

}  // namespace shardgate
