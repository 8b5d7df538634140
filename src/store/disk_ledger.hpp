// SPDX-License-Identifier: Apache-2.0
// The identify ledger as fleet sees it: asks are answered from memory, records go to storage's
// thread. Loop thread only. Owner: storage.
#pragma once

#include <functional>
#include <optional>

#include "shardgate/identify/ledger.hpp"
#include "shardgate/identify/pacer.hpp"
#include "store/ledger_book.hpp"
#include "store/workshop.hpp"

namespace shardgate::store {

class disk_ledger final : public identify_ledger {
public:
    // `shop` is borrowed and lives longer. A record that cannot be written is tried for `patience`:
    // later than that the permit it is for was taken back.
    disk_ledger(workshop& shop, ledger_book book, duration patience = pacer::permit_timeout);

    void record(std::uint32_t key, std::uint32_t max_concurrency, wall_ms now,
                std::function<void(bool stored)> written) override;
    [[nodiscard]] std::optional<wall_ms> last(std::uint32_t key, std::uint32_t max_concurrency,
                                              wall_ms now) const override;
    [[nodiscard]] std::uint32_t starts_last_day(wall_ms now) const override;

private:
    workshop& shop_;
    ledger_book book_;
    const duration patience_;
};

}  // namespace shardgate::store
