// SPDX-License-Identifier: Apache-2.0
// Events the handler refused, kept for a person to look at. Bounded by number and bytes; the oldest
// make room and are counted. Pure. Owner: delivery.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "shardgate/delivery/delivery.hpp"

namespace shardgate {

class dead_letter_box {
public:
    dead_letter_box(std::size_t max_letters, std::uint64_t max_bytes)
        : max_letters_(max_letters), max_bytes_(max_bytes) {}

    // Gives the numbers of those that made room.
    std::vector<std::uint64_t> add(dead_letter letter) {
        std::vector<std::uint64_t> gone;
        bytes_ += letter.event->weight();
        letters_.push_back(std::move(letter));
        while (!letters_.empty() && (letters_.size() > max_letters_ || bytes_ > max_bytes_)) {
            bytes_ -= letters_.front().event->weight();
            gone.push_back(letters_.front().number);
            letters_.pop_front();
            ++dropped_;
        }
        return gone;
    }
    [[nodiscard]] std::vector<dead_letter> list(std::size_t at_most) const {
        const auto n = std::min(at_most, letters_.size());
        return {letters_.begin(), letters_.begin() + static_cast<std::ptrdiff_t>(n)};
    }
    // Those with one of these keys, or all when there are none given; in order.
    [[nodiscard]] std::vector<dead_letter> take(const std::vector<std::string>& keys) {
        std::vector<dead_letter> taken;
        std::deque<dead_letter> kept;
        for (dead_letter& l : letters_) {
            std::string key;
            l.event->append_key(key);
            const bool wanted =
                keys.empty() || std::find(keys.begin(), keys.end(), key) != keys.end();
            if (wanted) bytes_ -= l.event->weight();
            if (wanted)
                taken.push_back(std::move(l));
            else
                kept.push_back(std::move(l));
        }
        letters_ = std::move(kept);
        return taken;
    }
    template <class F>
    void each(F&& f) const {
        for (const dead_letter& l : letters_)
            f(l);
    }
    [[nodiscard]] std::size_t size() const noexcept { return letters_.size(); }
    [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_; }

private:
    std::deque<dead_letter> letters_;
    std::size_t max_letters_;
    std::uint64_t max_bytes_;
    std::uint64_t bytes_ = 0;
    std::uint64_t dropped_ = 0;
};

}  // namespace shardgate
