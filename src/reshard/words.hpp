// SPDX-License-Identifier: Apache-2.0
// Numbers as a person reads them in a refusal. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "shardgate/base/time.hpp"

namespace shardgate {

// "1 shard", "16 shards".
[[nodiscard]] inline std::string shards_text(std::uint32_t n) {
    return std::to_string(n) + (n == 1 ? " shard" : " shards");
}

// "40 s", "12 min", "3 h 5 min"; never less than it is.
[[nodiscard]] inline std::string span_text(duration d) {
    const auto s = std::chrono::ceil<std::chrono::seconds>(d).count();
    if (s < 60) return std::to_string(s) + " s";
    const auto minutes = std::chrono::ceil<std::chrono::minutes>(d).count();
    if (minutes < 60) return std::to_string(minutes) + " min";
    const auto rest = minutes % 60;
    return std::to_string(minutes / 60) + " h" +
           (rest == 0 ? std::string() : ' ' + std::to_string(rest) + " min");
}

}  // namespace shardgate
