// SPDX-License-Identifier: Apache-2.0
// `shardgate reload`: what the daemon took over of its file, what waits, what is wrong with it.
#pragma once

#include "client/session.hpp"

namespace shardgate::client {

[[nodiscard]] int reload(const session& s);

}  // namespace shardgate::client
