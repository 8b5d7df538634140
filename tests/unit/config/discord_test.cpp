// SPDX-License-Identifier: Apache-2.0
// [discord]: intents, presence, properties.
#include <gtest/gtest.h>

#include "shardgate/protocol/intents.hpp"
#include "unit/config/fixture.hpp"

namespace shardgate::config::test {
namespace {

loaded with_intents(const std::string& value) {
    return with_token().load("discord.intents = " + value);
}

std::uint64_t mask_of(const std::string& value) {
    const loaded l = with_intents(value);
    EXPECT_TRUE(l.settings) << value << '\n' << all_text(l);
    return l.settings ? l.settings->discord.intents : 0;
}

std::string presence_of(const std::string& value) {
    return good("discord.presence = " + value).discord.presence;
}

std::string wrong_presence(const std::string& value) {
    return bad("discord.presence = " + value).what;
}

TEST(Intents, AreNamesInEitherSpelling) {
    EXPECT_EQ(mask_of("[\"GUILDS\", \"GUILD_MESSAGES\"]"), 1U | 1U << 9);
    EXPECT_EQ(mask_of("[\"Guilds\", \"GuildMessages\"]"), 1U | 1U << 9);
    EXPECT_EQ(mask_of("[\"GUILDS\", \"GUILDS\"]"), 1U);
}

TEST(Intents, MayBeNone) {
    EXPECT_EQ(mask_of("[]"), 0U);
    EXPECT_EQ(mask_of("0"), 0U);
}

TEST(Intents, AreANumber) {
    EXPECT_EQ(mask_of("513"), 513U);
    EXPECT_EQ(mask_of(std::to_string(all_intents)), all_intents);
}

TEST(Intents, RefuseWhatDiscordWouldRefuse) {
    EXPECT_HAS(all_text(with_intents("131072")), "has unknown bits: 17, allowed: ");
    EXPECT_HAS(all_text(with_intents("-1")), "is -1");
    EXPECT_HAS(all_text(with_intents("9223372036854775807")), "has unknown bits: 17, ");
    EXPECT_HAS(all_text(with_intents("\"GUILDS\"")), "is text");
    EXPECT_HAS(all_text(with_intents("[1]")), "has an element that is a whole number");
    EXPECT_HAS(all_text(with_intents("[\"GUILD_MESAGES\"]")),
               "has the unknown intent \"GUILD_MESAGES\" (nearest: GUILD_MESSAGES)");
}

TEST(Presence, IsEmptyUnlessGiven) {
    EXPECT_EQ(good("").discord.presence, "");
    EXPECT_EQ(presence_of("{}"), "");
}

TEST(Presence, BecomesJson) {
    EXPECT_EQ(presence_of("{ status = \"idle\" }"),
              R"({"since":null,"activities":[],"status":"idle","afk":false})");
    EXPECT_EQ(
        presence_of(
            R"({ status = "online", activities = [{ name = "on shard {{shard}} of {{shards}}", type = 0 }] })"),
        R"({"since":null,"activities":[{"name":"on shard {{shard}} of {{shards}}","type":0}],"status":"online","afk":false})");
}

TEST(Presence, EscapesWhatJsonMustEscape) {
    EXPECT_HAS(presence_of(R"({ activities = [{ name = "a\"b\\c\nd" }] })"), R"("a\"b\\c\nd")");
}

