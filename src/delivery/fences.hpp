// SPDX-License-Identifier: Apache-2.0
// Fences: READY and gap events come after everything their shard received before them, and before
// everything it received after. Pure. Owner: delivery. See shard_order in entry.hpp.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>

#include "delivery/entry.hpp"

namespace shardgate {

class fences {
public:
    // Gives `e` its place in the order of its shard.
    void add(entry& e, bool fence);
    // `e` is settled. True: a fence fell, lanes that wait for this shard should look again.
    [[nodiscard]] bool settle(const entry& e);
    // May it be sent, as far as fences go?
    [[nodiscard]] static bool open(const entry& e) noexcept {
        return e.epoch == e.order->first_epoch;
    }

private:
    static constexpr std::size_t shards_kept = 8192;

    void forget_idle();

    // By generation and shard. Entries point into it: std::unordered_map keeps addresses.
    std::unordered_map<std::uint64_t, shard_order> orders_;
};

}  // namespace shardgate
