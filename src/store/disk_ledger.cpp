// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "store/disk_ledger.hpp"

#include <chrono>
#include <utility>

namespace shardgate::store {

disk_ledger::disk_ledger(workshop& shop, ledger_book book, duration patience)
    : shop_(shop), book_(std::move(book)), patience_(patience) {}

void disk_ledger::record(std::uint32_t key, std::uint32_t max_concurrency, wall_ms now,
                         std::function<void(bool stored)> written) {
    const identify_entry entry{key, max_concurrency, now};
    book_.identified(entry);
    book_.started(now);
    std::function<void(bool)> done = [this, now, written = std::move(written)](bool stored) {
        // Without its row the IDENTIFY is not sent, and is no start: a disk that is away for an
        // hour must not use up the day's. The key's time stays: waiting is never wrong.
        if (!stored) book_.not_started(now);
        if (written) written(stored);
    };
    ledger_job job;
    job.id = shop_.waiting().add(std::move(done));
    job.entry = entry;
    job.now = now;
    job.due = clock::now();
    job.give_up = later(job.due, patience_);
    job.wait = std::chrono::milliseconds(50);
    const std::uint64_t id = job.id;
    if (!shop_.push(std::move(job))) shop_.give(id, false);
}

std::optional<wall_ms> disk_ledger::last(std::uint32_t key, std::uint32_t max_concurrency,
                                         wall_ms now) const {
    return book_.last(key, max_concurrency, now);
}

std::uint32_t disk_ledger::starts_last_day(wall_ms now) const {
    return book_.starts_last_day(now);
}

}  // namespace shardgate::store
