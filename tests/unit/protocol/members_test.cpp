// SPDX-License-Identifier: Apache-2.0
// Which request a chunk of members answers.
#include <gtest/gtest.h>

#include <string>

#include "shardgate/protocol/envelope.hpp"

namespace shardgate {
namespace {

member_chunk read(std::string d) {
    const std::size_t size = d.size();
    d.append(scanner::padding, '\0');
    scanner s;
    return s.member_chunk_of(std::string_view(d).substr(0, size));
}

TEST(MemberChunk, SaysItsNonceAndItsPlace) {
    const auto c =
        read(R"({"members":[{"user":{"id":"1"},"nonce":"no","chunk_index":9}],"guild_id":"41",)"
             R"("nonce":"shardgate:a:1","chunk_index":2,"chunk_count":7})");
    EXPECT_EQ(c.nonce, "shardgate:a:1");
    EXPECT_EQ(c.index, 2U);
    EXPECT_EQ(c.count, 7U);
}

TEST(MemberChunk, WhatCannotBeReadIsNothing) {
    for (const char* d : {"", "[]", "7", R"({"nonce":)", R"({"chunk_count":-1})",
                          R"({"nonce":7,"chunk_index":"1","chunk_count":1.5})"}) {
        const auto c = read(d);
        EXPECT_EQ(c.nonce, "") << d;
        EXPECT_EQ(c.index, 0U) << d;
        EXPECT_EQ(c.count, 0U) << d;
    }
    EXPECT_EQ(read("{\"nonce\":\"" + std::string(1000, 'x') + "\"}").nonce, "");
    EXPECT_EQ(read(R"({"chunk_count":18446744073709551615})").count, 4294967295U);
    EXPECT_EQ(read(R"({"nonce":"\u0073hardgate:a:1"})").nonce, "shardgate:a:1");
}

}  // namespace
}  // namespace shardgate
