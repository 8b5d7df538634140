// SPDX-License-Identifier: Apache-2.0
// The envelope itself: op, s, t, where d lies, and what is refused.
#include "shardgate/protocol/envelope.hpp"

#include <gtest/gtest.h>

#include <string>

namespace shardgate {
namespace {

using namespace std::string_literals;

class Envelope : public testing::Test {
protected:
    // Keeps the bytes, as the views point into them.
    result<envelope> scan(std::string text) {
        text_ = std::move(text);
        return scanner_.scan(text_);
    }
    std::string refused(std::string text) {
        const auto e = scan(std::move(text));
        return e ? "accepted" : e.error().detail;
    }

    scanner scanner_;
    std::string text_;
};

TEST_F(Envelope, DispatchIsReadInDiscordsOrder) {
    const auto e = scan(R"({"t":"TYPING_START","s":42,"op":0,"d":{"channel_id":"7"}})");
    ASSERT_TRUE(e);
    EXPECT_EQ(e->op, 0);
    EXPECT_EQ(e->s, 42u);
    EXPECT_EQ(e->t, "TYPING_START");
    EXPECT_EQ(e->event, event_id::typing_start);
    EXPECT_EQ(e->d, R"({"channel_id":"7"})");
    EXPECT_EQ(e->fields.channel, snowflake(7));
}

TEST_F(Envelope, DataBeforeTheNameIsReadAllTheSame) {
    const auto e = scan(R"({"d":{"id":"9","unavailable":true},"op":0,"s":1,"t":"GUILD_DELETE"})");
    ASSERT_TRUE(e);
    EXPECT_EQ(e->fields.guild, snowflake(9));
    EXPECT_EQ(e->fields.unavailable, true);
    EXPECT_EQ(e->d, R"({"id":"9","unavailable":true})");
}

TEST_F(Envelope, DataIsByteExactAndTheFrameTrimmed) {
    const std::string d = "{ \"a\" :\t[1 , 2.50e+1],\"b\":\"\\u00e9 } ]\" ,\"c\" : { } }";
    const auto e = scan(" \r\n{\"op\" : 0 , \"s\" : 1,\"t\" :\"X_Y\" ,\"d\" : " + d + " \t } \n");
    ASSERT_TRUE(e);
    EXPECT_EQ(e->d, d);
    EXPECT_EQ(e->frame.front(), '{');
    EXPECT_EQ(e->frame.back(), '}');
    EXPECT_EQ(e->frame.size(), text_.size() - 5);
}

TEST_F(Envelope, ControlFramesNeedOnlyAnOp) {
    EXPECT_EQ(scan(R"({"op":11})")->op, 11);
    EXPECT_EQ(scan(R"({"t":null,"s":null,"op":7,"d":null})")->d, "null");
    EXPECT_EQ(scan(R"({"op":9,"d":true,"s":null,"t":null})")->d, "true");
    EXPECT_EQ(scan(R"({"op":1,"d":null,"s":"odd","t":5})")->s, std::nullopt);
    EXPECT_EQ(scan(R"({"op":2147483647})")->op, 2147483647);
    EXPECT_EQ(scan(R"({"op":10,"d":{"heartbeat_interval":41250}})")->fields.guild, snowflake());
}

TEST_F(Envelope, UnknownNamesAndKeysPass) {
    const auto e = scan(
        R"({"op":0,"s":3,"t":"SOMETHING_NEW","d":{"guild_id":"5"},"x":[{"op":9}],"sessions":1})");
    ASSERT_TRUE(e);
    EXPECT_EQ(e->event, event_id::unknown);
    EXPECT_EQ(e->t, "SOMETHING_NEW");
    EXPECT_EQ(e->fields.guild, snowflake(5));
}

TEST_F(Envelope, KeysInsideDataDoNotWin) {
    const auto e = scan(
        R"({"d":{"op":9,"s":99,"t":"READY","d":{},"x":"\"op\":9"},"op":0,"s":4,"t":"RESUMED"})");
    ASSERT_TRUE(e);
    EXPECT_EQ(e->op, 0);
    EXPECT_EQ(e->s, 4u);
    EXPECT_EQ(e->event, event_id::resumed);
}

