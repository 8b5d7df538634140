// SPDX-License-Identifier: Apache-2.0
#include "shardgate/fleet/identify_gate.hpp"

#include <utility>

#include "shardgate/base/log.hpp"
#include "shardgate/fleet/deliverer.hpp"

namespace shardgate {

identify_gate::identify_gate(boost::asio::any_io_executor loop, pacer_settings settings,
                             const session_start_limit& limit, identify_ledger& ledger)
    : pacer_(settings, within_own_count(limit, ledger.starts_last_day(wall_now())), clock::now()),
      limit_(limit),
      ledger_(ledger),
      timer_(std::move(loop), [this] { poll(); }) {
    for (std::uint32_t key = 0; key < pacer_.max_concurrency(); ++key) {
        const wall_ms now = wall_now();
        if (const auto last = ledger_.last(key, pacer_.max_concurrency(), now))
            pacer_.last_identify(key, now - *last, clock::now());
    }
}

void identify_gate::request(pacer_ticket who, identify_candidate& candidate, bool keep_place,
                            bool explicit_request) {
    candidates_[who] = &candidate;
    if (!pacer_.request(who, keep_place, explicit_request, clock::now()))
        log::write_limited(log::level::error, "pacer full", "too many shards wait to identify",
                           {{"shard", who.shard.value}});
    wake();
}

void identify_gate::ready(pacer_ticket who, bool is_ready) {
    pacer_.ready(who, is_ready, clock::now());
    wake();
}

void identify_gate::cancel(pacer_ticket who) {
    candidates_.erase(who);
    pacer_.cancel(who, clock::now());
    wake();
}

void identify_gate::sent(pacer_ticket who) {
    ++identifies_;
    candidates_.erase(who);
    pacer_.sent(who, clock::now());
    wake();
}

void identify_gate::release(pacer_ticket who) {
    pacer_.release(who, clock::now());
    wake();
}

void identify_gate::update(const session_start_limit& limit) {
    limit_ = limit;
    pacer_.update(within_own_count(limit, ledger_.starts_last_day(wall_now())), clock::now());
    wake();
}

void identify_gate::wake() {
    timer_.arm(pacer_.deadline());
}

void identify_gate::poll() {
    signals_.clear();
    pacer_.poll(clock::now(), signals_);
    // Candidates answer by calling the gate again: signals_ must not change under the loop.
    const auto due = std::exchange(signals_, {});
    for (const pacer_signal& s : due) {
        if (s.what == pacer_signal::kind::permit) {
            grant(s.who);
            continue;
        }
        const auto it = candidates_.find(s.who);
        if (it != candidates_.end()) it->second->on_turn_near();
    }
    wake();
}

void identify_gate::grant(pacer_ticket who) {
    // The row first, the IDENTIFY after it (ledger.hpp): what is not written down is not sent.
    const auto written = [this, who, alive = std::weak_ptr<bool>(alive_)](bool stored) {
        if (alive.expired()) return;
        if (!stored && !ledger_fails_)
            log::error("the identify ledger cannot be written: nobody identifies until it can");
        if (stored && ledger_fails_) log::info("the identify ledger can be written again");
        ledger_fails_ = !stored;
        const auto it = candidates_.find(who);
        if (stored && it != candidates_.end())
            it->second->on_permit();
        else
            release(who);
    };
    ledger_.record(pacer_.key_of(who.shard), pacer_.max_concurrency(), wall_now(), written);
}

}  // namespace shardgate
