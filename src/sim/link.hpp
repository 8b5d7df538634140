// SPDX-License-Identifier: Apache-2.0
// One gateway connection as the gateway's logic knows it, and what it can ask of the bytes below.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "shardgate/base/time.hpp"
#include "shardgate/protocol/close_code.hpp"
#include "sim/compressor.hpp"
#include "sim/faults.hpp"
#include "sim/session.hpp"

namespace shardgate::sim {

// The connection's byte side. Never calls back from inside these functions.
class peer {
public:
    virtual ~peer() = default;
    // A payload that is no dispatch; keeps its place behind what has been taken so far.
    virtual void send(std::string_view payload) = 0;
    // Dispatches wait: take them with gateway::next().
    virtual void wake() = 0;
    // Close frame (0 = without a code) after what is written, then the TCP connection.
    virtual void close(close_code code) = 0;
    // Ends TCP without a close frame: orderly, or by a reset.
    virtual void drop(bool reset) = 0;

    // Faults.
    virtual void go_silent() = 0;     // neither reads nor writes any more
    virtual void drip(bool on) = 0;   // one byte per second
    virtual void corrupt_next() = 0;  // the next payload, if it is compressed, cannot be decoded
};

struct link {
    link(std::uint64_t number, peer& bytes) : id(number), io(&bytes) {}

    enum class state : std::uint8_t { opening, waiting, live, closing };

    std::uint64_t id;
    peer* io;
    state now = state::opening;
    compression kind = compression::none;
    bool generic_url = true;  // came in on the URL of /gateway/bot, not on READY's
    bool payload_compression = false;
    sim::session* session = nullptr;
    time_point opened{};
    std::optional<time_point> hello_at;  // HELLO is due
    std::optional<time_point> hello_sent;
    std::optional<time_point> close_at;  // the server closes the connection itself
    close_code close_with = 0;
    std::optional<time_point> refuse_at;            // a late op 9
    std::optional<fault> replay_fault, live_fault;  // wait for their moment on this connection
    bool silent = false;
    bool kept_waiting = false;  // no_ready: it has said IDENTIFY and is not told off

    time_point last_beat{};                // or HELLO
    std::optional<time_point> asked_beat;  // op 1 sent
    bool no_ack = false;
    std::uint64_t beats = 0;
    std::optional<std::uint64_t> last_beat_seq;
    std::deque<time_point> sent_by_client;  // within the last 60 s

    std::optional<time_point> due_at;  // the next dispatch's moment, when the session lags

    bool replaying = false;
    std::uint64_t replay_end = 0;  // s of RESUMED
    std::uint64_t taken = 0;       // dispatches given to the peer on this connection
};

}  // namespace shardgate::sim
