// SPDX-License-Identifier: Apache-2.0
// The members of d that decide an event's way: guild, channel, id, and what interactions carry.
#include "protocol/dispatch_reader.hpp"

#include <gtest/gtest.h>

#include <string>

namespace shardgate {
namespace {

using namespace std::string_literals;

class DispatchFields : public testing::Test {
protected:
    dispatch_fields read(std::string_view name, std::string_view d) {
        text_ = R"({"op":0,"s":1,"t":")";
        text_.append(name).append("\",\"d\":").append(d).append("}");
        const auto e = scanner_.scan(text_);
        EXPECT_TRUE(e) << text_;
        return e ? e->fields : dispatch_fields{};
    }

    scanner scanner_;
    std::string text_;
};

TEST_F(DispatchFields, GuildComesFromGuildIdAtItsOwnDepth) {
    const dispatch_fields f =
        read("MESSAGE_CREATE",
             R"({"message_reference":{"guild_id":"1"},"content":"\"guild_id\":\"2\"",)"
             R"("mentions":[{"guild_id":"3"}],"guild_id":"4","id":"5","channel_id":"6",)"
             R"("member":{"guild_id":"7","id":"8"},"thread":{"id":"9","channel_id":"10"}})");
    EXPECT_EQ(f.guild, snowflake(4));
    EXPECT_EQ(f.id, snowflake(5));
    EXPECT_EQ(f.channel, snowflake(6));
}

TEST_F(DispatchFields, GuildLifecycleEventsCarryItAsId) {
    for (const char* name : {"GUILD_CREATE", "GUILD_UPDATE", "GUILD_DELETE"}) {
        EXPECT_EQ(read(name, R"({"id":"12","guild_id":"13"})").guild, snowflake(12)) << name;
        EXPECT_EQ(read(name, R"({"name":"x"})").guild, snowflake()) << name;
    }
    EXPECT_EQ(read("CHANNEL_UPDATE", R"({"id":"12"})").guild, snowflake());
}

TEST_F(DispatchFields, RateLimitedCarriesItInMeta) {
    EXPECT_EQ(read("RATE_LIMITED", R"({"opcode":8,"retry_after":1.5,"meta":{"x":{"guild_id":"1"},)"
                                   R"("guild_id":"2","nonce":"n"}})")
                  .guild,
              snowflake(2));
    EXPECT_EQ(read("RATE_LIMITED", R"({"meta":null})").guild, snowflake());
    EXPECT_EQ(read("TYPING_START", R"({"meta":{"guild_id":"2"}})").guild, snowflake());
}

TEST_F(DispatchFields, SnowflakesAreUnsignedAndMayComeAsNumbers) {
    EXPECT_EQ(read("TYPING_START", R"({"guild_id":"18446744073709551615"})").guild.value,
              18446744073709551615u);
    EXPECT_EQ(read("TYPING_START", R"({"guild_id":9223372036854775809})").guild.value,
              9223372036854775809u);
}

TEST_F(DispatchFields, WhatIsNoSnowflakeIsAbsent) {
    for (const char* id : {"null", "\"\"", "\"x\"", "\"-1\"", "-1", "1.5", "1e3", "true", "[\"1\"]",
                           "{\"id\":\"1\"}", "\"18446744073709551616\"", "\" 1\"",
                           "\"000000000000000000001\"", "\"\\u0031\""}) {
        const dispatch_fields f =
            read("TYPING_START", R"({"guild_id":)"s + id + R"(,"channel_id":"3"})");
        EXPECT_EQ(f.guild, snowflake()) << id;
        EXPECT_EQ(f.channel, snowflake(3)) << id;
    }
}

TEST_F(DispatchFields, AvailabilityIsThreeValued) {
    EXPECT_EQ(read("GUILD_CREATE", R"({"id":"1"})").unavailable, std::nullopt);
    EXPECT_EQ(read("GUILD_CREATE", R"({"id":"1","unavailable":false})").unavailable, false);
    EXPECT_EQ(read("GUILD_DELETE", R"({"unavailable":true,"id":"1"})").unavailable, true);
    EXPECT_EQ(read("GUILD_DELETE", R"({"id":"1","unavailable":"true"})").unavailable, std::nullopt);
    EXPECT_EQ(read("GUILD_UPDATE", R"({"id":"1","unavailable":true})").unavailable, std::nullopt);
}

TEST_F(DispatchFields, AStubIsAGuildCreateOfNothingButIdAndAvailability) {
    EXPECT_TRUE(read("GUILD_CREATE", R"({"id":"1","unavailable":true})").only_stub);
    EXPECT_FALSE(read("GUILD_CREATE", R"({"id":"1","unavailable":true,"name":"x"})").only_stub);
    EXPECT_FALSE(read("GUILD_CREATE", R"({"id":"1","channel_id":null})").only_stub);
    EXPECT_FALSE(read("GUILD_DELETE", R"({"id":"1","unavailable":true})").only_stub);
}

TEST_F(DispatchFields, InteractionsCarryTypeTokenAndWhetherTheyHaveAMessage) {
    const dispatch_fields f = read(
        "INTERACTION_CREATE",
        R"({"type":3,"token":"aW50ZXJhY3Rpb246_-=.~","message":{"type":19,"token":"x"},)"
        R"("data":{"type":2,"guild_id":"1","token":"y","message":{}},"guild_id":"4","id":"5"})");
    EXPECT_EQ(f.interaction_type, 3u);
    EXPECT_EQ(f.interaction_token, "aW50ZXJhY3Rpb246_-=.~");
    EXPECT_TRUE(f.interaction_has_message);
    EXPECT_EQ(f.guild, snowflake(4));
    EXPECT_FALSE(read("INTERACTION_CREATE", R"({"message":null})").interaction_has_message);
    EXPECT_EQ(read("MESSAGE_CREATE", R"({"type":3,"token":"t"})").interaction_type, 0u);
    EXPECT_EQ(read("MESSAGE_CREATE", R"({"type":3,"token":"t"})").interaction_token, "");
}

TEST_F(DispatchFields, ATokenThatDoesNotFitAPathIsNoToken) {
    for (const char* token : {R"("a\/b")", R"("a/b")", R"("a?b")", R"("a%2fb")", R"("a b")",
                              R"("a\u0041")", "\"\xc3\xa9\"", "5", "null", "[\"a\"]"})
        EXPECT_EQ(read("INTERACTION_CREATE", R"({"token":)"s + token + "}").interaction_token, "")
            << token;
}

TEST_F(DispatchFields, AnOddInteractionTypeIsNone) {
    for (const char* type : {"\"2\"", "-2", "2.0", "4294967296", "null", "{}"})
        EXPECT_EQ(read("INTERACTION_CREATE", R"({"type":)"s + type + "}").interaction_type, 0u)
            << type;
}

TEST_F(DispatchFields, NothingIsLeftOverFromTheEventBefore) {
    read("MESSAGE_CREATE", R"({"guild_id":"4","id":"5","channel_id":"6","content":"x"})");
    const dispatch_fields f = read("RESUMED", R"({"_trace":[]})");
    EXPECT_EQ(f.guild, snowflake());
    EXPECT_EQ(f.id, snowflake());
    EXPECT_EQ(f.channel, snowflake());
    EXPECT_EQ(f.edit_fingerprint, 0u);
}

}  // namespace
}  // namespace shardgate
