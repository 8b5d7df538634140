// SPDX-License-Identifier: Apache-2.0
// What each gateway frame means to the session (Discord docs, Gateway, Connection Lifecycle).
#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <utility>

#include "shardgate/protocol/opcode.hpp"
#include "shardgate/shard/session_fsm.hpp"

namespace shardgate {
namespace {

// Discord says about 41 s. A faster clock is a test's; a slower one would leave a dead connection
// unnoticed, and beating more often than asked is allowed.
constexpr std::uint64_t least_interval_ms = 10;
constexpr std::uint64_t most_interval_ms = 120'000;

// Before a new attempt after op 9 (Discord docs until 2022, and staff since), and after a 4008.
constexpr duration invalid_wait_low = std::chrono::seconds(1);
constexpr duration invalid_wait_high = std::chrono::seconds(5);

// RATE_LIMITED is small; anything larger is not read.
constexpr std::size_t most_rate_limited_bytes = 4096;

// How long op 8 has to wait, from RATE_LIMITED's d; nothing when it is about something else.
std::optional<duration> member_list_wait(std::string_view d) {
    if (d.size() > most_rate_limited_bytes) return std::nullopt;
    error_code ec;
    const boost::json::value root = boost::json::parse({d.data(), d.size()}, ec);
    if (ec || !root.is_object()) return std::nullopt;
    const boost::json::value* op = root.get_object().if_contains("opcode");
    const boost::json::value* wait = root.get_object().if_contains("retry_after");
    if (!op || !op->is_int64() || !wait || !wait->is_number()) return std::nullopt;
    if (op->get_int64() != static_cast<int>(opcode::request_guild_members)) return std::nullopt;
    const double seconds = wait->to_number<double>(ec);
    if (ec || !(seconds >= 0)) return std::nullopt;
    const std::chrono::duration<double> asked(std::min(seconds, 3600.0));
    return std::chrono::duration_cast<duration>(asked);
}

}  // namespace

session_fsm::verdict session_fsm::on_frame(const envelope& frame, scanner& scan, time_point now,
                                           session_actions& out) {
    if (!open()) return {};  // what comes after we chose to close is replayed by RESUME
    if (!ready_.guilds.empty()) ready_ = ready_info{};
    heartbeat_.on_receive();
    verdict answer;
    switch (static_cast<opcode>(frame.op)) {
    case opcode::dispatch: answer = on_dispatch(frame, scan, now, out); break;
    case opcode::heartbeat: on_heartbeat_asked(now, out); break;
    case opcode::reconnect: on_reconnect_asked(out); break;
    case opcode::invalid_session: on_invalid_session(frame.d == "true", out); break;
    case opcode::hello: on_hello(frame, scan, now, out); break;
    case opcode::heartbeat_ack: heartbeat_.on_ack(now); break;
    default: ++stats_.unknown_ops; break;
    }
    after(now, out);
    return answer;
}

void session_fsm::on_hello(const envelope& frame, scanner& scan, time_point now,
                           session_actions& out) {
    if (phase_ != phase::hello) {
        ++stats_.out_of_place;
        return;
    }
    const result<std::uint64_t> asked = scan.hello_interval_ms(frame.d);
    if (asked.has_error() || *asked == 0) {
        ++stats_.bad_frames;
        begin_abort("HELLO without a heartbeat interval", out);
        return;
    }
    const std::uint64_t ms = std::clamp(*asked, least_interval_ms, most_interval_ms);
    const std::chrono::milliseconds interval(static_cast<std::int64_t>(ms));
    heartbeat_.start(now, interval, random_->unit());
    limiter_.begin(interval, now < slowed_until_);
    phase_due_ = never;
    if (aim_ == aim::identify) {
        phase_ = phase::permit;
        out.push_back(act::ready_for_permit{});
        return;
    }
    const seq_no seq{acknowledged().value_or(0)};
    out.push_back(act::send{resume_text(settings_.profile.token, record_->session_id, seq)});
    limiter_.count(now);
    ++stats_.resumes_sent;
    phase_ = phase::replaying;
    phase_due_ = later(now, settings_.resumed_timeout);
}

session_fsm::verdict session_fsm::on_dispatch(const envelope& frame, scanner& scan, time_point now,
                                              session_actions& out) {
    if (!frame.s) {
        ++stats_.bad_frames;
        begin_abort("a dispatch without s", out);
        return {};
    }
    if (phase_ == phase::identifying) {
        if (frame.event == event_id::ready) return on_ready(frame, scan, now, out);
        ++stats_.out_of_place;
        return {};
    }
    if (phase_ != phase::live && phase_ != phase::replaying) {
        ++stats_.out_of_place;
        return {};
    }
    if (phase_ == phase::replaying) {
        phase_due_ = later(now, settings_.resumed_timeout);
        if (frame.event == event_id::resumed) on_resumed(now, out);
    }
    if (*frame.s <= record_->seq.value) {
        ++stats_.replayed_twice;
        return {};
    }
    record_->seq = seq_no{*frame.s};
    if (frame.event == event_id::ready) {  // a session has one; its guilds are known already
        ++stats_.out_of_place;
        return {};
    }
    if (frame.event == event_id::rate_limited) on_rate_limited(frame, now);
    ++stats_.events;
    return verdict{true, nullptr};
}

session_fsm::verdict session_fsm::on_ready(const envelope& frame, scanner& scan, time_point now,
                                           session_actions& out) {
    result<ready_info> info = scan.ready(frame.d);
    if (info.has_error() || info->session_id.empty()) {
        ++stats_.bad_frames;
        begin_abort("READY without a session", out);
        return {};
    }
    ready_ = std::move(*info);
    record_ = session_record{ready_.session_id, ready_.resume_gateway_url, seq_no{*frame.s}};
    first_ = record_->seq;
    if (safe_) safe_ = first_;  // the old mark says nothing about this session
    loading_ = true;
    resume_failures_ = 0;
    identify_failures_ = 0;
    phase_ = phase::live;
    phase_due_ = never;
    backoff_.succeeded(now);
    identify_backoff_.succeeded(now);
    ++stats_.readies;
    ++stats_.events;
    out.push_back(act::session_started{*record_});
    return verdict{true, &ready_};
}

void session_fsm::on_resumed(time_point now, session_actions& out) {
    phase_ = phase::live;
    phase_due_ = never;
    resume_failures_ = 0;
    backoff_.succeeded(now);
    ++stats_.resumes_done;
    out.push_back(act::session_resumed{});
}

void session_fsm::on_reconnect_asked(session_actions& out) {
    ++stats_.reconnects_asked;
    begin_close(close_to_resume, "Discord asked to reconnect", out);
}

void session_fsm::on_invalid_session(bool resumable, session_actions& out) {
    ++stats_.invalid_sessions;
    if (!resumable) lose_session("invalid session", out);
    least_wait_ = random_->between(invalid_wait_low, invalid_wait_high);
    begin_close(close_to_resume, "invalid session", out);
}

void session_fsm::on_heartbeat_asked(time_point now, session_actions& out) {
    const bool keep_one = phase_ == phase::hello || phase_ == phase::permit;
    // Before HELLO there is no interval and no allowance yet; a peer that asks then is answered by
    // the beats that follow HELLO.
    if (phase_ == phase::hello || !limiter_.may_answer(keep_one, now)) {
        ++stats_.requests_ignored;
        return;
    }
    limiter_.count(now);
    heartbeat_.on_requested(now);
    send_heartbeat(out);
}

void session_fsm::on_rate_limited(const envelope& frame, time_point now) {
    if (const std::optional<duration> wait = member_list_wait(frame.d))
        limiter_.rate_limited(frame.fields.guild, *wait, now);
}

}  // namespace shardgate
