// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "shardgate/config/address.hpp"

namespace shardgate::config {
namespace {

TEST(HandlerUrls, WhatTheFileTakesIsTaken) {
    EXPECT_EQ(check_handler_urls({"http://127.0.0.1:8080/"}), "");
    EXPECT_EQ(check_handler_urls({"https://bot.example/x?key=1", "unix:/run/bot.sock:/x"}), "");
}

TEST(HandlerUrls, WhatItDoesNotIsRefusedWithoutRepeatingIt) {
    for (const auto& urls : std::vector<std::vector<std::string>>{
             {},
             {""},
             {"s3cret"},
             {"http://a/", "ftp://s3cret/"},
             {"http://u:s3cret@a/"},
             {"http://s3cret/", "http://s3cret/"},
             std::vector<std::string>(max_handler_urls + 1, "http://s3cret/")}) {
        const std::string wrong = check_handler_urls(urls);
        EXPECT_FALSE(wrong.empty());
        EXPECT_EQ(wrong.find("s3cret"), std::string::npos) << wrong;
    }
    EXPECT_NE(check_handler_urls({"http://a/", "ftp://b/"}).find("urls[1]"), std::string::npos);
}

}  // namespace
}  // namespace shardgate::config
