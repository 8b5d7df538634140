// SPDX-License-Identifier: Apache-2.0
// The life of one shard's gateway session as a pure state machine: events and a time in, actions
// out. No socket, no clock. The only place that knows the protocol's order. Owner:
// fleet/shard_runner, which does what the actions say. Spec: docs/protocol.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "shardgate/base/ids.hpp"
#include "shardgate/base/random.hpp"
#include "shardgate/base/time.hpp"
#include "shardgate/protocol/close_code.hpp"
#include "shardgate/protocol/envelope.hpp"
#include "shardgate/protocol/outbound.hpp"
#include "shardgate/shard/backoff.hpp"
#include "shardgate/shard/command_limiter.hpp"
#include "shardgate/shard/command_queue.hpp"
#include "shardgate/shard/heartbeat.hpp"

namespace shardgate {

// As shown by the admin API (interface: /v1/shards, state).
enum class shard_state : std::uint8_t {
    idle,
    connecting,
    identifying,
    loading,
    ready,
    resuming,
    parked
};
[[nodiscard]] std::string_view name_of(shard_state s) noexcept;

// What survives a lost connection, and a restart of the daemon once it is stored.
struct session_record {
    std::string session_id;
    std::string resume_url;  // as READY gave it; empty = use the generic one
    seq_no seq{};            // RESUME continues after this one
};

// ---- actions -----------------------------------------------------------------------------------
// Done in the order given. `connect` never comes while a connection exists. After `close` or
// `abort` the runner ends the connection (or the attempt: `abort` may come before on_opened()) in
// bounded time and then calls on_closed() exactly once, later, never from inside the call.
namespace act {
struct connect {       // open a connection to `base` (no path or query)
    std::string base;  // empty = the generic gateway URL
    bool resuming;     // resumes go before identifies in the connect pool
};
struct send {  // write now; heartbeats, identify, resume and released commands alike
    std::string text;
};
struct close {  // close the connection with this code; on_closed() must still be called
    close_code code;
    std::string why;  // for the log
};
struct abort {  // drop it without a close frame (zombie, corrupt stream); on_closed() must still be
                // called
    std::string why;
};
struct enqueue_identify {  // take (or keep) a place in the identify pacer; see on_turn_near(),
                           // on_permit()
    bool keep_place;       // the connection was lost once while waiting: same place
    bool explicit_request = false;  // an operator asked for a new session: may spend the reserve
};
struct ready_for_permit {};      // HELLO is in: the pacer may grant
struct not_ready_for_permit {};  // the connection is gone again; the place stays
struct leave_queue {};           // no longer wants to identify, also when a permit came too late
struct identified {
};  // IDENTIFY was just sent (follows the send in the same batch): tell the pacer
struct session_started {  // READY is in: store the record
    session_record record;
};
struct session_resumed {};  // RESUMED is in
struct session_lost {  // it cannot be resumed (op 9, 4007, 4009, …): what came after `last` is gone
    std::string session_id;
    seq_no last;
    std::string why;
};
struct park {  // 4010, 4011: this shard stays down until someone acts; reconnect() wakes it
    close_code code;
};
struct stop_bot {  // 4004, 4012, 4013, 4014; the session is kept, reconnect() tries again
    close_code code;
};
}  // namespace act
using session_action =
    std::variant<act::connect, act::send, act::close, act::abort, act::enqueue_identify,
                 act::ready_for_permit, act::not_ready_for_permit, act::leave_queue,
                 act::identified, act::session_started, act::session_resumed, act::session_lost,
                 act::park, act::stop_bot>;
using session_actions = std::vector<session_action>;

struct session_settings {
    identify_profile profile;
    duration hello_timeout = std::chrono::seconds(30);
    // IDENTIFY sent, no READY. Doubles with every failure in a row, up to 16 times this: in an
    // outage Discord acknowledges heartbeats and brings the session late, and trying again costs.
    duration ready_timeout = std::chrono::seconds(120);
    duration resumed_timeout = std::chrono::seconds(60);  // without a dispatch while replaying
    duration backoff_initial = std::chrono::seconds(1);
    duration backoff_max = std::chrono::seconds(60);
    unsigned resume_attempts_on_resume_url = 2;  // then the generic URL
    // Then IDENTIFY. An attempt on the generic URL that does not even open is not counted: the
    // IDENTIFY would need the same URL, so giving the session up would gain nothing.
    unsigned resume_attempts = 6;
};

// Counters since construction.
struct session_stats {
    std::uint64_t connects = 0, identifies = 0, resumes_sent = 0, readies = 0, resumes_done = 0;
    std::uint64_t invalid_sessions = 0, zombies = 0, reconnects_asked = 0, bad_frames = 0,
                  unknown_ops = 0;
    std::uint64_t events = 0;          // dispatches handed on
    std::uint64_t replayed_twice = 0;  // dispatches with an s that was seen before, not handed on
    std::uint64_t out_of_place = 0;    // frames that mean nothing where they came, not handed on
    std::uint64_t commands_sent = 0, commands_refused = 0;
    std::uint64_t requests_ignored = 0;  // op 1 beyond what 120 payloads a minute can answer
};

// What becomes of a command that a session is given.
enum class submitted : std::uint8_t {
    queued,  // it goes as soon as the session is live and the limits let it
    full,    // the bounded queue has no place: later
    down,    // the shard is stopped or parked
};

class session_fsm {
public:
    // `random` is borrowed and outlives the machine.
    session_fsm(const session_settings& settings, shard_id shard, shard_count shards,
                random_source& random);

