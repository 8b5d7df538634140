// SPDX-License-Identifier: Apache-2.0
#include "shardgate/fleet/rest_guard.hpp"

#include <gtest/gtest.h>

namespace shardgate {
namespace {

using namespace std::chrono_literals;
constexpr time_point start{1000h};

TEST(RestGuard, CountsOnlyWhatDiscordCounts) {
    rest_guard guard;
    for (std::uint32_t i = 0; i < 2 * rest_guard::limit; ++i)
        for (const unsigned fine : {200U, 204U, 400U, 404U, 500U})
            guard.on_status(fine, start);

    EXPECT_TRUE(guard.may_ask(start));
}

TEST(RestGuard, StopsAtHalfOfDiscordsLimit) {
    rest_guard guard;
    for (std::uint32_t i = 0; i + 1 < rest_guard::limit; ++i)
        guard.on_status(401, start);
    EXPECT_TRUE(guard.may_ask(start));

    guard.on_status(429, start);

    EXPECT_FALSE(guard.may_ask(start));
}

TEST(RestGuard, ForgetsAfterTenMinutesAndNotBefore) {
    rest_guard guard;
    for (std::uint32_t i = 0; i < rest_guard::limit; ++i)
        guard.on_status(403, start);

    EXPECT_FALSE(guard.may_ask(start + 10min));
    EXPECT_TRUE(guard.may_ask(start + 11min));
}

TEST(RestGuard, ALongPauseStartsAnew) {
    rest_guard guard;
    for (std::uint32_t i = 0; i < rest_guard::limit; ++i)
        guard.on_status(403, start);

    EXPECT_TRUE(guard.may_ask(start + 5h));
}

}  // namespace
}  // namespace shardgate
