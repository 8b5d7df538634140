// SPDX-License-Identifier: Apache-2.0
// Contradictions between keys.
#include <gtest/gtest.h>

#include "unit/config/fixture.hpp"

namespace shardgate::config::test {
namespace {

TEST(ShardRange, FitsIntoTheTotal) {
    const settings s = good("sharding = { total = 16, first = 4, last = 7 }");
    EXPECT_EQ(s.sharding.total, 16U);
    EXPECT_EQ(s.sharding.first, 4U);
    EXPECT_EQ(s.sharding.last, 7U);
    EXPECT_EQ(good("sharding = { total = 1, first = 0, last = 0 }").sharding.last, 0U);
    EXPECT_FALSE(good("sharding = { total = \"auto\", last = \"total-1\" }").sharding.last);
}

TEST(ShardRange, RefusesWhatLiesOutside) {
    EXPECT_HAS(bad("sharding = { total = 16, first = 8, last = 7 }").what,
               "is 8, allowed: at most last, 7");
    EXPECT_HAS(bad("sharding = { first = 8, last = 7 }").what, "at most last, 7");
    EXPECT_HAS(bad("sharding = { total = 16, last = 16 }").what,
               "is 16, allowed: \"total-1\" or a number below total, 16");
    EXPECT_HAS(bad("sharding = { total = 16, first = 16 }").what, "a number below total, 16");
    EXPECT_HAS(bad("sharding.total = 0").what, "is 0, allowed: \"auto\" or");
    EXPECT_HAS(bad("sharding.total = \"all\"").what, "is \"all\", allowed: \"auto\" or");
    EXPECT_HAS(bad("sharding.total = true").what, "is true or false");
}

TEST(Workers, EachHasAShard) {
    const loaded many = load_with("sharding = { total = 4, workers = 5 }");
    EXPECT_HAS(all_text(many), "is 5, allowed: at most one per shard, of which there are 4");
    const loaded share = load_with("sharding = { total = 8, workers = 3, shards_per_worker = 4 }");
    EXPECT_HAS(all_text(share), "leaves nothing of 8 shards for the last of 3 workers");
    const loaded fine = load_with("sharding = { total = 9, workers = 3, shards_per_worker = 4 }");
    EXPECT_HAS_NOT(all_text(fine), "leaves nothing");
    // Less than an even share is fine: the last worker takes the rest.
    const loaded rest = load_with("sharding = { total = 9, workers = 3, shards_per_worker = 1 }");
    EXPECT_HAS_NOT(all_text(rest), "leaves nothing");
    const loaded by_last = load_with("sharding = { first = 2, last = 3, workers = 3 }");
    EXPECT_HAS(all_text(by_last), "of which there are 2");
}

TEST(IdentifyInterval, IsAtLeastFiveSecondsAtDiscord) {
    EXPECT_EQ(good("sharding.identify_interval = \"5s\"").sharding.identify_interval.count(), 5000);
    EXPECT_HAS(bad("sharding.identify_interval = \"4999ms\"").what,
               "is \"4999ms\", allowed: at least \"5s\"");
    for (const char* gateway : {"wss://gateway.discord.gg", "wss://GATEWAY.discord.GG.",
                                "wss://gateway-us-east1-b.discord.gg:443/"})
        EXPECT_EQ(bad("sharding.identify_interval = \"1s\"\n"
                      "discord.api_url = \"http://proxy:80/api/v10\"\n"
                      "discord.gateway_url = \"" +
                      std::string(gateway) + '"')
                      .key,
                  "sharding.identify_interval");
}

TEST(IdentifyInterval, IsFreeElsewhere) {
    good("sharding.identify_interval = \"10ms\"\ndiscord.api_url = \"http://localhost:1/api/v10\"");
    good("sharding.identify_interval = \"10ms\"\ndiscord.gateway_url = \"wss://localhost:1\"");
    good(
        "sharding.identify_interval = \"10ms\"\n"
        "discord.gateway_url = \"wss://notdiscord.gg\"");
    good(
        "sharding.identify_interval = \"10ms\"\n"
        "discord.gateway_url = \"wss://discord.gg.example.org\"");
}

TEST(Resharding, IsNotHastyWithDiscord) {
    EXPECT_EQ(good("resharding.percentage = 10").resharding.percentage, 10U);
    const problem low = bad("resharding.percentage = 9");
    EXPECT_EQ(low.key, "resharding.percentage");
    EXPECT_HAS(low.what, "is 9, allowed: at least 10 unless discord.api_url is not Discord's own");
    EXPECT_EQ(good("resharding.check_interval = \"1m\"").resharding.check_interval.count(), 60000);
    const problem often = bad("resharding.check_interval = \"59s\"");
    EXPECT_EQ(often.key, "resharding.check_interval");
    EXPECT_HAS(often.what, "is \"59s\", allowed: at least \"1m\"");
    // Whose gateway it is makes no difference: the API counts.
    bad("resharding.percentage = 9\ndiscord.gateway_url = \"wss://localhost:1\"");
}

TEST(Resharding, IsFreeElsewhere) {
    const std::string elsewhere = "\ndiscord.api_url = \"http://localhost:1/api/v10\"";
    EXPECT_EQ(good("resharding.percentage = 1" + elsewhere).resharding.percentage, 1U);
    good("resharding.check_interval = \"1s\"" + elsewhere);
    bad("resharding.percentage = 0" + elsewhere);
    bad("resharding.percentage = 101" + elsewhere);
    bad("resharding.check_interval = \"999ms\"" + elsewhere);
}

TEST(Resharding, TheOverlapHasBounds) {
    EXPECT_EQ(good("resharding.overlap = \"1s\"").resharding.overlap.count(), 1000);
    EXPECT_EQ(good("resharding.overlap = \"1m\"").resharding.overlap.count(), 60000);
    bad("resharding.overlap = \"999ms\"");
    bad("resharding.overlap = \"61s\"");
}

TEST(IdentifySize, HasABound) {
    std::string activities;
    for (int i = 0; i < 24; ++i)
        activities += "{ name = \"" + std::string(125, 'x') + "\" },";
    const std::string presence = "discord.presence = { activities = [" + activities + "] }";
    good(presence);
    world w;
    w.variables["SHARDGATE_TOKEN"] = std::string(900, 't');
    const loaded l = w.load(intents_line + presence);
    EXPECT_HAS(all_text(l), "discord.presence: makes IDENTIFY longer than the 4096 bytes");
    w.variables["SHARDGATE_TOKEN"] = std::string(4000, 't');
    EXPECT_HAS(all_text(w.load(intents_line)), "discord.properties: makes IDENTIFY longer");
}

TEST(Filter, NamesAnEventOnce) {
    EXPECT_HAS(bad("filter = { only = [\"A\", \"B\"], drop = [\"C\", \"B\"] }").what,
               "names \"B\", which filter.only names too");
    EXPECT_HAS(bad("filter.drop = [\"A\", \"A\"]").what, "element 2 is there already");
    EXPECT_HAS(bad("filter.drop = [\"typing\"]").what, "element 1 is \"typing\"");
    EXPECT_HAS(bad("filter.drop = [5]").what, "element 1 is a whole number");
    EXPECT_HAS(bad("filter.drop = [\"\"]").what, "element 1 is \"\"");
    EXPECT_EQ(good("filter.only = [\"SOMETHING_NEW_2\"]").filter.only.front(), "SOMETHING_NEW_2");
}

TEST(Filter, AutomaticMarkingFollowsTheEnvelope) {
    EXPECT_EQ(good("").filter.guild_create, guild_create_mode::mark);
    for (const char* envelope : {"payload", "message", "raw"})
        EXPECT_EQ(good("handler.envelope = \"" + std::string(envelope) + '"').filter.guild_create,
                  guild_create_mode::pass);
    EXPECT_EQ(
        good("handler.envelope = \"raw\"\nfilter.guild_create = \"mark\"").filter.guild_create,
        guild_create_mode::mark);
    EXPECT_EQ(good("filter.guild_create = \"drop-loaded\"").filter.guild_create,
              guild_create_mode::drop_loaded);
}

TEST(ClientCertificate, NeedsItsKey) {
    world w = with_token();
    w.files["/c"] = "-----BEGIN CERTIFICATE-----\n";
    w.files["/k"] = "-----BEGIN PRIVATE KEY-----\n";
    const std::string certificate = "handler.client_certificate_file = \"/c\"\n";
    const std::string key = "handler.client_key_file = \"/k\"\n";
    EXPECT_TRUE(w.load(intents_line + certificate + key).settings);
    EXPECT_HAS(all_text(w.load(intents_line + certificate)), "is given without client_key_file");
    EXPECT_HAS(all_text(w.load(intents_line + key)), "is given without client_certificate_file");
}

TEST(PemFiles, MustBeReadableAndPem) {
    world w = with_token();
    w.files["/ca"] = "not a certificate";
    for (const char* key : {"discord.ca_file", "handler.ca_file"}) {
        const std::string line = intents_line + key;
        EXPECT_HAS(all_text(w.load(line + " = \"/ca\"")), "is not PEM");
        EXPECT_HAS(all_text(w.load(line + " = \"/none\"")), "cannot read \"/none\"");
    }
    EXPECT_HAS(bad("handler.ca_file = \"ca.pem\"").what, "is not an absolute path");
    EXPECT_HAS(bad("handler.ca_file = \"/a\\u0000b\"").what, "has a control character");
    EXPECT_HAS(bad("handler.ca_file = \"/" + std::string(5000, 'a') + '"').what, "is too long");
}

TEST(Retries, GrowFromInitialToMax) {
    good("queue = { retry_initial = \"5s\", retry_max = \"5s\" }");
    EXPECT_EQ(bad("queue = { retry_initial = \"6s\", retry_max = \"5s\" }").key,
              "queue.retry_initial");
    EXPECT_EQ(bad("queue.retry_max = \"500ms\"").key, "queue.retry_max");
}

TEST(Overflow, SpillNeedsADirectory) {
    EXPECT_EQ(bad("state.directory = \"\"").key, "state.directory");
    EXPECT_EQ(bad("state.directory = \"\"\nqueue.overflow = \"spill\"").key, "queue.overflow");
    good("state.directory = \"\"\nqueue.overflow = \"drop-newest\"");
}

TEST(Interactions, AreAnsweredWithinThreeSeconds) {
    EXPECT_EQ(good("interactions.deadline = \"2999ms\"").interactions.deadline.count(), 2999);
    EXPECT_HAS(bad("interactions.deadline = \"3s\"").what,
               "is \"3s\", allowed: a duration from "
               "100ms to 2999ms");
}

TEST(Interactions, HaveAMessageThatDiscordTakes) {
    EXPECT_HAS(bad("interactions.message = \"\"").what, "is empty");
    EXPECT_HAS(bad("interactions.message = \" \\n\"").what, "is empty");
    EXPECT_HAS(bad("interactions.message = \"" + std::string(2001, 'x') + '"').what,
               "has 2001 characters");
    const std::string long_message = "interactions.message = \"" + std::string(1990, 'x') + "\"\n";
    good(long_message);
    EXPECT_HAS(bad(long_message + "interactions.support_url = \"https://e.org\"").what,
               "makes the message 2004 characters long");
}

TEST(Admin, NeedsATokenWhereOthersCanReachIt) {
    for (const char* address : {"0.0.0.0:7600", "[::]:7600", "192.168.1.1:0", "example.org:80",
                                "[2001:db8::1]:7600", "128.0.0.1:1"}) {
        const std::string line = "admin.listen = \"" + std::string(address) + "\"\n";
        EXPECT_HAS(bad(line).what, "no admin token is given") << address;
        EXPECT_EQ(good(line + "admin.token = \"t\"").admin.listen, address);
    }
}

TEST(Admin, NeedsNoTokenOnThisMachine) {
    for (const char* address : {"", "127.0.0.1:7600", "127.1.2.3:1", "localhost:7600",
                                "LocalHost:0", "[::1]:7600", "unix:/run/shardgate/admin.sock"})
        EXPECT_EQ(good("admin.listen = \"" + std::string(address) + '"').admin.listen, address);
}

TEST(Checks, KeepQuietAboutKeysThatAreWrongAlready) {
    EXPECT_EQ(load_with("sharding = { total = 0, last = 5 }").problems.size(), 1U);
    EXPECT_EQ(load_with("admin = { listen = \"0.0.0.0:1\", token = \"a b\" }").problems.size(), 1U);
    EXPECT_EQ(load_with("queue = { retry_initial = \"5m\", retry_max = \"x\" }").problems.size(),
              1U);
}

}  // namespace
}  // namespace shardgate::config::test
