// SPDX-License-Identifier: Apache-2.0
#include "delivery/event_memory.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <thread>
#include <vector>

#include "shardgate/base/sanitizer.hpp"

namespace shardgate::event_memory {
namespace {

TEST(EventMemory, WhatWasGivenBackIsTakenAgain) {
    if (address_sanitizer) GTEST_SKIP() << "AddressSanitizer sees every event come and go";
    void* const first = take(1000);
    std::memset(first, 1, 1000);
    give(first, 1000);
    void* const again = take(1010);  // of the same granule
    EXPECT_EQ(again, first);
    void* const other = take(1010);
    EXPECT_NE(other, first);
    give(again, 1010);
    give(other, 1010);
}

TEST(EventMemory, AllSizesCanBeWrittenToTheirEnd) {
    for (std::size_t size : {1, 127, 128, 129, 4096, 16384, 16385, 1 << 20}) {
        for (int round = 0; round < 2; ++round) {
            void* const memory = take(size);
            std::memset(memory, 0xab, size);
            give(memory, size);
        }
    }
}

TEST(EventMemory, WhatIsKeptHasABound) {
    std::vector<void*> all;
    for (std::size_t i = 0; i < 2 * kept_max / 2048; ++i)
        all.push_back(take(2048));
    for (void* const memory : all)
        give(memory, 2048);
    EXPECT_LE(kept(), kept_max);
    if (!address_sanitizer) {
        EXPECT_GT(kept(), kept_max - 4096);
    }
}

TEST(EventMemory, AnotherThreadMayGiveBack) {
    void* const memory = take(500);
    std::thread([memory] {
        std::memset(memory, 2, 500);
        give(memory, 500);
        give(take(700), 700);
    }).join();
}

}  // namespace
}  // namespace shardgate::event_memory
