// SPDX-License-Identifier: Apache-2.0
// Contradictions between keys, and keys that must be given. Private to src/config.
#pragma once

#include "config/draft.hpp"

namespace shardgate::config {

// Runs after every value and secret is in place.
void check_together(draft& d, const surroundings& around);

}  // namespace shardgate::config
