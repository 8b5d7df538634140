// SPDX-License-Identifier: Apache-2.0
// Gap events added up: by reason, name and shard, copies aside, hostile ones refused.
#include "sim/gap_book.hpp"

#include <gtest/gtest.h>

#include <string>

namespace shardgate::sim {
namespace {

std::string event(const std::string& d, const std::string& envelope = "data") {
    const std::string frame = R"({"op":0,"t":"SHARDGATE_GAP","s":null,"d":)" + d + "}";
    if (envelope == "raw") return frame;
    return R"({"shardId":3,")" + envelope + "\":" + frame + "}";
}

std::string gap(const std::string& reason, int shard, const std::string& counts) {
    return R"({"shard":)" + std::to_string(shard) + R"(,"shards":4,"reason":")" + reason +
           R"(","from":10,"to":20,"counts":)" + counts + "}";
}

int number(const boost::json::value& v, const char* pointer) {
    return v.at_pointer(pointer).to_number<int>();
}

TEST(GapBook, AddsUpByReasonNameAndShard) {
    gap_book book;
    EXPECT_TRUE(book.take("a", event(gap("shed", 1, R"({"TYPING_START":3,"MESSAGE_CREATE":2})"))));
    EXPECT_TRUE(book.take("b", event(gap("shed", 2, R"({"TYPING_START":5})"))));
    EXPECT_TRUE(book.take("c", event(gap("session_lost", 1, "null"))));
    const boost::json::value sums = book.report();

    EXPECT_EQ(number(sums, "/shed/events"), 2);
    EXPECT_EQ(number(sums, "/shed/total"), 10);
    EXPECT_EQ(number(sums, "/shed/counts/TYPING_START"), 8);
    EXPECT_EQ(number(sums, "/shed/unknown"), 0);
    EXPECT_EQ(number(sums, "/shed/shards/2"), 1);
    EXPECT_EQ(number(sums, "/session_lost/unknown"), 1);
    EXPECT_EQ(number(sums, "/session_lost/total"), 0);
}

TEST(GapBook, ACopyIsCountedAndAddsNothing) {
    gap_book book;
    const std::string text = event(gap("shed", 1, R"({"MESSAGE_CREATE":2})"));
    EXPECT_TRUE(book.take("a", text));
    EXPECT_TRUE(book.take("a", text));
    const boost::json::value sums = book.report();

    EXPECT_EQ(number(sums, "/shed/events"), 1);
    EXPECT_EQ(number(sums, "/shed/copies"), 1);
    EXPECT_EQ(number(sums, "/shed/total"), 2);
}

TEST(GapBook, EveryEnvelopeIsRead) {
    for (const std::string envelope : {"data", "payload", "message", "raw"}) {
        gap_book book;
        EXPECT_TRUE(book.take("a", event(gap("storage", 0, R"({"X":1})"), envelope))) << envelope;
        EXPECT_EQ(number(book.report(), "/storage/total"), 1);
    }
}

TEST(GapBook, WhatIsNoGapEventIsRefused) {
    gap_book book;
    for (const std::string& text :
         {std::string(), std::string("{"), std::string("[]"), std::string("{}"), event("null"),
          event("{}"), event(R"({"shard":1,"shards":4,"reason":"shed","from":1,"to":2})"),
          event(R"({"shard":1,"shards":4,"reason":"shed","from":3,"to":2,"counts":{}})"),
          event(R"({"shard":1,"shards":4,"reason":5,"from":1,"to":2,"counts":{}})"),
          event(gap("shed", -1, "{}")), event(gap("shed", 1, "[]")),
          event(gap("shed", 1, R"({"X":-1})")), event(gap("shed", 1, R"({"X":"1"})"))})
        EXPECT_FALSE(book.take("k", text)) << text;
    EXPECT_TRUE(book.report().empty());
}

}  // namespace
}  // namespace shardgate::sim
