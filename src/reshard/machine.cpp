// SPDX-License-Identifier: Apache-2.0
#include "shardgate/reshard/machine.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace shardgate {

namespace {

constexpr duration looked_at_every = std::chrono::milliseconds(100);
constexpr int recording_overlaps = 2;  // before the lead may pass
constexpr int patience_overlaps = 20;  // for the sets to settle, at least
constexpr duration patience_settle = std::chrono::minutes(3);
constexpr duration patience_start = std::chrono::minutes(5);  // beyond what was expected
constexpr duration patience_disk = std::chrono::minutes(1);
constexpr duration patience_close = std::chrono::minutes(5);

std::string too_few(const reshard_view& view) {
    return "only " + std::to_string(view.loaded) + " of " + std::to_string(view.shards) +
           " new shards came up in time";
}

}  // namespace

std::string_view name_of(reshard_state s) noexcept {
    switch (s) {
    case reshard_state::idle: return "idle";
    case reshard_state::starting: return "starting";
    case reshard_state::overlap: return "overlap";
    case reshard_state::retiring: return "retiring";
    case reshard_state::done: return "done";
    case reshard_state::aborted: return "aborted";
    case reshard_state::failed: return "failed";
    }
    return {};
}

reshard_machine::reshard_machine(reshard_timing timing, bool again, time_point now)
    : timing_(timing),
      at_(again ? phase::rejoining : phase::starting),
      since_(now),
      pending_(again ? reshard_step::open_windows : reshard_step::none) {}

reshard_step reshard_machine::enter(phase p, reshard_step step, time_point now) {
    at_ = p;
    since_ = now;
    stored_ = false;
    return step;
}

duration reshard_machine::longest() const noexcept {
    switch (at_) {
    case phase::starting:
    case phase::rejoining: return timing_.expected_start * 2 + patience_start;
    case phase::announcing: return patience_disk;
    case phase::passing:
    case phase::backing_out:
        return std::max<duration>(timing_.overlap * patience_overlaps, patience_settle);
    case phase::retiring: return timing_.voice_drain + patience_close;
    case phase::closing_new: return patience_close;
    case phase::recording:
    case phase::storing:
    case phase::over: break;
    }
    return duration::max();
}

reshard_step reshard_machine::next(const reshard_view& view, time_point now) {
    if (pending_ != reshard_step::none) return std::exchange(pending_, reshard_step::none);
    const bool late = now - since_ >= longest();
    const bool settled = view.settled && now - since_ >= timing_.overlap;
    switch (at_) {
    case phase::starting:
        if (view.loaded >= view.shards)
            return enter(phase::announcing, reshard_step::store_windows, now);
        if (late && call_off(too_few(view), false, now)) return next(view, now);
        break;
    case phase::announcing:
        if (stored_) return enter(phase::recording, reshard_step::open_windows, now);
        if (late && call_off("the disk did not take the plan in time", false, now))
            return next(view, now);
        break;
    case phase::rejoining:
        if (view.loaded >= view.shards) return enter(phase::recording, reshard_step::none, now);
        if (late && call_off(too_few(view), false, now)) return next(view, now);
        break;
    case phase::recording:
        if (now - since_ >= timing_.overlap * recording_overlaps)
            return enter(phase::passing, reshard_step::prefer_new, now);
        break;
    case phase::passing:
        if (settled) return enter(phase::storing, reshard_step::store_plan, now);
        if (late && call_off("the lead did not pass to the new shards in time", false, now))
            return next(view, now);
        break;
    case phase::storing:
        if (stored_) return enter(phase::retiring, reshard_step::close_old, now);
        break;
    case phase::retiring:
        if (view.both_gone || late) return enter(phase::over, reshard_step::finish, now);
        break;
    case phase::backing_out:
        // Late: what the new set alone has shown is released when it is forgotten.
        if (settled || late) return enter(phase::closing_new, reshard_step::close_new, now);
        break;
    case phase::closing_new:
        if (view.both_gone || late) return enter(phase::over, reshard_step::give_up, now);
        break;
    case phase::over: break;
    }
    return reshard_step::none;
}

bool reshard_machine::call_off(std::string reason, bool by_hand, time_point now) {
    switch (at_) {
    case phase::starting:
    case phase::announcing:
        (void)enter(phase::closing_new, reshard_step::none, now);
        pending_ = reshard_step::close_new;
        break;
    case phase::rejoining:
    case phase::recording:
    case phase::passing:
        (void)enter(phase::backing_out, reshard_step::none, now);
        pending_ = reshard_step::prefer_old;
        break;
    case phase::storing:  // the plan may be on disk already
    case phase::retiring:
    case phase::backing_out:
    case phase::closing_new:
    case phase::over: return false;
    }
    reason_ = std::move(reason);
    failed_ = true;
    by_hand_ = by_hand;
    return true;
}

bool reshard_machine::calling_off() const noexcept {
    return at_ == phase::backing_out || at_ == phase::closing_new;
}

reshard_state reshard_machine::state() const noexcept {
    switch (at_) {
    case phase::starting: return reshard_state::starting;
    case phase::announcing:
    case phase::rejoining:
    case phase::recording:
    case phase::passing:
    case phase::backing_out: return reshard_state::overlap;
    case phase::storing:
    case phase::retiring: return reshard_state::retiring;
    case phase::closing_new: return reshard_state::overlap;
    case phase::over: break;
    }
    if (!failed_) return reshard_state::done;
    return by_hand_ ? reshard_state::aborted : reshard_state::failed;
}

duration reshard_machine::remaining(time_point now) const noexcept {
    const duration here = now - since_;
    const duration windows = timing_.overlap * (recording_overlaps + 1);
    const auto rest = [&](duration whole) { return std::max(duration{0}, whole - here); };
    switch (at_) {
    case phase::starting: return rest(timing_.expected_start) + windows;
    case phase::announcing:
    case phase::rejoining: return windows;
    case phase::recording: return rest(timing_.overlap * recording_overlaps) + timing_.overlap;
    case phase::passing:
    case phase::backing_out: return rest(timing_.overlap);
    case phase::storing:
    case phase::retiring:
    case phase::closing_new:
    case phase::over: break;
    }
    return duration{0};
}

std::uint32_t reshard_machine::percent(const reshard_view& view, time_point now) const noexcept {
    // By time where time tells, by shards where it does not.
    const auto share = [&](duration whole) -> std::uint32_t {
        if (whole <= duration{0}) return 100;
        return static_cast<std::uint32_t>(std::min<std::int64_t>(
            100, 100 * ((now - since_) / std::chrono::milliseconds(1)) /
                     std::max<std::int64_t>(1, whole / std::chrono::milliseconds(1))));
    };
    switch (at_) {
    case phase::starting: return 60 * view.loaded / std::max(1U, view.shards);
    case phase::announcing:
    case phase::rejoining: return 60;
    case phase::recording: return 60 + share(timing_.overlap * recording_overlaps) / 5;
    case phase::passing: return 80 + share(timing_.overlap) / 7;
    case phase::storing: return 95;
    case phase::retiring: return 97;
    case phase::backing_out:
    case phase::closing_new: return 0;
    case phase::over: break;
    }
    return failed_ ? 0 : 100;
}

time_point reshard_machine::deadline(time_point now) const noexcept {
    return at_ == phase::over ? never : later(now, looked_at_every);
}

}  // namespace shardgate