TEST_F(Envelope, OfEqualKeysTheLastOneCounts) {
    const auto e = scan(R"({"op":9,"op":0,"s":1,"s":2,"t":"READY","d":{"guild_id":"1"},)"
                        R"("t":"TYPING_START","d":{"guild_id":"2","guild_id":"3"}})");
    ASSERT_TRUE(e);
    EXPECT_EQ(e->op, 0);
    EXPECT_EQ(e->s, 2u);
    EXPECT_EQ(e->event, event_id::typing_start);
    EXPECT_EQ(e->d, R"({"guild_id":"2","guild_id":"3"})");
    EXPECT_EQ(e->fields.guild, snowflake(3));
    // An earlier usable value does not stand in for a later unusable one.
    EXPECT_FALSE(scan(R"({"op":0,"s":1,"s":null,"t":"READY","d":{}})"));
    EXPECT_FALSE(scan(R"({"op":0,"op":"0","s":1,"t":"READY","d":{}})"));
}

TEST_F(Envelope, ASecondNameMakesDataBeReadAgain) {
    const auto e = scan(R"({"op":0,"s":1,"t":"TYPING_START","d":{"id":"8"},"t":"GUILD_CREATE"})");
    ASSERT_TRUE(e);
    EXPECT_EQ(e->fields.guild, snowflake(8));
    EXPECT_TRUE(e->fields.only_stub);
}

TEST_F(Envelope, ANameWrittenWithEscapesIsUnderstood) {
    const auto e = scan(R"({"op":0,"s":1,"t":"TYPING\u005fSTART","d":{}})");
    ASSERT_TRUE(e);
    EXPECT_EQ(e->t, "TYPING_START");
    EXPECT_EQ(e->event, event_id::typing_start);
}

TEST_F(Envelope, ANameThatCouldBreakOutOfAHeaderIsRefused) {
    for (const char* name :
         {R"(A\r\nX: y)", R"(A\")", R"(A\\)", "A B", "\xc3\xa9", "", R"(A\u0000)"})
        EXPECT_EQ(refused(R"({"op":0,"s":1,"d":{},"t":")"s + name + "\"}"),
                  "a dispatch without a usable t")
            << name;
    EXPECT_EQ(refused(R"({"op":0,"s":1,"d":{},"t":")" + std::string(129, 'A') + "\"}"),
              "a dispatch without a usable t");
    EXPECT_EQ(refused(R"({"op":0,"s":1,"d":{},"t":"\q"})"), "not one JSON object");
}

TEST_F(Envelope, ADispatchNeedsSequenceNameAndData) {
    EXPECT_EQ(refused(R"({"op":0,"t":"READY","d":{}})"), "a dispatch without a usable s");
    EXPECT_EQ(refused(R"({"op":0,"s":null,"t":"READY","d":{}})"), "a dispatch without a usable s");
    EXPECT_EQ(refused(R"({"op":0,"s":1,"d":{}})"), "a dispatch without a usable t");
    EXPECT_EQ(refused(R"({"op":0,"s":1,"t":null,"d":{}})"), "a dispatch without a usable t");
    EXPECT_EQ(refused(R"({"op":0,"s":1,"t":7,"d":{}})"), "a dispatch without a usable t");
    EXPECT_EQ(refused(R"({"op":0,"s":1,"t":"READY"})"), "a dispatch without d");
}

TEST_F(Envelope, DataThatIsNoObjectPassesWithoutFields) {
    for (const char* d : {"null", "[]", "[{\"guild_id\":\"1\"}]", "\"x\"", "1"}) {
        const auto e = scan(R"({"op":0,"s":1,"t":"NEW_EVENT","d":)"s + d + "}");
        ASSERT_TRUE(e) << d;
        EXPECT_EQ(e->d, d);
        EXPECT_EQ(e->fields.guild, snowflake());
    }
}

TEST_F(Envelope, HugeAndOddNumbersFailCleanly) {
    EXPECT_EQ(scan(R"({"op":0,"s":18446744073709551615,"t":"X","d":{}})")->s,
              18446744073709551615u);
    for (const char* s : {"18446744073709551616", "-1", "1.0", "1e3", "\"1\"", "true", "{}", "[]",
                          "99999999999999999999999999999999999"})
        EXPECT_EQ(refused(R"({"op":0,"t":"X","d":{},"s":)"s + s + "}"),
                  "a dispatch without a usable s")
            << s;
    for (const char* op : {"-1", "2147483648", "1e999", "0.5", "null", "\"0\"", "[0]"})
        EXPECT_EQ(refused(R"({"op":)"s + op + "}"), "a frame without a usable op") << op;
}

