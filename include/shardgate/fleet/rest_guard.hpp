// SPDX-License-Identifier: Apache-2.0
// Discord blocks an address that earns 10,000 answers of 401, 403 or 429 in ten minutes (Discord
// docs, Rate Limits, Invalid Request Limit). This counts them and says stop well before. Pure.
#pragma once

#include <array>
#include <cstdint>

#include "shardgate/base/time.hpp"

namespace shardgate {

class rest_guard {
public:
    static constexpr std::uint32_t limit =
        5000;  // half of Discord's: other programs share the address

    void on_status(unsigned status, time_point now) noexcept {
        roll(now);
        if (status == 401 || status == 403 || status == 429) ++minutes_[current_], ++total_;
    }
    [[nodiscard]] bool may_ask(time_point now) noexcept {
        roll(now);
        return total_ < limit;
    }

private:
    void roll(time_point now) noexcept {
        const auto minute =
            std::chrono::duration_cast<std::chrono::minutes>(now.time_since_epoch()).count();
        if (last_ == 0 || minute - last_ >= static_cast<std::int64_t>(minutes_.size())) {
            minutes_.fill(0);
            total_ = 0;
            last_ = minute;
            return;
        }
        for (; last_ < minute; ++last_) {
            current_ = (current_ + 1) % minutes_.size();
            total_ -= minutes_[current_];
            minutes_[current_] = 0;
        }
    }

    std::array<std::uint32_t, 11> minutes_{};  // ten whole ones and the current
    std::size_t current_ = 0;
    std::uint32_t total_ = 0;
    std::int64_t last_ = 0;
};

}  // namespace shardgate
