// SPDX-License-Identifier: Apache-2.0
// How a connection ends and what comes after: resume, identify again, or stay down
// (Discord docs, Gateway, Disconnecting and Resuming; Opcodes and Status Codes, Close Event Codes).
#include <algorithm>
#include <utility>

#include "shardgate/shard/session_fsm.hpp"

namespace shardgate {
namespace {

constexpr close_code rate_limited_close = 4008;
constexpr duration rate_limited_wait_low = std::chrono::seconds(1);
constexpr duration rate_limited_wait_high = std::chrono::seconds(5);
// How long after a 4008 connections make do with half the allowance.
constexpr duration rate_limited_slowdown = std::chrono::minutes(10);

}  // namespace

void session_fsm::begin_close(close_code code, std::string why, session_actions& out) {
    begin_end(out);
    out.push_back(act::close{code, std::move(why)});
}

void session_fsm::begin_abort(std::string why, session_actions& out) {
    begin_end(out);
    out.push_back(act::abort{std::move(why)});
}

void session_fsm::begin_end(session_actions& out) {
    if (phase_ == phase::permit) out.push_back(act::not_ready_for_permit{});
    closed_in_ = phase_;
    phase_ = phase::closing;
    phase_due_ = never;
    heartbeat_.stop();
}

void session_fsm::on_closed(close_code code, bool opened, time_point now, session_actions& out) {
    if (!open() && phase_ != phase::connecting && phase_ != phase::closing) return;
    if (phase_ == phase::permit) out.push_back(act::not_ready_for_permit{});
    const phase was = phase_ == phase::closing ? closed_in_ : phase_;
    if (opened) last_close_ = code;
    heartbeat_.stop();
    phase_due_ = never;
    if (stopping_) {
        stopping_ = false;
        settle_down(phase::idle, out);
        after(now, out);
        return;
    }
    const close_rule& rule = rule_for(opened ? code : close_code{0});
    switch (rule.action) {
    case close_action::stop_bot:
        settle_down(phase::parked, out);
        out.push_back(act::stop_bot{code});
        break;
    case close_action::park_shard:
        lose_session(std::string(rule.name), out);
        settle_down(phase::parked, out);
        out.push_back(act::park{code});
        break;
    case close_action::identify:
        lose_session(std::string(rule.name), out);
        next_step(was, opened, now, out);
        break;
    case close_action::resume:
        if (opened && code == rate_limited_close) {
            slowed_until_ = later(now, rate_limited_slowdown);
            least_wait_ = random_->between(rate_limited_wait_low, rate_limited_wait_high);
        }
        next_step(was, opened, now, out);
        break;
    }
    after(now, out);
}

void session_fsm::next_step(phase was, bool opened, time_point now, session_actions& out) {
    if (aim_ == aim::resume && was != phase::live) count_resume_failure(opened, out);
    if (was == phase::identifying) ++identify_failures_;
    const duration wait =
        by_operator_ ? duration::zero() : std::max(least_wait_, next_wait(was, opened, now));
    by_operator_ = false;
    least_wait_ = duration::zero();
    resume_or_queue(wait, now, out);
}

void session_fsm::count_resume_failure(bool opened, session_actions& out) {
    if (!record_) return;
    if (opened || !on_generic_url_) ++resume_failures_;
    if (resume_failures_ >= settings_.resume_attempts)
        lose_session("not resumed in " + std::to_string(resume_failures_) + " attempts", out);
}

duration session_fsm::next_wait(phase was, bool opened, time_point now) {
    // The first failure after a good connection costs nothing: a busy shard's replay buffer lasts
    // for seconds.
    if (record_) return backoff_.next(now, opened, *random_);
    const bool identify_spent = aim_ == aim::resume || was == phase::identifying ||
                                was == phase::live;  // a session was had, or nearly
    if (identify_spent) return identify_backoff_.next(now, was != phase::identifying, *random_);
    return backoff_.next(now, false, *random_);
}

void session_fsm::lose_session(std::string why, session_actions& out) {
    if (!record_) return;
    out.push_back(act::session_lost{std::move(record_->session_id), record_->seq, std::move(why)});
    record_.reset();
    loading_ = false;
    resume_failures_ = 0;
}

// Unconnected: goes for the session if there is one, else for a place in the identify queue.
void session_fsm::resume_or_queue(duration wait, time_point now, session_actions& out) {
    aim_ = record_ ? aim::resume : aim::identify;
    if (aim_ == aim::identify) join_queue(out);
    phase_ = phase::backing_off;
    phase_due_ = later(now, wait);
    if (wait <= duration::zero()) retry(out);
}

// The wait is over.
void session_fsm::retry(session_actions& out) {
    phase_due_ = never;
    if (aim_ == aim::resume || turn_near_)
        connect(out);
    else
        phase_ = phase::queued;
}

void session_fsm::connect(session_actions& out) {
    const bool resuming = aim_ == aim::resume;
    on_generic_url_ = !resuming || record_->resume_url.empty() ||
                      resume_failures_ >= settings_.resume_attempts_on_resume_url;
    turn_near_ = false;
    phase_ = phase::connecting;
    ++stats_.connects;
    out.push_back(act::connect{on_generic_url_ ? std::string() : record_->resume_url, resuming});
}

// Losing the connection while waiting keeps the place once, so that one hiccup costs no wave;
// twice, and a shard that cannot connect would hold up its key.
void session_fsm::join_queue(session_actions& out) {
    place_kept_ = in_queue_ && !place_kept_;
    in_queue_ = true;
    turn_near_ = false;
    out.push_back(act::enqueue_identify{place_kept_, explicit_});
}

void session_fsm::leave_queue(session_actions& out) {
    if (!in_queue_) return;
    in_queue_ = false;
    out.push_back(act::leave_queue{});
}

// Down: idle or parked. The session is kept.
void session_fsm::settle_down(phase where, session_actions& out) {
    leave_queue(out);
    phase_ = where;
    phase_due_ = never;
    turn_near_ = false;
    explicit_ = false;
    by_operator_ = false;
    least_wait_ = duration::zero();
    commands_.clear();
}

}  // namespace shardgate
