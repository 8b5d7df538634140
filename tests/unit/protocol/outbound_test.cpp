// SPDX-License-Identifier: Apache-2.0
#include "shardgate/protocol/outbound.hpp"

#include <gtest/gtest.h>

#include "shardgate/protocol/envelope.hpp"

namespace shardgate {
namespace {

identify_profile profile() {
    identify_profile p;
    p.token = secret("abc.def");
    p.intents = 513;
    p.properties = R"({"os":"linux","browser":"b","device":"d"})";
    return p;
}

TEST(Outbound, HeartbeatCarriesTheSequenceOrNull) {
    EXPECT_EQ(heartbeat_text(std::nullopt), R"({"op":1,"d":null})");
    EXPECT_EQ(heartbeat_text(41), R"({"op":1,"d":41})");
    EXPECT_EQ(heartbeat_text(0), R"({"op":1,"d":0})");
}

TEST(Outbound, IdentifyHasEveryRequiredField) {
    EXPECT_EQ(identify_text(profile(), shard_id(3), shard_count(16)),
              R"({"op":2,"d":{"token":"abc.def","properties":{"os":"linux","browser":"b",)"
              R"("device":"d"},"large_threshold":50,"shard":[3,16],"intents":513}})");
}

TEST(Outbound, IdentifyHasPresenceAndCapabilitiesOnlyWhenSet) {
    identify_profile p = profile();
    p.capabilities = 1u << 15;
    p.presence = R"({"status":"idle","activities":[{"name":"{{shard}}/{{shards}}","type":0}]})";
    const std::string text = identify_text(p, shard_id(3), shard_count(16));
    EXPECT_NE(text.find(R"("capabilities":32768)"), std::string::npos);
    EXPECT_NE(text.find(R"("presence":{"status":"idle","activities":[{"name":"3/16","type":0}]})"),
              std::string::npos);
}

TEST(Outbound, IdentifyWithoutPropertiesSendsDefaults) {
    identify_profile p = profile();
    p.properties.clear();
    EXPECT_NE(identify_text(p, shard_id(0), shard_count(1)).find(R"("browser":"shardgate")"),
              std::string::npos);
}

TEST(Outbound, TokensAndSessionIdsCannotBreakOutOfTheirStrings) {
    const std::string text = resume_text(secret("t\"\n"), "s\\\",\"seq\":0", seq_no(1337));
    EXPECT_EQ(text, R"({"op":6,"d":{"token":"t\"\n","session_id":"s\\\",\"seq\":0","seq":1337}})");
    scanner reader;
    EXPECT_TRUE(reader.scan(text).has_value());
}

TEST(Outbound, ResumeHasTokenSessionAndSequence) {
    EXPECT_EQ(resume_text(secret("t"), "s", seq_no(7)),
              R"({"op":6,"d":{"token":"t","session_id":"s","seq":7}})");
}

TEST(Outbound, PresenceTemplatesAreFilledWhereverTheyStand) {
    EXPECT_EQ(
        fill_presence("{{shard}} {{shards}} {{shard}} {{x}} {shard}", shard_id(1), shard_count(22)),
        "1 22 1 {{x}} {shard}");
    EXPECT_EQ(fill_presence("", shard_id(1), shard_count(2)), "");
}

TEST(Outbound, GatewayAddressWorksWithAndWithoutATrailingSlash) {
    const std::string address = "wss://gateway.discord.gg/?v=10&encoding=json&compress=zstd-stream";
    EXPECT_EQ(gateway_address("wss://gateway.discord.gg", "zstd-stream"), address);
    EXPECT_EQ(gateway_address("wss://gateway.discord.gg/", "zstd-stream"), address);
    EXPECT_EQ(gateway_address("wss://x:8443", ""), "wss://x:8443/?v=10&encoding=json");
}

TEST(Outbound, GatewayAddressKeepsAForeignPathAndQuery) {
    EXPECT_EQ(gateway_address("ws://h/gw", "zlib-stream"),
              "ws://h/gw?v=10&encoding=json&compress=zlib-stream");
    EXPECT_EQ(gateway_address("ws://h/gw/?v=9&key=1&&encoding=etf&compress=x&vv#part", ""),
              "ws://h/gw/?v=10&encoding=json&key=1&vv");
    EXPECT_EQ(gateway_address("ws://h?v=9", ""), "ws://h/?v=10&encoding=json");
    EXPECT_EQ(gateway_address("h", ""), "h/?v=10&encoding=json");
}

}  // namespace
}  // namespace shardgate
