// SPDX-License-Identifier: Apache-2.0
// Which lane an event waits in: what is delivered in order among itself. Pure value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "shardgate/base/ids.hpp"

namespace shardgate {

struct lane_key {
    // The numbers are stored on disk: never renumber them.
    enum class kind : std::uint8_t {
        guild = 0,
        channel = 1,
        shard = 2,
        single = 3
    } what = kind::shard;
    std::uint64_t id = 0;
    friend constexpr bool operator==(const lane_key&, const lane_key&) noexcept = default;
};

struct lane_key_hash {
    std::size_t operator()(const lane_key& k) const noexcept {
        return std::hash<snowflake>{}(snowflake{k.id}) ^ static_cast<std::size_t>(k.what);
    }
};

}  // namespace shardgate
