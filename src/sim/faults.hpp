// SPDX-License-Identifier: Apache-2.0
// What goes wrong on purpose, where and for whom (Discord fact sheet S22, S32). The plan is pure:
// it says which fault applies to a connection at a phase; the gateway does it.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "shardgate/base/result.hpp"
#include "shardgate/base/time.hpp"
#include "shardgate/protocol/close_code.hpp"
#include "sim/options.hpp"

namespace shardgate::sim {

enum class fault_kind : std::uint8_t {
    close,            // close frame with `code`, 0 = without a code
    fin,              // TCP end without a close frame
    reset,            // TCP RST
    reconnect,        // op 7; in phase hello instead of HELLO
    invalid_session,  // op 9, `resumable`
    silence,          // half open: neither reads nor writes
    no_ack,           // heartbeats are not acknowledged, dispatches go on
    drip,             // one byte per second
    garbage,          // a frame that is not JSON
    unknown_op,       // a valid frame with op 99
    huge,             // one message of `bytes` (40 MiB) that is in no replay
    bulk,             // one dispatch of `bytes` (16 MiB) through the world
    corrupt,          // the next compressed payload cannot be decoded
    ask_heartbeat,    // op 1
    delay_hello,      // by `delay`
    tls_stall,        // the handshake is never answered
    upgrade,          // HTTP `status` instead of 101
    resume_dead,      // READY's resume address refuses connections
    forget,           // sessions nobody is connected to end
    no_ready,         // an IDENTIFY is accepted, heartbeats are acknowledged, READY never comes
};

enum class fault_phase : std::uint8_t { connect, hello, ready, live, replay };

struct fault {
    fault_kind kind = fault_kind::close;
    fault_phase phase = fault_phase::live;
    std::set<std::uint32_t> shards;   // empty = all; connect and hello know no shard
    std::uint32_t shard_count = 0;    // only sessions of this set; 0 = any
    std::uint64_t next = 0;           // the next so many that come to the phase; 0 = see armed
    std::optional<time_point> until;  // everybody who comes to the phase until then
    close_code code = 4000;
    bool resumable = false;
    unsigned status = 503;
    std::uint64_t bytes = 0;
    std::uint64_t after = 0;  // replay: so many dispatches first
    duration delay{};
    double share = 1;  // of the live connections met at once

    // Waits for connections to come to its phase; otherwise it happens to the live ones at once.
    [[nodiscard]] bool armed() const noexcept { return next != 0 || until.has_value(); }
};

// Reads {"kind","phase","shards":[…],"shard_count","next","for_ms","code","resumable","status",
// "bytes","after","delay_ms","share"}. Fails with a sentence that names the member.
[[nodiscard]] result<fault> read_fault(const boost::json::value& v, const options& o,
                                       time_point now);
[[nodiscard]] std::string_view name_of(fault_kind kind) noexcept;
[[nodiscard]] std::string_view name_of(fault_phase phase) noexcept;

class fault_plan {
public:
    void arm(fault f) { armed_.push_back(std::move(f)); }
    // The fault for a connection that comes to `phase`, used up by one. Without a shard only faults
    // for all shards fit.
    [[nodiscard]] std::optional<fault> take(fault_phase phase, std::optional<std::uint32_t> shard,
                                            std::uint32_t shard_count, time_point now);
    void clear() { armed_.clear(); }
    [[nodiscard]] boost::json::array report(time_point now) const;
    [[nodiscard]] std::uint64_t taken() const noexcept { return taken_; }

private:
    std::vector<fault> armed_;
    std::uint64_t taken_ = 0;
};

}  // namespace shardgate::sim
