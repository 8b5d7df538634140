// SPDX-License-Identifier: Apache-2.0
#include "shardgate/fleet/connect_pool.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace shardgate {
namespace {

TEST(ConnectPool, HoldsNoMoreThanItsPlaces) {
    connect_pool pool(2);
    int started = 0;

    const auto a = pool.acquire(false, [&] { ++started; });
    (void)pool.acquire(false, [&] { ++started; });
    (void)pool.acquire(false, [&] { ++started; });
    EXPECT_EQ(started, 2);

    pool.release(a);
    EXPECT_EQ(started, 3);
    EXPECT_EQ(pool.under_way(), 2U);
}

TEST(ConnectPool, ResumesGoBeforeIdentifies) {
    connect_pool pool(1);
    std::string order;
    const auto held = pool.acquire(false, [] {});
    (void)pool.acquire(false, [&] { order += 'i'; });
    const auto r = pool.acquire(true, [&] { order += 'r'; });

    pool.release(held);
    pool.release(r);

    EXPECT_EQ(order, "ri");
}

TEST(ConnectPool, WhoLeavesTheLineIsNotServed) {
    connect_pool pool(1);
    bool served = false;
    const auto held = pool.acquire(true, [] {});
    const auto waiting = pool.acquire(true, [&] { served = true; });

    pool.release(waiting);
    pool.release(held);

    EXPECT_FALSE(served);
    EXPECT_EQ(pool.under_way(), 0U);
    EXPECT_EQ(pool.waiting(), 0U);
}

TEST(ConnectPool, APlaceGivenBackWhileServingGoesToTheNext) {
    connect_pool pool(1);
    std::vector<int> order;
    const auto held = pool.acquire(true, [] {});
    connect_pool::ticket second = 0;
    second = pool.acquire(true, [&] {
        order.push_back(2);
        pool.release(second);
    });
    (void)pool.acquire(true, [&] { order.push_back(3); });

    pool.release(held);

    EXPECT_EQ(order, (std::vector{2, 3}));
}

TEST(ConnectPool, UnknownTicketsAreIgnored) {
    connect_pool pool(1);

    pool.release(42);

    EXPECT_EQ(pool.under_way(), 0U);
}

}  // namespace
}  // namespace shardgate
