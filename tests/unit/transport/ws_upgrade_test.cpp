// SPDX-License-Identifier: Apache-2.0
#include "transport/ws_upgrade.hpp"

#include <gtest/gtest.h>

#include <string>

namespace shardgate::ws {
namespace {

using kind = upgrade_answer::kind;
constexpr std::string_view key = "dGhlIHNhbXBsZSBub25jZQ==";

std::string right_answer(const std::string& more = {}) {
    return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\n"
           "Connection: keep-alive, Upgrade\r\n"
           "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" +
           more + "\r\n";
}

TEST(WsUpgrade, AnswersTheKeyAsRfc6455Shows) {
    EXPECT_EQ(accept_of(key), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");  // RFC 6455 section 1.3
}

TEST(WsUpgrade, WritesAKeyOf16Bytes) {
    const std::array<unsigned char, 16> nonce{'t', 'h', 'e', ' ', 's', 'a', 'm', 'p',
                                              'l', 'e', ' ', 'n', 'o', 'n', 'c', 'e'};
    EXPECT_EQ(key_of(nonce), key);
}

TEST(WsUpgrade, AcceptsARightAnswerAndLeavesTheFrames) {
    const std::string answer = right_answer();

    const upgrade_answer a = read_upgrade(answer + "\x81\x02hi", key);

    EXPECT_EQ(a.what, kind::accepted);
    EXPECT_EQ(a.used, answer.size());
}

TEST(WsUpgrade, WaitsForTheWholeHeader) {
    const std::string answer = right_answer();
    for (std::size_t n = 0; n < answer.size(); ++n)
        ASSERT_EQ(read_upgrade(answer.substr(0, n), key).what, kind::need_more) << n;
}

TEST(WsUpgrade, RefusesEachMissingProof) {
    const auto without = [](const std::string& line) {
        std::string answer = right_answer();
        const std::size_t at = answer.find(line);
        answer.erase(at, answer.find("\r\n", at) + 2 - at);
        return answer;
    };
    for (const char* line : {"Upgrade: WebSocket", "Connection:", "Sec-WebSocket-Accept"}) {
        const upgrade_answer a = read_upgrade(without(line), key);
        EXPECT_EQ(a.what, kind::refused) << line;
        EXPECT_EQ(a.status, 101U);
    }
}

TEST(WsUpgrade, RefusesWhatWasNotOffered) {
    for (const char* line :
         {"Sec-WebSocket-Extensions: permessage-deflate\r\n", "Sec-WebSocket-Protocol: chat\r\n"})
        EXPECT_EQ(read_upgrade(right_answer(line), key).what, kind::refused) << line;
}

TEST(WsUpgrade, TellsTheStatusOfARefusal) {
    const upgrade_answer a =
        read_upgrade("HTTP/1.1 429 Too Many Requests\r\nSecret: hush\r\n\r\n<html>", key);

    EXPECT_EQ(a.what, kind::refused);
    EXPECT_EQ(a.status, 429U);
    EXPECT_EQ(a.detail, "the answer was HTTP 429");
}

TEST(WsUpgrade, RefusesWhatIsNoAnswer) {
    for (const std::string& text :
         {std::string("SSH-2.0-OpenSSH"), std::string("HTTP/1.0 101 x\r\n\r\n"),
          std::string("HTTP/1.1 abc\r\n\r\n"), "HTTP/1.1 101 x\r\n" + std::string(17000, 'x'),
          "HTTP/1.1 101 x\r\nX: " + std::string(17000, 'x') + "\r\n\r\n",
          std::string("HTTP/1.1 101 x\r\nno colon\r\n\r\n")})
        EXPECT_EQ(read_upgrade(text, key).what, kind::refused) << text.substr(0, 20);
}

}  // namespace
}  // namespace shardgate::ws
