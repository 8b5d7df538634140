// SPDX-License-Identifier: Apache-2.0
// One presence for every shard, shard after shard: Discord holds a shard's events back while a
// presence propagates, so all at once would be felt. A newer presence takes the place of the one
// that is going round, from where that is, so that none starves. Pure. Owner: app/daemon.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <utility>

#include "shardgate/base/time.hpp"
#include "shardgate/shard/command.hpp"

namespace shardgate {

class presence_round {
public:
    static constexpr duration longest_gap = std::chrono::milliseconds(100);
    static constexpr duration longest_round = std::chrono::seconds(10);

    // Goes to `shards` places from now on. Pre: shards > 0.
    void begin(gateway_command presence, std::size_t shards, time_point now) {
        presence_ = std::move(presence);
        resize(shards);
        left_ = shards;
        due_ = std::clamp(due_, now, later(now, gap_));
        running_ = true;
    }
    // Other shards than before (a resharding): those that are there have it all over.
    void again(std::size_t shards, time_point now) {
        if (presence_ && shards > 0) begin(*presence_, shards, now);
    }

    // The next place, 0 to shards - 1, that gets presence(); nothing: it is not time, or all have.
    [[nodiscard]] std::optional<std::size_t> take(time_point now) {
        if (!running_ || now < due_) return std::nullopt;
        const std::size_t at = at_;
        at_ = (at_ + 1) % shards_;
        running_ = --left_ > 0;
        due_ = later(now, gap_);
        return at;
    }
    [[nodiscard]] time_point deadline() const noexcept { return running_ ? due_ : never; }
    [[nodiscard]] bool running() const noexcept { return running_; }
    [[nodiscard]] const std::optional<gateway_command>& presence() const noexcept {
        return presence_;
    }

private:
    void resize(std::size_t shards) noexcept {
        if (shards != shards_) at_ = 0;
        shards_ = shards;
        gap_ = std::min<duration>(
            longest_gap,
            longest_round / static_cast<duration::rep>(std::max<std::size_t>(shards, 1)));
    }

    std::optional<gateway_command> presence_;
    std::size_t shards_ = 0, at_ = 0, left_ = 0;
    duration gap_{};
    time_point due_{};
    bool running_ = false;
};

}  // namespace shardgate
