// SPDX-License-Identifier: Apache-2.0
// The envelope around d. Discord sends t, s, op, d; a client must not rely on it (fact sheet 3.2,
// S10). Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sim/rng.hpp"

namespace shardgate::sim {

// Appends an op 0 frame in the usual order.
void write_dispatch(std::string& out, std::string_view t, std::uint64_t s, std::string_view d);
// The same in any order, with members no documentation knows.
void write_dispatch_shuffled(std::string& out, std::string_view t, std::uint64_t s,
                             std::string_view d, rng& random);
// A frame of another op; `d` is its JSON ("null", "false", an object).
[[nodiscard]] std::string control_frame(int op, std::string_view d);

}  // namespace shardgate::sim
