// SPDX-License-Identifier: Apache-2.0
// `shardgate reshard`: begins, plans, watches or calls off a resharding.
#pragma once

#include "client/session.hpp"

namespace shardgate::client {

// The exit code.
[[nodiscard]] int reshard(const session& s);

}  // namespace shardgate::client