    // Begins: with a stored record by resuming, else through the identify queue.
    void start(std::optional<session_record> stored, time_point now, session_actions& out);
    // Orderly end: closes with `code` if connected and takes no more steps after on_closed(). 1000
    // and 1001 end the session at Discord's side, so it is forgotten; others keep it.
    void stop(close_code code, time_point now, session_actions& out);
    // An operator's wish: a new connection now, resuming, or with a new session.
    void reconnect(bool new_session, time_point now, session_actions& out);

    // ---- what happened -----------------------------------------------------------------------
    void on_turn_near(time_point now,
                      session_actions& out);               // the pacer: connect, your turn is near
    void on_permit(time_point now, session_actions& out);  // the pacer: IDENTIFY now
    void on_opened(time_point now, session_actions& out);  // upgraded
    // `code` 0 = without a close frame. `opened` = false: connecting failed.
    void on_closed(close_code code, bool opened, time_point now, session_actions& out);
    // The stream broke (corrupt compression, garbage frame, too large): drop and resume.
    void on_broken_stream(std::string_view why, time_point now, session_actions& out);

    struct verdict {
        bool deliver = false;  // an op 0 that is new to this session: hand it on
        const ready_info* ready =
            nullptr;  // it is READY (deliver is true); valid until the next call
    };
    // One frame. `scan` is where `frame` came from (READY's and HELLO's d are read through it).
    [[nodiscard]] verdict on_frame(const envelope& frame, scanner& scan, time_point now,
                                   session_actions& out);

    // deadline() passed.
    void on_timer(time_point now, session_actions& out);
    // When on_timer() must be called next; `never` if not.
    [[nodiscard]] time_point deadline() const noexcept;

    // Queues a gateway command (op 3, 4, 8, 31, 43) until the connection is live and the limits
    // let it pass; `out` receives what may go now.
    [[nodiscard]] submitted submit(gateway_command command, time_point now, session_actions& out);
    // The same for one that is only text. False also when read_command() refuses it.
    [[nodiscard]] bool submit(std::string text, std::int32_t op, time_point now,
                              session_actions& out);
    // How long until one of the waiting commands may go, making place for another.
    [[nodiscard]] duration until_place(time_point now) const noexcept;
    [[nodiscard]] const command_queue& commands() const noexcept { return commands_; }
    // The guild stream after READY has settled: loading becomes ready.
    void on_guilds_loaded() noexcept;
    // What later heartbeats and RESUMEs carry instead of the received seq, never above it. Unset:
    // the received one. A mark belongs to session(): never set an older session's.
    void set_safe(seq_no safe) noexcept;

