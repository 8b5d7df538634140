// SPDX-License-Identifier: Apache-2.0
#include "delivery/fences.hpp"

namespace shardgate {

void fences::add(entry& e, bool fence) {
    const std::uint64_t key =
        (static_cast<std::uint64_t>(e.event->gen.value) << 32) | e.event->shard.value;
    if (orders_.size() >= shards_kept) forget_idle();
    shard_order& order = orders_[key];
    // A fence closes the epoch before it (unless nothing is in it) and opens one behind itself.
    if (fence && order.counts.back() != 0) order.counts.push_back(0);
    e.order = &order;
    e.epoch = order.newest();
    ++order.counts.back();
    if (fence) order.counts.push_back(0);
}

bool fences::settle(const entry& e) {
    shard_order& order = *e.order;
    --order.counts[static_cast<std::size_t>(e.epoch - order.first_epoch)];
    bool fell = false;
    while (order.counts.size() > 1 && order.counts.front() == 0) {
        order.counts.pop_front();
        ++order.first_epoch;
        fell = true;
    }
    return fell;
}

void fences::forget_idle() {
    std::erase_if(orders_, [](const auto& item) {
        return item.second.counts.size() == 1 && item.second.counts.front() == 0;
    });
}

}  // namespace shardgate
