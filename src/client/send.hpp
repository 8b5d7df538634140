// SPDX-License-Identifier: Apache-2.0
// `shardgate send`: a gateway command through the daemon, to one shard or to the guild's.
#pragma once

#include "client/session.hpp"

namespace shardgate::client {

[[nodiscard]] int send(const session& s);

}  // namespace shardgate::client
