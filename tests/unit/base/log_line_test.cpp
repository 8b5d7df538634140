// SPDX-License-Identifier: Apache-2.0
#include "base/log_line.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

namespace shardgate::log {
namespace {

const wall_ms moment{std::chrono::milliseconds(1795286647123)};  // 2026-11-21T18:44:07.123Z

std::string text(std::string_view message, std::vector<field> facts = {}) {
    return render(format::text, level::info, moment, message, facts);
}

std::string json(std::string_view message, std::vector<field> facts = {}) {
    return render(format::json, level::info, moment, message, facts);
}

TEST(LogLine, TextIsTimeLevelMessageAndFacts) {
    EXPECT_EQ(text("shard ready", {{"shard", 3}, {"guilds", 100U}}),
              "2026-11-21T18:44:07.123Z info  shard ready shard=3 guilds=100");
}

TEST(LogLine, LevelsAreAlignedInText) {
    EXPECT_EQ(render(format::text, level::error, moment, "m", {}),
              "2026-11-21T18:44:07.123Z error m");
    EXPECT_EQ(render(format::text, level::warn, moment, "m", {}),
              "2026-11-21T18:44:07.123Z warn  m");
}

TEST(LogLine, JsonIsOneObjectWithTypedFacts) {
    const std::string line =
        json("shard ready", {{"shard", 3}, {"resumed", true}, {"host", "a.b"}, {"lag", 0.25}});

    EXPECT_EQ(line, R"({"time":"2026-11-21T18:44:07.123Z","level":"info","msg":"shard ready",)"
                    R"("shard":3,"resumed":true,"host":"a.b","lag":0.25})");
}

TEST(LogLine, ExtremeNumbersKeepTheirValue) {
    const std::string line = text("m", {{"low", std::numeric_limits<std::int64_t>::min()},
                                        {"high", std::numeric_limits<std::uint64_t>::max()}});
    EXPECT_NE(line.find("low=-9223372036854775808 high=18446744073709551615"), std::string::npos);
}

TEST(LogLine, NotANumberIsNullInJson) {
    const std::string line = json("m", {{"x", std::numeric_limits<double>::quiet_NaN()},
                                        {"y", std::numeric_limits<double>::infinity()}});
    EXPECT_NE(line.find(R"("x":null,"y":null)"), std::string::npos);
}

TEST(LogLine, ValuesThatCouldBeMisreadAreQuoted) {
    EXPECT_NE(text("m", {{"v", "two words"}}).find(R"( v="two words")"), std::string::npos);
    EXPECT_NE(text("m", {{"v", ""}}).find(R"( v="")"), std::string::npos);
    EXPECT_NE(text("m", {{"v", "a=b"}}).find(R"( v="a=b")"), std::string::npos);
    EXPECT_NE(text("m", {{"v", "say \"x\""}}).find(R"( v="say \"x\"")"), std::string::npos);
    EXPECT_NE(text("m", {{"v", "back\\slash"}}).find(R"( v="back\\slash")"), std::string::npos);
    EXPECT_NE(text("m", {{"v", "plain-1.2/3:4"}}).find(" v=plain-1.2/3:4"), std::string::npos);
}

TEST(LogLine, AValueCannotForgeASecondLine) {
    const std::string forged = "x\n2026-11-21T18:44:07.123Z error all is lost\r\n";

    EXPECT_EQ(text("m", {{"v", forged}}),
              "2026-11-21T18:44:07.123Z info  m "
              "v=\"x\\n2026-11-21T18:44:07.123Z error all is lost\\r\\n\"");
    EXPECT_EQ(json("m", {{"v", forged}}).find('\n'), std::string::npos);
}

TEST(LogLine, AMessageCannotForgeASecondLineEither) {
    EXPECT_EQ(text("a\nb"), "2026-11-21T18:44:07.123Z info  a\\nb");
}

TEST(LogLine, TerminalControlsAndUnicodeLineEndsAreEscaped) {
    const std::string hostile = "\x1b[2J\xc2\x9b\xe2\x80\xa8\xe2\x80\xae\x7f\xc2\x85";
    const std::string line = text("m", {{"v", hostile}});

    EXPECT_NE(line.find(R"(v="\u001b[2J\u009b\u2028\u202e\u007f\u0085")"), std::string::npos)
        << line;
}

TEST(LogLine, BytesThatAreNotUtf8AreReplaced) {
    EXPECT_NE(text("m", {{"v", "a\xff\xc0\xaf"}}).find("v=\"a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"),
              std::string::npos);
}

TEST(LogLine, OtherLanguagesStayReadable) {
    EXPECT_NE(text("m", {{"v", "Grüße-日本"}}).find(" v=Grüße-日本"), std::string::npos);
}

TEST(LogLine, AStrangeKeyStaysAName) {
    EXPECT_NE(text("m", {{"a b\n=", 1}}).find(" a_b__=1"), std::string::npos);
}

TEST(LogLine, AFactDoesNotHideTheLinesOwnKeys) {
    EXPECT_NE(json("m", {{"msg", "other"}}).find(R"("msg_":"other")"), std::string::npos);
}

TEST(LogLine, LongValuesAreCut) {
    const std::string line = text("m", {{"v", std::string(100000, 'a')}});

    EXPECT_LT(line.size(), 1200U);
    EXPECT_NE(line.find("aaa\xe2\x80\xa6\""), std::string::npos);
}

}  // namespace
}  // namespace shardgate::log
