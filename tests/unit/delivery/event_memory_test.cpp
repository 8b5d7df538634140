// SPDX-License-Identifier: Apache-2.0
#include "delivery/event_memory.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <thread>
#include <vector>

namespace shardgate::event_memory {
namespace {

// Under AddressSanitizer nothing is kept, so that it sees each event come and go.
bool keeps() {
    static const bool does = [] {
        give(take(64), 64);
        return kept() > 0;
    }();
    return does;
}

TEST(EventMemory, WhatWasGivenBackIsTakenAgain) {
    if (!keeps()) GTEST_SKIP() << "nothing is kept in this build";
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
    if (keeps()) {
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
