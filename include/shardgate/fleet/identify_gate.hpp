// SPDX-License-Identifier: Apache-2.0
// The pacer with a clock: shards join, are told that their turn is near and when they may IDENTIFY.
// Exists once, whatever the number of loops and shard sets. Loop thread only.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <map>
#include <memory>
#include <vector>

#include "shardgate/identify/ledger.hpp"
#include "shardgate/identify/pacer.hpp"
#include "shardgate/runtime/lazy_timer.hpp"

namespace shardgate {

// A shard that wants to IDENTIFY. Not called from inside the gate's own functions.
class identify_candidate {
public:
    virtual ~identify_candidate() = default;
    virtual void on_turn_near() = 0;
    virtual void on_permit() = 0;
};

class identify_gate {
public:
    // `ledger` is borrowed.
    identify_gate(boost::asio::any_io_executor loop, pacer_settings settings,
                  const session_start_limit& limit, identify_ledger& ledger);

    // `candidate` must live until cancel() or sent().
    void request(pacer_ticket who, identify_candidate& candidate, bool keep_place,
                 bool explicit_request);
    void ready(pacer_ticket who, bool is_ready);
    void cancel(pacer_ticket who);
    void sent(pacer_ticket who);
    // A permit could not be used: back to the end of the queue.
    void release(pacer_ticket who);
    void update(const session_start_limit& limit);

    // The last row could not be written: nobody identifies until one can.
    [[nodiscard]] bool ledger_fails() const noexcept { return ledger_fails_; }
    [[nodiscard]] const pacer& state() const noexcept { return pacer_; }
    [[nodiscard]] std::uint64_t identifies() const noexcept { return identifies_; }
    [[nodiscard]] const session_start_limit& limit() const noexcept { return limit_; }

private:
    void poll();
    void grant(pacer_ticket who);
    void wake();

    pacer pacer_;
    session_start_limit limit_;
    identify_ledger& ledger_;
    std::map<pacer_ticket, identify_candidate*> candidates_;
    std::vector<pacer_signal> signals_;
    std::uint64_t identifies_ = 0;
    bool ledger_fails_ = false;
    lazy_timer timer_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace shardgate
