// SPDX-License-Identifier: Apache-2.0
#include "delivery/fences.hpp"

#include <algorithm>

namespace shardgate {

namespace {

std::uint64_t key_of(generation gen, shard_id shard) noexcept {
    return (static_cast<std::uint64_t>(gen.value) << 32) | shard.value;
}

}  // namespace

shard_order& fences::of(generation gen, shard_id shard) {
    if (last_ != nullptr && last_->gen == gen && last_->shard == shard) return *last_;
    if (orders_.size() >= shards_kept) forget_idle();
    shard_order& order = orders_[key_of(gen, shard)];
    order.gen = gen;
    order.shard = shard;
    last_ = &order;
    return order;
}

shard_order* fences::find(generation gen, shard_id shard) noexcept {
    const auto at = orders_.find(key_of(gen, shard));
    return at == orders_.end() ? nullptr : &at->second;
}

void fences::add(entry& e, bool fence) {
    shard_order& order = of(e.event->gen, e.event->shard);
    order.shards = e.event->shards;
    // A fence stands alone between the epoch before it and the one behind it.
    if (fence) order.counts.push_back(0);
    e.order = &order;
    e.epoch = order.newest();
    ++order.counts.back();
    if (fence) order.counts.push_back(0);
    trim(order);
}

bool fences::settle(shard_order& order, std::uint64_t epoch) {
    if (epoch < order.first_epoch || epoch > order.newest()) return false;
    std::uint64_t& count = order.counts[static_cast<std::size_t>(epoch - order.first_epoch)];
    if (count > 0) --count;
    return trim(order);
}

bool fences::trim(shard_order& order) noexcept {
    bool fell = false;
    while (order.counts.size() > 1 && order.counts.front() == 0) {
        order.counts.pop_front();
        ++order.first_epoch;
        fell = true;
    }
    return fell;
}

void fences::restore(generation gen, shard_id shard, std::uint64_t epoch, std::uint64_t events) {
    shard_order& order = of(gen, shard);
    const bool fresh = order.counts.size() == 1 && order.counts.front() == 0;
    if (fresh) order.first_epoch = epoch;
    if (epoch < order.first_epoch) return;  // out of order: cannot be
    // What the rows do not fill was settled before the crash.
    const std::uint64_t most = 1U << 20;  // a damaged number must not take the memory
    if (epoch - order.first_epoch > most) epoch = order.first_epoch + most;
    while (order.newest() < epoch)
        order.counts.push_back(0);
    order.counts.back() += events;
    order.spilled += events;
}

void fences::restored() {
    // Behind a fence a new epoch begins.
    for (auto& item : orders_)
        if (item.second.newest() % 2 == 1) item.second.counts.push_back(0);
}

void fences::forget_counts() noexcept {
    for (auto& item : orders_)
        std::fill(item.second.counts.begin(), item.second.counts.end(), 0);
}

void fences::recount(const entry& e) {
    shard_order& order = *e.order;
    if (e.epoch >= order.first_epoch && e.epoch <= order.newest())
        ++order.counts[static_cast<std::size_t>(e.epoch - order.first_epoch)];
}

void fences::settle_recount() {
    for (auto& item : orders_)
        trim(item.second);
}

void fences::forget_idle() {
    last_ = nullptr;
    std::erase_if(orders_, [](const auto& item) {
        const shard_order& o = item.second;
        return o.counts.size() == 1 && o.counts.front() == 0 && o.unsafe.empty();
    });
}

}  // namespace shardgate