TEST(Presence, KnowsStreamingAndCustomStatus) {
    EXPECT_HAS(
        presence_of(R"({ activities = [{ name = "x", type = 1, url = "https://twitch.tv/x" }] })"),
        R"({"name":"x","type":1,"url":"https://twitch.tv/x"})");
    EXPECT_HAS(presence_of(R"({ activities = [{ type = 4, state = "hello" }] })"),
               R"({"type":4,"state":"hello","name":"Custom Status"})");
}

TEST(Presence, RefusesWhatBotsCannotSet) {
    EXPECT_HAS(wrong_presence("5"), "is a whole number");
    EXPECT_HAS(wrong_presence("{ status = \"away\" }"), "has the status \"away\"");
    EXPECT_HAS(wrong_presence("{ status = 1 }"), "has a status that is a whole number");
    EXPECT_HAS(wrong_presence("{ since = 1 }"), "has the unknown part \"since\"");
    EXPECT_HAS(wrong_presence("{ activities = 1 }"), "has activities that is a whole number");
    EXPECT_HAS(wrong_presence("{ activities = [1] }"), "activity 1 is a whole number");
    EXPECT_HAS(wrong_presence("{ activities = [{}] }"), "activity 1 has no name");
    EXPECT_HAS(wrong_presence("{ activities = [{ name = 1 }] }"), "a name that is a whole number");
    EXPECT_HAS(wrong_presence("{ activities = [{ name = \"\" }] }"), "a name of 0 characters");
    EXPECT_HAS(wrong_presence("{ activities = [{ name = \"" + std::string(129, 'x') + "\" }] }"),
               "a name of 129 characters");
    EXPECT_HAS(wrong_presence("{ activities = [{ name = \"x\", type = 6 }] }"), "has the type 6");
    EXPECT_HAS(wrong_presence("{ activities = [{ name = \"x\", type = -1 }] }"), "has the type -1");
    EXPECT_HAS(wrong_presence("{ activities = [{ name = \"x\", type = \"0\" }] }"),
               "a type that is text");
    EXPECT_HAS(wrong_presence("{ activities = [{ name = \"x\", details = \"y\" }] }"),
               "the unknown part \"details\"");
    EXPECT_HAS(wrong_presence("{ activities = [{ name = \"x\", url = \"https://x/\" }] }"),
               "is not streaming");
    EXPECT_HAS(wrong_presence("{ activities = [{ name = \"x\", type = 1, url = \"x\" }] }"),
               "has a url that is not a URL");
    EXPECT_HAS(wrong_presence("{ activities = [{ type = 4 }] }"), "without state");
}

TEST(Presence, FitsIntoOneGatewayMessage) {
    std::string activities;
    for (int i = 0; i < 40; ++i)
        activities += "{ name = \"" + std::string(120, 'x') + "\" },";
    EXPECT_HAS(wrong_presence("{ activities = [" + activities + "] }"), "bytes as JSON");
}

TEST(Properties, AreThreeTexts) {
    EXPECT_EQ(good("discord.properties = { browser = \"mybot\" }").discord.properties,
              R"({"os":"linux","browser":"mybot","device":"shardgate"})");
    EXPECT_HAS(bad("discord.properties = { os = 1 }").what, "has a wrong os");
    EXPECT_HAS(bad("discord.properties = { os = \"\" }").what, "has a wrong os");
    EXPECT_HAS(bad("discord.properties = { os = \"" + std::string(129, 'x') + "\" }").what,
               "has a wrong os");
    EXPECT_HAS(bad("discord.properties = { colour = \"x\" }").what, "unknown part \"colour\"");
    EXPECT_HAS(bad("discord.properties = 1").what, "is a whole number");
}

TEST(Ranges, AreHeldOnBothSides) {
    EXPECT_EQ(good("discord.large_threshold = 50").discord.large_threshold, 50U);
    EXPECT_EQ(good("discord.large_threshold = 250").discord.large_threshold, 250U);
    EXPECT_HAS(bad("discord.large_threshold = 49").what, "is 49");
    EXPECT_HAS(bad("discord.large_threshold = 251").what, "is 251");
    EXPECT_HAS(bad("discord.large_threshold = -50").what, "is -50");
    EXPECT_HAS(bad("discord.max_message = \"1KiB\"").what,
               "is \"1KiB\", allowed: a size from 1MiB");
    EXPECT_HAS(bad("discord.max_message = 5").what, "is a whole number");
    EXPECT_HAS(bad("handler.connections = 4294967297").what, "is 4294967297");
    EXPECT_HAS(bad("discord.compression = \"gzip\"").what, "is \"gzip\"");
}

}  // namespace
}  // namespace shardgate::config::test
