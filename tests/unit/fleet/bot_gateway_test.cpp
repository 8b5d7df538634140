// SPDX-License-Identifier: Apache-2.0
#include "shardgate/fleet/bot_gateway.hpp"

#include <gtest/gtest.h>

namespace shardgate {
namespace {

constexpr std::string_view good =
    R"({"url":"wss://gateway.example/","shards":9,"session_start_limit":)"
    R"({"total":1000,"remaining":999,"reset_after":14400000,"max_concurrency":1}})";

std::string with(std::string_view from, std::string_view to) {
    std::string text(good);
    text.replace(text.find(from), from.size(), to);
    return text;
}

TEST(BotGateway, ReadsTheDocumentedAnswer) {
    const auto g = parse_bot_gateway(good);

    ASSERT_TRUE(g) << g.error().detail;
    EXPECT_EQ(g->url, "wss://gateway.example/");
    EXPECT_EQ(g->shards, 9U);
    EXPECT_EQ(g->limit.remaining, 999U);
    EXPECT_EQ(g->limit.reset_after, std::chrono::hours(4));  // milliseconds, not a time stamp
}

TEST(BotGateway, RefusesWhatItCannotTrust) {
    for (const std::string& bad :
         {std::string("[]"), std::string("<html>"), std::string("{}"), with("wss://", "ws://"),
          with("\"shards\":9", "\"shards\":0"), with("\"shards\":9", "\"shards\":-4"),
          with("\"shards\":9", "\"shards\":1e9"),
          with("\"max_concurrency\":1", "\"max_concurrency\":0"),
          with("\"remaining\":999", "\"remaining\":null"), with("\"total\":1000,", "")}) {
        EXPECT_FALSE(parse_bot_gateway(bad)) << bad;
    }
}

}  // namespace
}  // namespace shardgate
