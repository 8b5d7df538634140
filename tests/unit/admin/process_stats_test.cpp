// SPDX-License-Identifier: Apache-2.0
#include "admin/process_stats.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace shardgate::admin {
namespace {

const std::string tail =
    " S 1 2 3 4 5 6 7 8 9 10 1100 220 13 14 15 16 17 18 19000 20480000 21 22 23\n";

TEST(ProcessStats, ReadsTheFieldsWhateverTheProcessIsCalled) {
    for (const char* const name : {"shardgate", "a b", "a) (b", "x)) S 9 9 9 9", "(("}) {
        const auto f = parse_stat("4711 (" + std::string(name) + ")" + tail);
        ASSERT_TRUE(f) << name;
        EXPECT_EQ(f->user_ticks, 1100U);
        EXPECT_EQ(f->system_ticks, 220U);
        EXPECT_EQ(f->threads, 17U);
        EXPECT_EQ(f->start_ticks, 19000U);
        EXPECT_EQ(f->virtual_bytes, 20480000U);
        EXPECT_EQ(f->resident_pages, 21U);
    }
}

TEST(ProcessStats, RefusesACutOrStrangeFile) {
    EXPECT_FALSE(parse_stat(""));
    EXPECT_FALSE(parse_stat("4711 (x"));
    EXPECT_FALSE(parse_stat("4711 (x) S 1 2 3"));
    EXPECT_FALSE(parse_stat("4711 (x) S 1 2 3 4 5 6 7 8 9 10 u s 13 14 15 16 17 18 19 20 21"));
}

TEST(ProcessStats, FindsTheBootTime) {
    EXPECT_EQ(parse_boot_time("cpu 1 2\nbtime 1795286647\nprocesses 3\n"), 1795286647U);
    EXPECT_EQ(parse_boot_time("btime 5\n"), 5U);
    EXPECT_FALSE(parse_boot_time("cpu 1 2\nxbtime 3\n"));
    EXPECT_FALSE(parse_boot_time("btime x\n"));
    EXPECT_FALSE(parse_boot_time(""));
}

TEST(ProcessStats, ThisProcessLooksAlive) {
    const auto s = read_process_stats();

    ASSERT_TRUE(s);
    EXPECT_GT(s->resident_bytes, 1U << 20);
    EXPECT_GE(s->virtual_bytes, s->resident_bytes);
    EXPECT_GE(s->threads, 1U);
    EXPECT_GE(s->open_fds, 3U);
    EXPECT_GE(s->max_fds, static_cast<double>(s->open_fds));
    const auto now =
        std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch());
    EXPECT_LT(s->start_time_seconds, now.count() + 2);
    EXPECT_GT(s->start_time_seconds, now.count() - 24 * 3600);
}

}  // namespace
}  // namespace shardgate::admin
