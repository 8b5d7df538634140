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
};
struct ready_for_permit {};      // HELLO is in: the pacer may grant
struct not_ready_for_permit {};  // the connection is gone again; the place stays
struct leave_queue {};           // no longer wants to identify
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
struct park {  // 4010, 4011: this shard stays down until someone acts
    close_code code;
};
struct stop_bot {  // 4004, 4012, 4013, 4014
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
    duration ready_timeout =
        std::chrono::seconds(120);  // IDENTIFY sent, no READY (an outage may be long)
    duration resumed_timeout = std::chrono::seconds(60);  // without any frame while replaying
    duration backoff_initial = std::chrono::seconds(1);
    duration backoff_max = std::chrono::seconds(60);
    unsigned resume_attempts_on_resume_url = 2;  // then the generic URL
    unsigned resume_attempts = 6;                // then IDENTIFY
};

// Counters since construction.
struct session_stats {
    std::uint64_t connects = 0, identifies = 0, resumes_sent = 0, readies = 0, resumes_done = 0;
    std::uint64_t invalid_sessions = 0, zombies = 0, reconnects_asked = 0, bad_frames = 0,
                  unknown_ops = 0;
    std::uint64_t events = 0;          // dispatches handed on
    std::uint64_t replayed_twice = 0;  // dispatches with an s that was seen before, not handed on
};

class session_fsm {
public:
    // `random` is borrowed and outlives the machine.
    session_fsm(const session_settings& settings, shard_id shard, shard_count shards,
                random_source& random);

    // Begins: with a stored record by resuming, else through the identify queue.
    void start(std::optional<session_record> stored, time_point now, session_actions& out);
    // Orderly end: closes with `code` if connected and takes no more steps after on_closed().
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

    // Queues a gateway command that was checked before (op 3, 4, 8, 31, 43; see command_queue).
    // False: the bounded queue is full. `out` receives what may go now.
    [[nodiscard]] bool submit(std::string text, std::int32_t op, time_point now,
                              session_actions& out);
    // The guild stream after READY has settled: loading becomes ready.
    void on_guilds_loaded() noexcept;
    // What later heartbeats and RESUMEs carry instead of the received seq. Unset: the received one.
    void set_safe(seq_no safe) noexcept;

    // ---- what is -----------------------------------------------------------------------------
    [[nodiscard]] shard_state state() const noexcept;
    [[nodiscard]] time_point state_since() const noexcept;
    [[nodiscard]] const std::optional<session_record>& session() const noexcept;  // seq = received
    [[nodiscard]] std::optional<duration> latency() const noexcept;  // last heartbeat to its ACK
    [[nodiscard]] close_code last_close() const noexcept;
    [[nodiscard]] const session_stats& stats() const noexcept;

private:
    // To be filled in by the implementation.
};

}  // namespace shardgate
