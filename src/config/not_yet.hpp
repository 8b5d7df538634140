// SPDX-License-Identifier: Apache-2.0
// Keys whose feature does not exist yet: accepted at their default, refused otherwise.
// Private to src/config.
#pragma once

#include "config/draft.hpp"

namespace shardgate::config {

// Adds a "not yet" problem for every such key with another value.
void refuse_not_yet(draft& d);

}  // namespace shardgate::config
