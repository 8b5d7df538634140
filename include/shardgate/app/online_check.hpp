// SPDX-License-Identifier: Apache-2.0
// `shardgate check --online`: asks Discord's API and the handler what a start would meet. Starts no
// session. Blocks for at most half a minute.
#pragma once

#include <iosfwd>

#include "shardgate/config/config.hpp"

namespace shardgate {

// 0, or 69 when something would keep the daemon from its work. `settings` are checked.
[[nodiscard]] int run_online_check(const config::settings& settings, bool json, std::ostream& out);

}  // namespace shardgate
