// SPDX-License-Identifier: Apache-2.0
// The loader as a whole: places, unknown keys, syntax, several problems, overrides.
#include "shardgate/config/load.hpp"

#include <gtest/gtest.h>

#include <set>

#include "unit/config/fixture.hpp"

namespace shardgate::config::test {
namespace {

TEST(Load, NeedsOnlyIntentsAndAToken) {
    const settings s = good("");
    EXPECT_EQ(s.discord.intents, 1U);
    EXPECT_EQ(s.discord.token.reveal(), token);
    EXPECT_EQ(s.handler.urls, settings{}.handler.urls);
}

TEST(Load, SaysWhatIsMissing) {
    const loaded l = world{}.load("");
    ASSERT_EQ(l.problems.size(), 2U);
    EXPECT_HAS(l.problems[0].text(), "bot.toml: discord.intents: is missing, allowed: ");
    EXPECT_HAS(l.problems[1].text(), "bot.toml: discord.token: is missing, allowed: ");
    EXPECT_FALSE(l.settings);
}

TEST(Load, NamesFileLineColumnAndKey) {
    const loaded l = with_token().load(
        "[discord]\n"
        "intents = [\"GUILDS\"]\n"
        "[queue]\n"
        "  max_events = 0\n");
    ASSERT_EQ(l.problems.size(), 1U);
    EXPECT_EQ(l.problems[0].text(),
              "bot.toml:4:16: queue.max_events: is 0, allowed: a whole number from 1 to 100000000");
}

TEST(Load, ReportsEveryProblemInFileOrder) {
    const loaded l = with_token().load(
        "[queue]\n"
        "overflow = \"sometimes\"\n"
        "[discord]\n"
        "intents = [\"GUILD\"]\n"
        "tokne = \"x\"\n"
        "[admin]\n"
        "ready_grace = 30\n");
    ASSERT_EQ(l.problems.size(), 4U) << all_text(l);
    EXPECT_EQ(l.problems[0].key, "queue.overflow");
    EXPECT_HAS(l.problems[0].what, R"(one of "spill", "drop-oldest", "drop-newest")");
    EXPECT_EQ(l.problems[1].key, "discord.intents");
    EXPECT_HAS(l.problems[1].what, "nearest: GUILDS");
    EXPECT_EQ(l.problems[2].key, "discord.tokne");
    EXPECT_EQ(l.problems[2].line, 5U);
    EXPECT_EQ(l.problems[2].column, 1U);
    EXPECT_HAS(l.problems[2].what, "nearest known one is discord.token");
    EXPECT_EQ(l.problems[3].key, "admin.ready_grace");
    EXPECT_HAS(l.problems[3].what, "is a whole number, allowed: a duration");
}

TEST(Load, NamesTheNearestSection) {
    const problem p = bad("[handlr]\nurls = []\nfoo = 1\n");
    EXPECT_EQ(p.text(),
              "bot.toml:2:2: handlr: unknown section, the nearest known one is [handler]");
}

TEST(Load, RefusesASectionThatIsNoTable) {
    EXPECT_HAS(bad("log = 5\n").text(), "bot.toml:2:1: log: is a whole number, allowed: a table");
    EXPECT_HAS(bad("workers = 5\n").what, "unknown key, the nearest known one is sharding.workers");
    EXPECT_HAS(bad("[[log]]\nlevel = \"info\"\n").what, "is an array, allowed: a table");
}

TEST(Load, RefusesATableWhereAValueBelongs) {
    EXPECT_HAS(bad("[log.level]\nx = 1\n").what, "is a table, allowed: one of");
    EXPECT_HAS(bad("[log.colour]\nx = 1\n").what, "unknown key");
}

TEST(Load, NamesEveryWrongType) {
    EXPECT_HAS(bad("log.level = 1.5\n").what, "a number with a fraction");
    EXPECT_HAS(bad("log.level = true\n").what, "is true or false, allowed");
    EXPECT_HAS(bad("log.level = 1979-05-27\n").what, "is a date or time");
    EXPECT_HAS(bad("log.level = []\n").what, "is an array");
    EXPECT_HAS(bad("watchdog.silence = \"yes\"\n").what, "is text, allowed: true or false");
}

TEST(Load, ReportsASyntaxErrorWithItsPlace) {
    const loaded l = with_token().load("[discord]\nintents = [\"GUILDS\"\nx = 1\n");
    ASSERT_EQ(l.problems.size(), 1U);
    EXPECT_EQ(l.problems[0].file, "bot.toml");
    EXPECT_EQ(l.problems[0].line, 3U);
    EXPECT_HAS(l.problems[0].text(), "not TOML: ");
}

TEST(Load, ReportsAKeyGivenTwice) {
    EXPECT_HAS(bad("log.level = \"info\"\nlog.level = \"warn\"\n").what, "not TOML: ");
}

TEST(Load, BoundsTheProblemsOfAHopelessFile) {
    std::string text = intents_line;
    for (int i = 0; i < 50'000; ++i)
        text += "unknown" + std::to_string(i) + " = 1\n";
    const loaded l = with_token().load(text);
    EXPECT_EQ(l.problems.size(), 201U);
    EXPECT_EQ(l.problems.back().text(), "bot.toml: 49800 more problems are not shown");
}

TEST(Load, KeepsControlCharactersOutOfMessages) {
    const loaded l = load_with("\"a\\u001b[2J\" = 1\nlog.level = \"\\u001b[31mred\"\n");
    ASSERT_EQ(l.problems.size(), 2U);
    EXPECT_HAS_NOT(all_text(l), "\x1b");
}

TEST(Load, SurvivesDeepNesting) {
    const loaded l = load_with("log.level = " + std::string(5000, '['));
    EXPECT_FALSE(l.settings);
}

TEST(Load, CommandLineWinsOverTheFile) {
    const settings s =
        good("log.level = \"warn\"\n", {{"log.level", "\"debug\""}, {"handler.connections", "7"}});
    EXPECT_EQ(s.log.level, log::level::debug);
    EXPECT_EQ(s.handler.connections, 7U);
}

TEST(Load, TheLastOverrideOfAKeyWins) {
    const settings s = good("", {{"handler.connections", "7"}, {"handler.connections", "8"}});
    EXPECT_EQ(s.handler.connections, 8U);
}

TEST(Load, NamesTheCommandLineInItsProblems) {
    EXPECT_HAS(bad("", {{"log.lvl", "1"}}).text(),
               "command line: log.lvl: unknown key, the nearest known one is log.level");
    EXPECT_HAS(bad("", {{"handler.timeout", "5"}}).text(),
               "command line: handler.timeout: is a whole number, allowed: a duration");
}

TEST(Load, AnOverrideIsOneValue) {
    for (const char* text :
         {"", "info", "\"info\"\nlog.format = \"json\"", "\"a\" \"b\"", "[", "="})
        EXPECT_HAS(bad("", {{"log.level", text}}).what, "is not a TOML value") << text;
}

TEST(Load, ReadsTheNamedFile) {
    world w = with_token();
    w.files["/etc/bot.toml"] = intents_line;
    EXPECT_TRUE(load_file("/etc/bot.toml", {}, w.around()).settings);
    const loaded missing = load_file("/etc/other.toml", {}, w.around());
    EXPECT_EQ(all_text(missing),
              "/etc/other.toml: cannot read the file: No such file or directory\n");
}

TEST(Load, KnowsEachKeyOnce) {
    const std::vector<std::string> keys = all_keys();
    const std::set<std::string> different(keys.begin(), keys.end());
    EXPECT_EQ(keys.size(), different.size());
    EXPECT_GE(keys.size(), 88U);
}

}  // namespace
}  // namespace shardgate::config::test
