// SPDX-License-Identifier: Apache-2.0
#include "client/text.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace shardgate::client {
namespace {

TEST(ClientText, NothingDrivesTheTerminal) {
    EXPECT_EQ(printable("plain ä 日本"), "plain ä 日本");
    EXPECT_EQ(printable("\x1b[2Jx\r\n\t\x7f"), "?[2Jx????");
    EXPECT_EQ(printable("a\xc2\x9b"
                        "31m"),
              "a?31m");  // C1: CSI
    EXPECT_EQ(printable("a\xe2\x80\xae"
                        "b"),
              "a?b");  // right-to-left override
    EXPECT_EQ(printable("\xff\xc3"), "??");
    EXPECT_EQ(printable(std::string_view("\0", 1)), "?");
}

TEST(ClientText, SizesHaveUnits) {
    EXPECT_EQ(bytes_text(0), "0 B");
    EXPECT_EQ(bytes_text(1023), "1023 B");
    EXPECT_EQ(bytes_text(1024), "1.0 KiB");
    EXPECT_EQ(bytes_text(2210113), "2.1 MiB");
    EXPECT_EQ(bytes_text(std::numeric_limits<std::uint64_t>::max()), "16777216.0 TiB");
}

TEST(ClientText, AgesHaveTwoUnitsAtMost) {
    EXPECT_EQ(age_text(0), "0.0 s");
    EXPECT_EQ(age_text(4.26), "4.2 s");
    EXPECT_EQ(age_text(59.99), "59.9 s");
    EXPECT_EQ(age_text(60), "1 min 0 s");
    EXPECT_EQ(age_text(3599), "59 min 59 s");
    EXPECT_EQ(age_text(7260), "2 h 1 min");
    EXPECT_EQ(age_text(200000), "2 d 7 h");
    for (const double bad : {-1.0, 1e300, std::numeric_limits<double>::quiet_NaN(),
                             std::numeric_limits<double>::infinity()})
        EXPECT_EQ(age_text(bad), "-");
}

TEST(TextTable, ColumnsAreAsWideAsTheirWidest) {
    text_table t({{"NAME", text_table::side::left}, {"N", text_table::side::right}});
    t.add({"grün", "1"});
    t.add({"long name", "1000"});
    t.add({"", "x\ny"});

    EXPECT_EQ(t.text(), "NAME          N\ngrün          1\nlong name  1000\n-           x?y\n");
}

TEST(TextTable, WithoutNamesThereIsNoHeading) {
    text_table t({{"", text_table::side::left}, {"", text_table::side::left}});
    EXPECT_TRUE(t.empty());
    t.add({"a", "b"});
    EXPECT_EQ(t.text("  "), "  a  b\n");
}

}  // namespace
}  // namespace shardgate::client
