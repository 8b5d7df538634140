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
    // An event of `epoch` is settled. True: a fence fell, lanes that wait for this shard should
    // look again.
    [[nodiscard]] bool settle(shard_order& order, std::uint64_t epoch);
    [[nodiscard]] bool settle(const entry& e) { return settle(*e.order, e.epoch); }
    // May it be sent, as far as fences go?
    [[nodiscard]] static bool open(const entry& e) noexcept {
        return e.epoch == e.order->first_epoch || e.order->waived;
    }

    [[nodiscard]] shard_order& of(generation gen, shard_id shard);
    [[nodiscard]] shard_order* find(generation gen, shard_id shard) noexcept;
    // From the spool, at start: so many events of this epoch. In order of epochs.
    void restore(generation gen, shard_id shard, std::uint64_t epoch, std::uint64_t events);
    void restored();  // after the last restore()
    // The spool was lost: only what is told of by recount() afterwards is still there.
    void forget_counts() noexcept;
    void recount(const entry& e);
    void settle_recount();
    template <class F>
    void each(F&& f) {
        for (auto& item : orders_)
            f(item.second);
    }

private:
    static constexpr std::size_t shards_kept = 8192;

    void forget_idle();
    static bool trim(shard_order& order) noexcept;

    // By generation and shard. Entries point into it: std::unordered_map keeps addresses.
    std::unordered_map<std::uint64_t, shard_order> orders_;
    shard_order* last_ = nullptr;  // asked for: a shard's events come in runs
};

}  // namespace shardgate
