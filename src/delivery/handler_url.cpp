// SPDX-License-Identifier: Apache-2.0
#include "delivery/handler_url.hpp"

#include <algorithm>
#include <utility>

namespace shardgate {

namespace {

constexpr duration longest_retry_after = std::chrono::minutes(5);
constexpr duration refused_probe = std::chrono::seconds(1);
constexpr duration refused_probe_jitter = std::chrono::milliseconds(250);
constexpr std::size_t longest_error = 200;

}  // namespace

handler_url::handler_url(std::string url, const handler_url_settings& settings,
                         random_source& random)
    : url_(shown_url(url)), settings_(settings), random_(random), window_(settings.cap) {}

bool handler_url::may_send(bool interaction, std::uint64_t lane, time_point now) const noexcept {
    if (in_flight_ >= settings_.cap) return false;
    if (!open_) {
        const std::size_t ordinary = std::max<std::size_t>(1, settings_.cap - settings_.reserved);
        return current_ < window_ && (interaction || current_ordinary_ < ordinary);
    }
    // One guild's trouble must not keep the others waiting for the next probe, nor for a probe
    // that hangs.
    if (one_lane_only_ && lane != last_failed_ && !second_opinion_) return true;
    return !probing_ && now >= next_probe_;
}

handler_url::ticket handler_url::on_started(bool interaction, std::uint64_t lane) noexcept {
    using role = ticket::role;
    ticket t;
    t.era = era_;
    t.as = interaction ? role::interaction : role::ordinary;
    if (open_) {
        const bool other = one_lane_only_ && lane != last_failed_ && !second_opinion_;
        t.as = other ? role::second_opinion : role::probe;
        (other ? second_opinion_ : probing_) = true;
    }
    t.answers = answers_;
    ++in_flight_;
    ++current_;
    if (t.as == role::ordinary) ++current_ordinary_;
    return t;
}

void handler_url::finish(ticket t) noexcept {
    using role = ticket::role;
    --in_flight_;
    if (t.era != era_) return;
    --current_;
    if (t.as == role::ordinary) --current_ordinary_;
    if (t.as == role::probe) probing_ = false;
    if (t.as == role::second_opinion) second_opinion_ = false;
}

void handler_url::begin_era() noexcept {
    ++era_;  // what is still under way is not counted any more
    current_ = current_ordinary_ = 0;
    probing_ = second_opinion_ = false;
    probes_ = 0;
}

bool handler_url::on_answered(ticket t) {
    finish(t);
    ++answers_;
    const bool outage = open_ && !one_lane_only_;
    failures_ = 0;
    one_lane_only_ = true;
    if (open_) {
        open_ = false;
        begin_era();
        next_probe_ = never;
        last_error_.clear();
        // A handler that comes back is not to be run over. Where one lane alone had failed, the
        // handler was never away.
        if (outage) window_ = 1;
        return true;
    }
    // Slow start: one was answered, so two may be tried (1 in flight, then 2, 4, …).
    if (t.era == era_ && window_ < settings_.cap) window_ = std::min(settings_.cap, window_ * 2);
    return false;
}

bool handler_url::on_failure(ticket t, const handler_url_failure& f, time_point now) {
    const bool late = t.era != era_;  // from before the breaker last moved: it says nothing new
    finish(t);
    if (late) return false;
    // Others were answered while this one hung: it is the guild, not the handler. However many such
    // guilds there are, the rest must not wait for them.
    if (!open_ && f.timed_out && t.answers != answers_) return false;
    last_error_ = std::string(f.detail.substr(0, longest_error));
    if (failures_ > 0 && f.lane != last_failed_) one_lane_only_ = false;
    ++failures_;
    last_failed_ = f.lane;
    if (open_) {
        ++probes_;
        schedule_probe(f, now);
        return false;
    }
    if (one_lane_only_ && !f.only_lane) return false;
    open_ = true;
    opened_at_ = now;
    begin_era();
    schedule_probe(f, now);
    return true;
}

void handler_url::schedule_probe(const handler_url_failure& f, time_point now) {
    duration wait;
    if (f.refused) {
        wait = refused_probe + random_.between(duration{0}, refused_probe_jitter);
    } else {
        duration base = settings_.retry_initial;
        for (std::uint32_t i = 0; i < probes_ && base < settings_.retry_max; ++i)
            base *= 2;
        base = std::min(base, settings_.retry_max);
        wait = random_.between(base - base / 4, base);
    }
    if (f.retry_after) wait = std::max(wait, std::min(*f.retry_after, longest_retry_after));
    next_probe_ = later(now, wait);
}

time_point handler_url::next_probe() const noexcept {
    return open_ && !probing_ && in_flight_ < settings_.cap ? next_probe_ : never;
}

std::string shown_url(std::string_view url) {
    url = url.substr(0, url.find_first_of("?#"));
    const auto scheme = url.find("://");
    if (scheme == std::string_view::npos) return std::string(url);
    const auto host = scheme + 3;
    const auto path = url.find('/', host);
    const auto at = url.substr(0, path).rfind('@');
    if (at == std::string_view::npos || at < host) return std::string(url);
    return std::string(url.substr(0, host)) + std::string(url.substr(at + 1));
}

}  // namespace shardgate
