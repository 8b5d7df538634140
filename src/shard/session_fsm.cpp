// SPDX-License-Identifier: Apache-2.0
// The session's entry points but for frames (session_frames.cpp) and for what follows the end of a
// connection (session_loss.cpp).
#include "shardgate/shard/session_fsm.hpp"

#include <algorithm>
#include <utility>

#include "shardgate/protocol/opcode.hpp"

namespace shardgate {
namespace {

// A READY or RESUMED that holds this long was a success; see backoff.
constexpr duration connection_settles = std::chrono::seconds(5);
constexpr duration session_settles = std::chrono::minutes(10);
// Failing IDENTIFYs may be this many times rarer than connections.
constexpr int identify_backoff_factor = 10;

}  // namespace

std::string_view name_of(shard_state s) noexcept {
    switch (s) {
    case shard_state::idle: return "idle";
    case shard_state::connecting: return "connecting";
    case shard_state::identifying: return "identifying";
    case shard_state::loading: return "loading";
    case shard_state::ready: return "ready";
    case shard_state::resuming: return "resuming";
    case shard_state::parked: return "parked";
    }
    return "idle";
}

session_fsm::session_fsm(const session_settings& settings, shard_id shard, shard_count shards,
                         random_source& random)
    : settings_(settings),
      shard_(shard),
      shards_(shards),
      random_(&random),
      backoff_(settings.backoff_initial, settings.backoff_max, connection_settles),
      identify_backoff_(settings.backoff_initial, settings.backoff_max * identify_backoff_factor,
                        session_settles) {}

void session_fsm::start(std::optional<session_record> stored, time_point now,
                        session_actions& out) {
    if (phase_ != phase::idle) return;
    record_ = std::move(stored);
    if (record_ && record_->session_id.empty()) record_.reset();
    first_ = seq_no{};
    safe_.reset();
    loading_ = false;
    resume_failures_ = 0;
    identify_failures_ = 0;
    resume_or_queue(duration::zero(), now, out);
    after(now, out);
}

void session_fsm::stop(close_code code, time_point now, session_actions& out) {
    const bool ends_session = code == 1000 || code == 1001;
    switch (phase_) {
    case phase::idle: return;
    case phase::closing: stopping_ = true; break;
    case phase::connecting:
        stopping_ = true;
        begin_abort("stopped", out);
        break;
    case phase::queued:
    case phase::backing_off:
    case phase::parked: settle_down(phase::idle, out); break;
    default:
        stopping_ = true;
        if (ends_session) record_.reset();
        begin_close(code, "stopped", out);
        break;
    }
    leave_queue(out);
    commands_.clear();
    after(now, out);
}

void session_fsm::reconnect(bool new_session, time_point now, session_actions& out) {
    if (phase_ == phase::idle || stopping_) return;
    if (new_session) {
        lose_session("a new session was asked for", out);
        explicit_ = true;
    }
    by_operator_ = phase_ == phase::closing || phase_ == phase::connecting || open();
    least_wait_ = duration::zero();
    switch (phase_) {
    case phase::closing: break;  // on its way
    case phase::connecting: begin_abort("reconnect was asked for", out); break;
    case phase::queued:
        if (new_session) out.push_back(act::enqueue_identify{true, true});
        break;
    case phase::backing_off:
        if (aim_ == aim::identify && new_session) out.push_back(act::enqueue_identify{true, true});
        [[fallthrough]];
    case phase::parked:
        if (aim_ == aim::identify && in_queue_)
            retry(out);
        else
            resume_or_queue(duration::zero(), now, out);
        break;
    default: begin_close(close_to_resume, "reconnect was asked for", out); break;
    }
    after(now, out);
}

void session_fsm::on_turn_near(time_point now, session_actions& out) {
    if (!in_queue_) {
        out.push_back(act::leave_queue{});
    } else if (phase_ == phase::queued) {
        connect(out);
    } else if (phase_ == phase::permit) {
        out.push_back(act::ready_for_permit{});  // the pacer forgot that we are: it took a permit
    } else {                                     // back that reached us late
        turn_near_ = true;
    }
    after(now, out);
}

void session_fsm::on_permit(time_point now, session_actions& out) {
    if (phase_ == phase::permit) {
        out.push_back(act::send{identify_payload()});
        out.push_back(act::identified{});
        limiter_.count(now);
        ++stats_.identifies;
        in_queue_ = false;
        explicit_ = false;
        phase_ = phase::identifying;
        phase_due_ = later(now, settings_.ready_timeout * (1 << std::min(identify_failures_, 4U)));
    } else if (in_queue_) {
        out.push_back(act::not_ready_for_permit{});
    } else {
        out.push_back(act::leave_queue{});
    }
    after(now, out);
}

void session_fsm::on_opened(time_point now, session_actions& out) {
    if (phase_ == phase::connecting) {
        phase_ = phase::hello;
        phase_due_ = later(now, settings_.hello_timeout);
    }
    after(now, out);
}

void session_fsm::on_broken_stream(std::string_view why, time_point now, session_actions& out) {
    if (open()) {
        ++stats_.bad_frames;
        begin_abort(std::string(why), out);
    }
    after(now, out);
}

void session_fsm::on_timer(time_point now, session_actions& out) {
    if (open()) {
        switch (heartbeat_.poll(now)) {
        case beat::wait: break;
        case beat::send: send_heartbeat(out); break;
        case beat::dead:
            ++stats_.zombies;
            begin_abort("no heartbeat ACK", out);
            break;
        }
    }
    if (now >= phase_due_) on_phase_due(out);
    after(now, out);
}

void session_fsm::on_phase_due(session_actions& out) {
    phase_due_ = never;
    switch (phase_) {
    case phase::backing_off: retry(out); break;
    case phase::hello: begin_abort("no HELLO", out); break;
    case phase::identifying: begin_abort("no READY", out); break;
    case phase::replaying: begin_abort("no RESUMED", out); break;
    default: break;
    }
}

time_point session_fsm::deadline() const noexcept {
    return std::min({phase_due_, heartbeat_.deadline(), commands_due_});
}

bool session_fsm::submit(std::string text, std::int32_t op, time_point now, session_actions& out) {
    result<gateway_command> command = read_command(std::move(text), op);
    if (command.has_value()) return submit(std::move(*command), now, out) == submitted::queued;
    ++stats_.commands_refused;
    return false;
}

submitted session_fsm::submit(gateway_command command, time_point now, session_actions& out) {
    if (phase_ == phase::idle || phase_ == phase::parked || stopping_) {
        ++stats_.commands_refused;
        return submitted::down;
    }
    std::string presence = command.presence;
    if (!commands_.add(std::move(command), now)) {
        ++stats_.commands_refused;
        return submitted::full;
    }
    if (!presence.empty()) presence_ = std::move(presence);
    after(now, out);
    return submitted::queued;
}

duration session_fsm::until_place(time_point now) const noexcept {
    // Of a session that is not live nobody knows.
    constexpr duration unknown = std::chrono::seconds(5);
    if (phase_ != phase::live || commands_due_ == never) return unknown;
    return std::max(commands_due_ - now, duration::zero());
}

void session_fsm::on_guilds_loaded() noexcept {
    loading_ = false;
    if (shown_ == shard_state::loading) {
        shown_ = shard_state::ready;
        shown_since_ = now_;
    }
}

void session_fsm::set_safe(seq_no safe) noexcept {
    safe_ = safe;
}

bool session_fsm::open() const noexcept {
    switch (phase_) {
    case phase::hello:
    case phase::permit:
    case phase::identifying:
    case phase::replaying:
    case phase::live: return true;
    default: return false;
    }
}

// The seq that heartbeats and RESUME carry. Never below READY's own: a session is never resumed
// from before its first event, whatever became of the marks.
std::optional<std::uint64_t> session_fsm::acknowledged() const noexcept {
    if (!record_ || record_->seq.value == 0) return std::nullopt;
    if (!safe_) return record_->seq.value;
    const std::uint64_t safe = std::max(safe_->value, first_.value);
    const std::uint64_t seq = std::min(safe, record_->seq.value);
    return seq == 0 ? std::nullopt : std::optional(seq);
}

// With the presence set last. One that makes IDENTIFY too long (4002) is sent after READY instead.
std::string session_fsm::identify_payload() {
    if (presence_.empty()) return identify_text(settings_.profile, shard_, shards_);
    identify_profile profile = settings_.profile;
    profile.presence = presence_;
    std::string text = identify_text(profile, shard_, shards_);
    if (text.size() <= max_outbound_bytes) {
        commands_.drop_presence();
        return text;
    }
    const auto op = static_cast<std::int32_t>(opcode::presence_update);
    result<gateway_command> later_on = read_command(R"({"op":3,"d":)" + presence_ + "}", op);
    if (later_on.has_value()) (void)commands_.add(std::move(*later_on), now_);
    return identify_text(settings_.profile, shard_, shards_);
}

void session_fsm::send_heartbeat(session_actions& out) {
    out.push_back(act::send{heartbeat_text(acknowledged())});
}

void session_fsm::after(time_point now, session_actions& out) {
    now_ = now;
    commands_due_ = never;
    if (phase_ == phase::live) {
        while (std::optional<gateway_command> command = commands_.take(limiter_, now)) {
            out.push_back(act::send{std::move(command->text)});
            ++stats_.commands_sent;
        }
        commands_due_ = commands_.next(limiter_, now);
    }
    if (const shard_state s = state(); s != shown_) {
        shown_ = s;
        shown_since_ = now;
    }
}

shard_state session_fsm::state() const noexcept {
    switch (phase_) {
    case phase::idle: return shard_state::idle;
    case phase::parked: return shard_state::parked;
    case phase::live: return loading_ ? shard_state::loading : shard_state::ready;
    case phase::permit:
    case phase::identifying: return shard_state::identifying;
    case phase::queued: return shard_state::connecting;
    case phase::closing:
        if (stopping_) return shard_state::idle;
        return record_ ? shard_state::resuming : shard_state::connecting;
    default: return record_ ? shard_state::resuming : shard_state::connecting;
    }
}

time_point session_fsm::state_since() const noexcept {
    return shown_since_;
}
const std::optional<session_record>& session_fsm::session() const noexcept {
    return record_;
}
std::optional<duration> session_fsm::latency() const noexcept {
    return heartbeat_.latency();
}
close_code session_fsm::last_close() const noexcept {
    return last_close_;
}
const session_stats& session_fsm::stats() const noexcept {
    return stats_;
}

}  // namespace shardgate
