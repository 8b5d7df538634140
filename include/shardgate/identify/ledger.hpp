// SPDX-License-Identifier: Apache-2.0
// What was identified when, so that a restarted or crash-looping daemon keeps Discord's pacing and
// budget. The seam: fleet writes every permit here and sends the IDENTIFY only when it is written.
// Must not depend on the pacer; fleet tells the pacer what the ledger knows.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>

#include "shardgate/base/time.hpp"
#include "shardgate/identify/start_budget.hpp"

namespace shardgate {

// How a permit becomes an IDENTIFY, with this ledger as with one on disk:
//   1. pacer::poll() gives a permit.
//   2. record(key, now, written). A durable ledger calls `written` once the row is on disk, from
//      the loop that called, possibly seconds later; it never calls it inside record().
//   3. written(true): session_fsm::on_permit(), its act::identified -> pacer::sent().
//      written(false), the disk refuses: pacer::release(), and the operator is told. An IDENTIFY
//      without its row is never sent.
// The row's time lies before the IDENTIFY's, by less than pacer::permit_timeout; a permit whose
// row comes later than that was taken back and is not used.
class identify_ledger {
public:
    virtual ~identify_ledger() = default;

    // `key` is shard % max_concurrency for the max_concurrency given with it.
    virtual void record(std::uint32_t key, std::uint32_t max_concurrency, wall_ms now,
                        std::function<void(bool stored)> written) = 0;

    // When `key` last identified; nothing when that is not known, or was under another
    // max_concurrency, or lies in the future (a clock was set back): then wait one interval.
    [[nodiscard]] virtual std::optional<wall_ms> last(std::uint32_t key,
                                                      std::uint32_t max_concurrency,
                                                      wall_ms now) const = 0;

    // Session starts in the 24 hours up to `now`; rows from the future count.
    [[nodiscard]] virtual std::uint32_t starts_last_day(wall_ms now) const = 0;
};

// Remembers while the process lives. A new process knows nothing and waits one interval.
class memory_ledger final : public identify_ledger {
public:
    // More starts a day than any bot has; beyond it the oldest are forgotten.
    static constexpr std::size_t max_rows = 65536;

    // Calls `written(true)` at once: there is nothing to wait for.
    void record(std::uint32_t key, std::uint32_t max_concurrency, wall_ms now,
                std::function<void(bool stored)> written) override;
    [[nodiscard]] std::optional<wall_ms> last(std::uint32_t key, std::uint32_t max_concurrency,
                                              wall_ms now) const override;
    [[nodiscard]] std::uint32_t starts_last_day(wall_ms now) const override;

private:
    std::uint32_t max_concurrency_ = 0;
    std::map<std::uint32_t, wall_ms> last_;
    std::deque<wall_ms> starts_;
};

// Discord's numbers, but never more left than our own count of the last day allows: Discord's
// answer may be older than our last IDENTIFYs.
[[nodiscard]] session_start_limit within_own_count(session_start_limit limit,
                                                   std::uint32_t starts_last_day) noexcept;

}  // namespace shardgate
