// SPDX-License-Identifier: Apache-2.0
// All lanes that hold something, and which of them may be served: ready lists per group of URLs,
// lanes that wait for a time, lanes behind a fence. Pure. Owner: delivery.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "delivery/entry.hpp"
#include "delivery/fetch.hpp"

namespace shardgate {

class handler_url;

struct batch_rules {
    std::uint32_t events = 1;
    duration linger{0};
};

class lanes {
public:
    lanes(std::size_t groups, batch_rules batches);
    ~lanes();
    lanes(const lanes&) = delete;
    lanes& operator=(const lanes&) = delete;

    [[nodiscard]] lane& get(const lane_key& key);
    // A hint that get() comes soon.
    void foresee(const lane_key& key) const noexcept {
        fetch_lines(&buckets_[lane_key_hash{}(key) & (buckets_.size() - 1)]);
    }
    // Adds behind everything else; the caller then calls place().
    void append(lane& l, entry& e) {
        e.where = &l;
        l.queue.push_back(e);
    }
    [[nodiscard]] lane* find(const lane_key& key) noexcept;
    // Puts a lane where it belongs after anything about it changed; one that holds nothing, in
    // memory or in the spool, ceases to exist.
    void place(lane& l, time_point now);
    // The lane's request begins: out of every list.
    void take_off(lane& l);
    // A fence of `order` fell, or time passed.
    void on_fence(const shard_order& order, time_point now);
    void on_time(time_point now);

    // The breaker of this group's URL opened: it says when to try, not each lane's own backoff.
    // Lanes that were given a Retry-After keep it.
    void forgive(std::size_t group, time_point now);

    // The lane that `target` should be given now, if any may be sent. Interactions first.
    [[nodiscard]] lane* pick(std::size_t group, const handler_url& target, time_point now) noexcept;
    // The first ready lane of a list, whatever the windows say (to fill a batch).
    [[nodiscard]] lane* peek(std::size_t group, bool urgent) noexcept;
    [[nodiscard]] bool any_ready(std::size_t group) const noexcept;
    [[nodiscard]] bool has_group(std::size_t group) const noexcept { return group < ready_.size(); }

    // The lane to be read back next: little of it is in memory and something is durable. The one
    // whose events came first. Null: none.
    [[nodiscard]] lane* hungriest() noexcept {
        return hungry_.empty() ? nullptr : hungry_.begin()->second;
    }
    [[nodiscard]] bool any_hungry() const noexcept { return !hungry_.empty(); }
    // `readable`, `reading` or the length of the queue changed.
    void feed(lane& l);
    template <class F>
    void each(F&& f) {
        for (lane& l : all_)
            f(l);
    }

    [[nodiscard]] time_point deadline() const noexcept {
        return waiting_.empty() ? never : waiting_.begin()->first;
    }
    [[nodiscard]] std::size_t size() const noexcept { return all_.size(); }

    // New URLs: every lane gets a group anew by `group_of`.
    template <class F>
    void regroup(std::size_t groups, time_point now, F&& group_of) {
        for (lane& l : all_)
            take_off(l);
        ready_.clear();
        ready_.resize(groups);
        for (lane& l : all_) {
            l.group = group_of(l);
            l.retry_at = {};
            if (!l.in_flight && !l.queue.empty()) place_full(l, now);
        }
    }

private:
    static constexpr std::size_t pool_kept = 4096;
    static constexpr std::size_t low_water = 16;  // events of a lane in memory: time for more

    struct ready_lists {
        lane_list urgent, normal;
    };

    void grow_index();
    void place_full(lane& l, time_point now);  // not empty, not in flight
    void retire(lane& l);
    [[nodiscard]] time_point not_before(const lane& l) const noexcept;

    batch_rules batches_;
    // Owns its lanes. A bucket leads to its lane at once, without a node between.
    std::vector<lane_index::bucket_type> buckets_;
    lane_index all_;
    std::vector<ready_lists> ready_;
    std::set<std::pair<time_point, lane*>> waiting_;
    std::unordered_map<const shard_order*, lane_list> fenced_;
    std::set<std::pair<std::uint64_t, lane*>> hungry_;
    std::vector<std::unique_ptr<lane>> pool_;
    std::uint64_t last_serial_ = 0;
};

}  // namespace shardgate
