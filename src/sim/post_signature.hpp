// SPDX-License-Identifier: Apache-2.0
// What proves a POST to be the daemon's: its secret and its signature. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sim/post_reader.hpp"

namespace shardgate::sim {

// Takes the same time wherever the first difference is.
[[nodiscard]] bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept;

// X-Shardgate-Signature is a list; one signature by one of the keys is enough.
[[nodiscard]] bool signature_holds(const post& request, const std::vector<std::string>& keys);

}  // namespace shardgate::sim
