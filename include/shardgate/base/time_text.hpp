// SPDX-License-Identifier: Apache-2.0
// Wall clock times as text. Pure.
#pragma once

#include <string>

#include "shardgate/base/time.hpp"

namespace shardgate {

// "2026-11-21T18:44:07.123Z" (RFC 3339, UTC, milliseconds). Years 0 to 9999.
[[nodiscard]] std::string rfc3339(wall_ms when);

// "Sat, 21 Nov 2026 18:44:07 GMT" (RFC 9110 section 5.6.7, what HTTP's Date wants).
[[nodiscard]] std::string http_date(wall_ms when);

}  // namespace shardgate
