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
        {"queue", "fly"},
        {"queue", "--url"},
        {"queue", "--limit", "3"},
        {"queue", "retry", "--limit", "3"},
        {"queue", "dead-letters", "--limit", "0"},
        {"queue", "dead-letters", "--limit", "1001"},
        {"queue", "dead-letters", "--limit", "ten"},
        {"queue", "dead-letters", "s1-7"},
        {"queue", "retry", ""},
        {"queue", "retry", "a b"},
        {"queue", "retry", "--yes"},
        {"queue", "retry", "a", "--yes"},
        {"queue", "delete", "a\nb"},
        {"status", "s1-7"},
        {"status", "queue"},
        {"status", "-c", "x"},
        {"reshard", "0"},
        {"reshard", "-3"},
        {"reshard", "16x"},
        {"reshard", "AUTO"},
        {"reshard", "16", "17"},
        {"reshard", "4294967296"},
        {"reshard", "--dry-run"},
        {"reshard", "16", "--dry-run", "--wait"},
        {"reshard", "16", "--abort"},
        {"reshard", "--abort", "--dry-run"},
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

TEST(CommandLine, AsksTheDaemonWhereItIsTold) {
    const outcome o = parse({"status", "--url", "unix:/run/a.sock", "--token-file", "/t"});
    ASSERT_FALSE(o.parsed.exit_code) << o.err;
    EXPECT_EQ(o.parsed.line.what, command::status);
    EXPECT_EQ(o.parsed.line.admin.url, "unix:/run/a.sock");
    EXPECT_EQ(o.parsed.line.admin.token_file, "/t");
    EXPECT_FALSE(o.parsed.line.admin.json);

    const outcome bare = parse({"queue", "--json"});
    ASSERT_FALSE(bare.parsed.exit_code) << bare.err;
    EXPECT_EQ(bare.parsed.line.what, command::queue);
    EXPECT_EQ(bare.parsed.line.admin.url, "");
    EXPECT_TRUE(bare.parsed.line.admin.json);
}

TEST(CommandLine, ReshardTakesANumberOrAuto) {
    const outcome begin = parse({"reshard", "16", "--wait", "--json"});
    ASSERT_FALSE(begin.parsed.exit_code) << begin.err;
    EXPECT_EQ(begin.parsed.line.what, command::reshard);
    EXPECT_EQ(begin.parsed.line.admin.shards, "16");
    EXPECT_TRUE(begin.parsed.line.admin.wait);
    EXPECT_TRUE(begin.parsed.line.admin.json);
    EXPECT_FALSE(begin.parsed.line.admin.dry_run);

    const outcome plan = parse({"reshard", "--dry-run", "auto"});
    ASSERT_FALSE(plan.parsed.exit_code) << plan.err;
    EXPECT_EQ(plan.parsed.line.admin.shards, "auto");
    EXPECT_TRUE(plan.parsed.line.admin.dry_run);

    const outcome abort = parse({"reshard", "--abort", "--wait", "--url", "unix:/a"});
    ASSERT_FALSE(abort.parsed.exit_code) << abort.err;
    EXPECT_TRUE(abort.parsed.line.admin.abort);
    EXPECT_EQ(abort.parsed.line.admin.shards, "");
    EXPECT_EQ(abort.parsed.line.admin.url, "unix:/a");

    EXPECT_FALSE(parse({"reshard"}).parsed.exit_code);
}

TEST(CommandLine, QueueHasVerbsOfItsOwn) {
    const outcome list = parse({"queue", "dead-letters", "--limit", "7", "--payload"});
    ASSERT_FALSE(list.parsed.exit_code) << list.err;
    EXPECT_EQ(list.parsed.line.what, command::list_dead_letters);
    EXPECT_EQ(list.parsed.line.admin.limit, 7U);
    EXPECT_TRUE(list.parsed.line.admin.payload);

    const outcome retry = parse({"queue", "retry", "s1-7", "shardgate-1a-2"});
    ASSERT_FALSE(retry.parsed.exit_code) << retry.err;
    EXPECT_EQ(retry.parsed.line.what, command::retry_dead_letters);
    EXPECT_EQ(retry.parsed.line.admin.keys, (std::vector<std::string>{"s1-7", "shardgate-1a-2"}));

    const outcome all = parse({"queue", "delete", "--yes"});
    ASSERT_FALSE(all.parsed.exit_code) << all.err;
    EXPECT_EQ(all.parsed.line.what, command::delete_dead_letters);
    EXPECT_TRUE(all.parsed.line.admin.yes);
    EXPECT_TRUE(all.parsed.line.admin.keys.empty());
}

