// SPDX-License-Identifier: Apache-2.0
// Refusals that a test orders from REST: statuses, late answers, and 429 in every scope (Discord
// docs, Rate Limits; fact sheet 2.4, S6). Pure.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <string>

#include "shardgate/base/result.hpp"
#include "shardgate/base/time.hpp"
#include "sim/http_server.hpp"

namespace shardgate::sim {

// What the next requests get instead of an answer.
struct rest_fault {
    enum class scope : std::uint8_t { user, global, shared, cloudflare };

    unsigned status = 503;  // 0 = the connection is closed
    std::uint64_t next = 1;
    std::string path;           // only targets that contain it
    double retry_after = 1;     // seconds; 429
    scope limit = scope::user;  // 429
    duration delay{};           // the right answer, late; with status 200
    duration lasts{};           // instead of next: all of them for so long
    time_point until{};         // then; set when it is ordered
};

// Reads {"status","next","for_ms","path","retry_after","scope","delay_ms"}.
[[nodiscard]] result<rest_fault> read_rest_fault(const boost::json::value& v);
// A 429 as its scope has it.
[[nodiscard]] http_answer too_many(const rest_fault& f, std::int64_t unix_ms);
// {"message": …, "code": …}
[[nodiscard]] http_answer rest_error(unsigned status, int code, std::string_view message);
// X-RateLimit-Limit, -Remaining, -Reset, -Reset-After and -Bucket.
void add_limit_headers(http_answer& a, unsigned limit, unsigned remaining, double reset_after,
                       std::string_view bucket, std::int64_t unix_ms);

}  // namespace shardgate::sim