TEST_F(Envelope, WhatIsNotOneJsonObjectIsRefused) {
    for (const char* text : {"",
                             " ",
                             "\n",
                             "{",
                             "}",
                             "[]",
                             "[{\"op\":1}]",
                             "null",
                             "1",
                             "\"op\"",
                             "{}{}",
                             "{} x",
                             "{\"op\":1}{\"op\":2}",
                             "{\"op\":1",
                             "{\"op\":1,}",
                             "{\"op\" 1}",
                             "{\"op\":1:2}",
                             "{\"op\":}",
                             "{op:1}",
                             "{\"op\":1 \"s\":2}",
                             "{\"op\":1,,\"s\":2}",
                             "{1:2}",
                             "{\"op\":1]",
                             "{\"op\":tru}",
                             "{\"op\":01}",
                             "{\"op\":1.}",
                             "{\"op\":+1}",
                             "{\"op\":1e}",
                             "{\"op\":-}",
                             "{\"op\":1}}",
                             "\xef\xbb\xbf{\"op\":1}",
                             "{\"op\":\"}",
                             "{\"op\":1\"x\"}"})
        EXPECT_FALSE(scan(text)) << text;
    EXPECT_FALSE(scan("{\"op\":1}\0"s));
    EXPECT_FALSE(scan("\0\0\0\0"s));
    EXPECT_FALSE(scan("{\"op\":1,\"d\":\"\0\"}"s));  // control characters must be escaped
}

TEST_F(Envelope, BrokenDataIsRefusedEvenWhereNothingIsRead) {
    for (const char* d : {"{\"x\":[1}}",
                          "{\"x\":{\"y\"}}",
                          "{\"x\":[1,]}",
                          "{\"x\":nul}",
                          "{\"x\":[,1]}",
                          "{\"x\":{,}}",
                          "{\"x\":{\"y\":1,}}",
                          "{\"x\":[}]}",
                          "{\"x\":{]}",
                          "{\"x\":[1 2]}",
                          "{\"x\":[\"a\" \"b\"]}",
                          "{\"x\":[1:2]}",
                          "{\"x\":{\"y\":1]}",
                          "{\"x\":0x10}",
                          "{\"x\":[true false]}",
                          "{\"x\":{\"y\" \"z\"}}",
                          "{\"x\":{5:1}}",
                          "{\"x\":[1,2}",
                          "{\"id\":}",
                          "{\"guild_id\":,}",
                          "{\"id\":{]}",
                          "{\"x\":12\"ab\"}",
                          "{\"x\":[--1]}"}) {
        EXPECT_FALSE(scan(R"({"op":0,"s":1,"t":"X","d":)"s + d + "}")) << d;
        EXPECT_FALSE(scan(R"({"d":)"s + d + R"(,"op":0,"s":1,"t":"X"})")) << d;
    }
}

TEST_F(Envelope, HostileTextDoesNotBreakAnything) {
    EXPECT_FALSE(scan("{\"op\":1,\"d\":\"\xff\"}"));          // invalid UTF-8
    EXPECT_FALSE(scan("{\"op\":1,\"d\":\"\xed\xa0\x80\"}"));  // a surrogate as UTF-8
    EXPECT_TRUE(scan(R"({"op":1,"d":"\ud83d \u0000 \"}{][ \\"})"));
    EXPECT_TRUE(scan(R"({"op":0,"s":1,"t":"X","d":{"\ud83d":"\udc00","\u0000":null}})"));
}

TEST_F(Envelope, NestingIsBounded) {
    const auto nested = [](std::size_t depth) {
        return R"({"op":0,"s":1,"t":"X","d":{"x":)" + std::string(depth, '[') +
               std::string(depth, ']') + "}}";
    };
    EXPECT_TRUE(scan(nested(1000)));
    EXPECT_FALSE(scan(nested(2000)));
    EXPECT_FALSE(scan(std::string(200000, '[')));
    std::string objects;
    for (int i = 0; i < 100000; ++i)
        objects += "{\"a\":";
    EXPECT_FALSE(scan(objects));
}

TEST_F(Envelope, ALargeFrameIsReadAndItsMemoryGivenBack) {
    std::string text = R"({"op":0,"s":1,"t":"GUILD_CREATE","d":{"members":[)";
    for (int i = 0; i < 100000; ++i)
        text += R"({"guild_id":"1","id":"2"},)";
    text += R"({}],"id":"77"}})";
    EXPECT_EQ(scan(text)->fields.guild, snowflake(77));
    scanner_.shrink(1024);
    EXPECT_EQ(scan(R"({"op":11})")->op, 11);
    EXPECT_EQ(scan(text)->fields.guild, snowflake(77));
}

TEST_F(Envelope, FailuresCarryACode) {
    const auto e = scan("nonsense");
    ASSERT_FALSE(e);
    EXPECT_TRUE(e.error().code.failed());
}

}  // namespace
}  // namespace shardgate