TEST(CommandLine, WhatIsSaidBeforeTheInnerVerbHoldsForIt) {
    const outcome o = parse({"queue", "--url", "http://a:1", "--json", "retry", "k"});
    ASSERT_FALSE(o.parsed.exit_code) << o.err;
    EXPECT_EQ(o.parsed.line.what, command::retry_dead_letters);
    EXPECT_EQ(o.parsed.line.admin.url, "http://a:1");
    EXPECT_TRUE(o.parsed.line.admin.json);

    const outcome both = parse({"queue", "--url", "http://a:1", "retry", "--url", "http://b:2"});
    ASSERT_FALSE(both.parsed.exit_code) << both.err;
    EXPECT_EQ(both.parsed.line.admin.url, "http://b:2");
}

TEST(CommandLine, HelpOfTheAdminClientNamesUnitsAndDefaults) {
    for (const std::vector<const char*>& words : {std::vector<const char*>{"status", "--help"},
                                                  {"queue", "--help"},
                                                  {"queue", "dead-letters", "--help"},
                                                  {"queue", "retry", "--help"},
                                                  {"queue", "delete", "--help"}}) {
        const outcome o = parse(words);
        EXPECT_EQ(o.parsed.exit_code, 0);
        for (const char* word : {"--url", "--token-file", "--json", "SHARDGATE_ADMIN_URL",
                                 "http://127.0.0.1:7600", "10 s"})
            EXPECT_HAS(o.out, word);
    }
    EXPECT_HAS(parse({"queue", "--help"}).out, "dead-letters");
    EXPECT_HAS(parse({"queue", "--help"}).out, "seconds");
    EXPECT_HAS(parse({"status", "--help"}).out, "milliseconds");
    EXPECT_HAS(parse({"queue", "delete", "--help"}).out, "--yes");
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
    EXPECT_HAS(c.out, ", then up to 10GiB in ");
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

TEST(Check, SaysWhatASecondLookFindsAndFailsForNoneOfIt) {
    world w = with_token();
    w.files["/bot.toml"] = "discord.intents = 0\nsharding.total = 4\n";
    command_line line;
    line.file = "/bot.toml";
    const second_look look = [](const settings& s) {
        return std::vector<std::string>{"there are " + std::to_string(s.sharding.total.value())};
    };
    std::ostringstream text, json, bad;
    EXPECT_EQ(run_check(line, text, w.around(), look), 0);
    EXPECT_HAS(text.str(), "\n  warning: there are 4\n");
    line.json = true;
    EXPECT_EQ(run_check(line, json, w.around(), look), 0);
    EXPECT_EQ(json.str(), "{\"ok\":true,\"problems\":[],\"warnings\":[\"there are 4\"]}\n");
    // Settings with a problem are not looked at.
    w.files["/bot.toml"] = "sharding.total = 0\n";
    EXPECT_EQ(run_check(line, bad, w.around(), look), 78);
    EXPECT_HAS(bad.str(), "\"warnings\":[]");
}

TEST(Check, DoubtsAComparisonOfContentThatDiscordLeavesOut) {
    const std::string content = "filter.edited_messages = \"content\"\n";
    const auto said = [](const std::string& text) { return check(with_token(), text).out; };
    EXPECT_HAS(said("discord.intents = [\"GUILD_MESSAGES\"]\n" + content),
               "\n  warning: filter.edited_messages");
    EXPECT_HAS_NOT(said("discord.intents = [\"GUILD_MESSAGES\", \"MESSAGE_CONTENT\"]\n" + content),
                   "warning");
    EXPECT_HAS_NOT(said("discord.intents = [\"GUILD_MESSAGES\"]\n"), "warning");
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