    // ---- what is -----------------------------------------------------------------------------
    [[nodiscard]] shard_state state() const noexcept;
    [[nodiscard]] time_point state_since() const noexcept;
    [[nodiscard]] const std::optional<session_record>& session() const noexcept;  // seq = received
    [[nodiscard]] std::optional<duration> latency() const noexcept;  // last heartbeat to its ACK
    [[nodiscard]] close_code last_close() const noexcept;
    [[nodiscard]] const session_stats& stats() const noexcept;

private:
    enum class phase : std::uint8_t {
        idle,         // not started, or stopped
        queued,       // in the identify queue, unconnected, waiting for on_turn_near()
        backing_off,  // unconnected until phase_due_
        connecting,   // act::connect is out
        hello,        // upgraded, HELLO is due
        permit,       // HELLO is in, waiting for on_permit()
        identifying,  // IDENTIFY is out, READY is due
        replaying,    // RESUME is out, RESUMED is due
        live,
        closing,  // act::close or act::abort is out, on_closed() is due
        parked,
    };
    enum class aim : std::uint8_t { identify, resume };  // what the connection is (to be) for

    // session_fsm.cpp
    [[nodiscard]] bool open() const noexcept;
    [[nodiscard]] std::optional<std::uint64_t> acknowledged() const noexcept;
    [[nodiscard]] std::string identify_payload();
    void send_heartbeat(session_actions& out);
    void on_phase_due(session_actions& out);
    void after(time_point now, session_actions& out);  // ends every public call with `out`

    // session_frames.cpp
    [[nodiscard]] verdict on_dispatch(const envelope& frame, scanner& scan, time_point now,
                                      session_actions& out);
    [[nodiscard]] verdict on_ready(const envelope& frame, scanner& scan, time_point now,
                                   session_actions& out);
    void on_resumed(time_point now, session_actions& out);
    void on_hello(const envelope& frame, scanner& scan, time_point now, session_actions& out);
    void on_reconnect_asked(session_actions& out);
    void on_invalid_session(bool resumable, session_actions& out);
    void on_heartbeat_asked(time_point now, session_actions& out);
    void on_rate_limited(const envelope& frame, time_point now);

    // session_loss.cpp
    void begin_close(close_code code, std::string why, session_actions& out);
    void begin_abort(std::string why, session_actions& out);
    void begin_end(session_actions& out);
    void next_step(phase was, bool opened, time_point now, session_actions& out);
    void count_resume_failure(bool opened, session_actions& out);
    [[nodiscard]] duration next_wait(phase was, bool opened, time_point now);
    void lose_session(std::string why, session_actions& out);
    void connect(session_actions& out);
    void resume_or_queue(duration wait, time_point now, session_actions& out);
    void join_queue(session_actions& out);
    void leave_queue(session_actions& out);
    void retry(session_actions& out);
    void settle_down(phase where, session_actions& out);

    // Constant after construction.
    session_settings settings_;
    shard_id shard_;
    shard_count shards_;
    random_source* random_;

    // The connection, or the way to one.
    phase phase_ = phase::idle;
    phase closed_in_ = phase::idle;  // while closing: where we were
    aim aim_ = aim::identify;
    time_point phase_due_ = never;
    heartbeat heartbeat_;
    bool on_generic_url_ = true;
    bool stopping_ = false;
    bool by_operator_ = false;  // the next attempt waits for nothing
    duration least_wait_{};     // before the next attempt, whatever the backoff says
    backoff backoff_;           // connections
    backoff identify_backoff_;  // IDENTIFYs, which are dear: slower, and harder to reset
    close_code last_close_ = 0;

    // The identify queue.
    bool in_queue_ = false;
    bool place_kept_ = false;
    bool turn_near_ = false;
    bool explicit_ = false;

    // The session.
    std::optional<session_record> record_;
    seq_no first_{};  // READY's seq
    std::optional<seq_no> safe_;
    unsigned resume_failures_ = 0;    // in a row, of this session
    unsigned identify_failures_ = 0;  // IDENTIFYs in a row that brought no READY
    bool loading_ = false;
    ready_info ready_;

    // Commands.
    command_queue commands_;
    command_limiter limiter_;
    std::string presence_;  // set at run time; empty = the profile's
    time_point commands_due_ = never;
    time_point slowed_until_ = time_point::min();  // after a 4008

    time_point now_{};  // of the latest call
    shard_state shown_ = shard_state::idle;
    time_point shown_since_{};
    session_stats stats_;
};

}  // namespace shardgate
