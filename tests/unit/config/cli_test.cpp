// SPDX-License-Identifier: Apache-2.0
#include "shardgate/config/cli.hpp"

#include <gtest/gtest.h>

#include <sstream>

#include "unit/config/fixture.hpp"

namespace shardgate::config::test {
namespace {

struct outcome {
    command_line_result parsed;
    std::string out, err;
};

outcome parse(std::vector<const char*> words) {
    words.insert(words.begin(), "shardgate");
    std::ostringstream out, err;
    outcome o;
    o.parsed = parse_command_line(static_cast<int>(words.size()), words.data(), out, err);
    o.out = out.str();
    o.err = err.str();
    return o;
}

TEST(CommandLine, RunsAFile) {
    const outcome o = parse({"run", "-c", "/etc/bot.toml"});
    EXPECT_FALSE(o.parsed.exit_code);
    EXPECT_EQ(o.parsed.line.what, command::run);
    EXPECT_EQ(o.parsed.line.file, "/etc/bot.toml");
    EXPECT_TRUE(o.parsed.line.over.empty());
}

TEST(CommandLine, ChecksAFile) {
    const outcome o = parse({"check", "--config", "x"});
    EXPECT_FALSE(o.parsed.exit_code);
    EXPECT_EQ(o.parsed.line.what, command::check);
}

TEST(CommandLine, WrongUsageIs64AndSaysWhy) {
    const std::vector<std::vector<const char*>> wrong{
        {},
        {"run"},
        {"check"},
        {"fly"},
        {"run", "-c"},
        {"run", "-c", "x", "y"},
        {"run", "-c", "x", "--sudo"},
        {"run", "-c", "x", "--set", "novalue"},
        {"run", "-c", "x", "--set", "=value"},
        {"run", "-c", "x", "check", "-c", "y"},
        {"-c", "x"},
    };
    for (const auto& words : wrong) {
        const outcome o = parse(words);
        EXPECT_EQ(o.parsed.exit_code, 64);
        EXPECT_FALSE(o.err.empty());
        EXPECT_TRUE(o.out.empty()) << o.out;
    }
}

TEST(CommandLine, HelpIsPrintedAndEndsWell) {
    const outcome o = parse({"--help"});
    EXPECT_EQ(o.parsed.exit_code, 0);
    EXPECT_HAS(o.out, "run");
    EXPECT_HAS(o.out, "check");
    EXPECT_HAS(o.out, "Exit codes");
    for (const char* verb : {"run", "check"}) {
        const outcome of_verb = parse({verb, "--help"});
        EXPECT_EQ(of_verb.parsed.exit_code, 0);
        for (const char* option :
             {"--config", "--log-level", "--log-format", "--admin-listen", "--set"})
            EXPECT_HAS(of_verb.out, option);
    }
}

TEST(CommandLine, VersionNamesBuildAndLibraries) {
    const outcome o = parse({"--version"});
    EXPECT_EQ(o.parsed.exit_code, 0);
    EXPECT_EQ(o.out, version_text() + '\n');
    EXPECT_HAS(o.out, "shardgate " + version_number());
    EXPECT_HAS(o.out, "git " + version_revision());
    for (const char* library : {"Boost 1.", "OpenSSL 3.", "simdjson ", "zstd 1.", "zlib 1.",
                                "spdlog 1.", "CLI11 2.", "toml++ 3."})
        EXPECT_HAS(o.out, library);
}

TEST(CommandLine, OptionsBecomeOverrides) {
    const outcome o = parse({"run", "-c", "x", "--log-level", "debug", "--log-format=json",
                             "--admin-listen", "127.0.0.1:0", "--set", "handler.timeout=5s",
                             "--set", "handler.connections=7", "--set", "watchdog.silence=false",
                             "--set", "filter.drop=[\"A\"]", "--set", "log.level=\"warn\""});
    ASSERT_FALSE(o.parsed.exit_code) << o.err;
    const overrides expected{{"handler.timeout", "\"5s\""}, {"handler.connections", "7"},
                             {"watchdog.silence", "false"}, {"filter.drop", "[\"A\"]"},
                             {"log.level", "\"warn\""},     {"log.level", "\"debug\""},
                             {"log.format", "\"json\""},    {"admin.listen", "\"127.0.0.1:0\""}};
    EXPECT_EQ(o.parsed.line.over, expected);
    const settings s = good("", o.parsed.line.over);
    EXPECT_EQ(s.log.level, log::level::debug);
    EXPECT_EQ(s.handler.timeout.count(), 5000);
    EXPECT_EQ(s.filter.drop.size(), 1U);
}

TEST(CommandLine, TextWithQuotesAndLineBreaksStaysAsItIs) {
    const outcome o = parse({"run", "-c", "x", "--set",
                             "interactions.message=line one\nline \\ two", "--admin-listen", ""});
    ASSERT_FALSE(o.parsed.exit_code) << o.err;
    const settings s = good("", o.parsed.line.over);
    EXPECT_EQ(s.interactions.message, "line one\nline \\ two");
    EXPECT_EQ(s.admin.listen, "");
}

// --- check ---

struct checked {
    int code;
    std::string out;
};

checked check(const world& w, const std::string& text, const overrides& over = {}) {
    world with_file = w;
    with_file.files["/bot.toml"] = text;
    command_line line;
    line.what = command::check;
    line.file = "/bot.toml";
    line.over = over;
    std::ostringstream out;
    const int code = run_check(line, out, with_file.around());
    return {code, out.str()};
}

TEST(Check, PrintsEveryProblemAndReturns78) {
    const checked c = check(world{}, "log.level = 5\nlog.colour = true\n");
    EXPECT_EQ(c.code, 78);
    EXPECT_HAS(c.out, "/bot.toml:1:13: log.level: is a whole number, allowed: one of");
    EXPECT_HAS(c.out, "/bot.toml:2:5: log.colour: unknown key");
    EXPECT_HAS(c.out, "/bot.toml: discord.intents: is missing");
    EXPECT_HAS(c.out, "/bot.toml: discord.token: is missing");
}

TEST(Check, SaysWhatWouldRun) {
    const checked c = check(with_token(),
                            "discord.intents = [\"GUILDS\", \"GUILD_MEMBERS\"]\n"
                            "handler.urls = [\"http://bot:1/x?key=hidden\", \"unix:/s:/\"]\n"
                            "handler.secret = \"hidden\"\nadmin.token = \"hidden\"\n"
                            "filter.drop = [\"TYPING_START\", \"TYPING_STRAT\"]\n");
    EXPECT_EQ(c.code, 0) << c.out;
    EXPECT_EQ(c.out.rfind("/bot.toml: ok\n", 0), 0U);
    EXPECT_HAS(c.out, "intents: GUILDS, GUILD_MEMBERS");
    EXPECT_HAS(c.out, "privileged, to be switched on in the developer portal: GUILD_MEMBERS");
    EXPECT_HAS(c.out, "shards: 0 to total-1 of as many as Discord recommends");
    EXPECT_HAS(c.out, "handler: bot a unix socket");
    EXPECT_HAS(c.out, "with a secret");
    EXPECT_HAS(c.out, "there is no spool yet");
    EXPECT_HAS(c.out, "TYPING_STRAT is no event this release knows");
    EXPECT_HAS_NOT(c.out, "TYPING_START is");
    EXPECT_HAS_NOT(c.out, "hidden");
    EXPECT_HAS_NOT(c.out, token);
}

TEST(Check, ShowsTheEffectOfOverrides) {
    const checked c = check(with_token(), "discord.intents = 0",
                            {{"sharding.total", "16"},
                             {"sharding.last", "3"},
                             {"admin.listen", "\"\""},
                             {"queue.overflow", "\"drop-newest\""}});
    EXPECT_EQ(c.code, 0) << c.out;
    EXPECT_HAS(c.out, "intents: none (interactions only)");
    EXPECT_HAS(c.out, "shards: 0 to 3 of 16");
    EXPECT_HAS(c.out, "admin: off");
    EXPECT_HAS_NOT(c.out, "spool");
}

TEST(Check, ReadsTheRealFile) {
    command_line line;
    line.file = "/nonexistent/bot.toml";
    std::ostringstream out, err;
    EXPECT_EQ(run_check(line, out), 78);
    EXPECT_HAS(out.str(), "/nonexistent/bot.toml: cannot read the file: No such file");
    EXPECT_FALSE(load_or_explain(line, err));
    EXPECT_EQ(err.str(), out.str());
}

}  // namespace
}  // namespace shardgate::config::test
