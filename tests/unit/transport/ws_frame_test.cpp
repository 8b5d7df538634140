// SPDX-License-Identifier: Apache-2.0
#include "transport/ws_frame.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "shardgate/protocol/envelope.hpp"
#include "support/ws_server.hpp"

namespace shardgate::ws {
namespace {

using testing::server_frame;
using kind = event::kind;

// The bytes with the padding the decoder may rely on.
struct padded {
    std::string memory;
    std::size_t size;
    explicit padded(std::string bytes) : memory(std::move(bytes)), size(memory.size()) {
        memory.append(scanner::padding, '\0');
    }
    [[nodiscard]] std::string_view view() const { return std::string_view(memory).substr(0, size); }
};

TEST(WsFrame, HandsOnAWholeMessageWhereItLies) {
    decoder d(1000);
    const padded bytes(server_frame(0x82, "payload"));
    std::string_view in = bytes.view();

    const event e = d.next(in);

    EXPECT_EQ(e.what, kind::message);
    EXPECT_EQ(e.data.data(), bytes.memory.data() + 2) << "no copy";
    EXPECT_EQ(d.held(), 0U);
    EXPECT_EQ(d.next(in).what, kind::need_more);
}

TEST(WsFrame, GivesAFragmentedMessagesMemoryBack) {
    decoder d(10U << 20);
    const padded bytes(server_frame(0x02, std::string(3U << 20, 'x')) + server_frame(0x80, "end"));
    std::string_view in = bytes.view();

    event e = d.next(in);
    ASSERT_EQ(e.what, kind::message);
    EXPECT_EQ(e.data.size(), (3U << 20) + 3);
    EXPECT_GE(d.held(), 3U << 20);

    e = d.next(in);
    EXPECT_EQ(e.what, kind::need_more);
    EXPECT_LE(d.held(), 64U << 10);
}

TEST(WsFrame, HoldsNoMoreThanHasArrived) {
    decoder d(32U << 20);
    // 30 MiB announced, ten bytes sent.
    const padded bytes(std::string("\x82\x7f\0\0\0\0\x01\xe0\0\0", 10) + "0123456789");
    std::string_view in = bytes.view();

    EXPECT_EQ(d.next(in).what, kind::need_more);
    EXPECT_LE(d.held(), 64U << 10);
}

TEST(WsFrame, KeepsTheKindOfAMessageThatBeganEmpty) {
    decoder d(1000);
    const padded bytes(server_frame(0x02, "") + server_frame(0x80, "late") +
                       server_frame(0x81, "t"));
    std::string_view in = bytes.view();

    const event first = d.next(in);
    EXPECT_EQ(first.data, "late");
    EXPECT_TRUE(first.binary);
    EXPECT_FALSE(d.next(in).binary);
}

TEST(WsFrame, ReadsCloseFrames) {
    decoder d(1000);
    const padded bytes(server_frame(0x88, close_payload(4009) + "timed out"));
    std::string_view in = bytes.view();

    const event e = d.next(in);

    EXPECT_EQ(e.what, kind::close);
    EXPECT_EQ(e.code, 4009);
    EXPECT_EQ(e.data, "timed out");
}

TEST(WsFrame, WritesAsRfc6455Shows) {
    std::string out;
    std::uint32_t mask = 0;
    const unsigned char key[4] = {0x37, 0xfa, 0x21, 0x3d};
    std::memcpy(&mask, key, 4);

    append_frame(out, opcode::text, "Hello", mask);  // RFC 6455 section 5.7

    EXPECT_EQ(out, "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
}

TEST(WsFrame, WritesEveryLengthInItsShortestForm) {
    for (const auto& [size, header] : std::vector<std::pair<std::size_t, std::size_t>>{
             {0, 6}, {125, 6}, {126, 8}, {65535, 8}, {65536, 14}}) {
        std::string out;
        append_frame(out, opcode::binary, std::string(size, 'x'), 7);
        EXPECT_EQ(out.size(), size + header);
    }
}

// Any messages, in any fragments, read in any pieces, come out as they went in.
TEST(WsFrameProperty, SplittingChangesNothing) {
    for (unsigned seed = 1; seed <= 300; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        std::mt19937 random(seed);
        const auto below = [&](std::size_t n) { return random() % n; };
        std::string wire;
        std::vector<std::string> sent;
        for (int m = 0; m < 12; ++m) {
            std::string message(below(4) == 0 ? below(70000) : below(300), '\0');
            for (char& c : message)
                c = static_cast<char>(random());
            sent.push_back(message);
            std::size_t at = 0;
            unsigned opcode = 2;
            while (below(2) == 0) {
                const std::size_t n = below(message.size() - at + 1);
                wire += server_frame(opcode, message.substr(at, n));
                if (below(3) == 0) wire += server_frame(0x89, "ping");
                at += n;
                opcode = 0;
            }
            wire += server_frame(0x80 | opcode, message.substr(at));
        }
        decoder d(1U << 20);
        std::vector<std::string> received;
        for (std::size_t at = 0; at < wire.size();) {
            const std::size_t n = std::min(wire.size() - at, 1 + below(below(2) == 0 ? 5 : 50000));
            const padded piece(wire.substr(at, n));
            std::string_view in = piece.view();
            for (event e = d.next(in); e.what != kind::need_more; e = d.next(in)) {
                ASSERT_TRUE(e.what == kind::message || e.what == kind::ping);
                if (e.what == kind::message) received.emplace_back(e.data);
            }
            ASSERT_TRUE(in.empty());
            at += n;
        }
        ASSERT_EQ(received, sent);
    }
}

// Whatever arrives, the decoder ends in an answer and within its bounds.
TEST(WsFrameProperty, NoiseIsSurvived) {
    for (unsigned seed = 1; seed <= 3000; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        std::mt19937 random(seed);
        std::string noise(random() % 400, '\0');
        for (char& c : noise)
            c = static_cast<char>(random());
        if (!noise.empty() && seed % 2 == 0) noise[0] = static_cast<char>(0x80 | random() % 16);
        decoder d(5000);
        const padded bytes(noise);
        std::string_view in = bytes.view();
        for (int events = 0;; ++events) {
            ASSERT_LT(events, 1000);
            const event e = d.next(in);
            ASSERT_LE(e.data.size(), 5000U);
            if (e.what == kind::need_more || e.what == kind::violation || e.what == kind::close ||
                e.what == kind::too_big)
                break;
        }
        ASSERT_LE(d.held(), 64U << 10);
    }
}

}  // namespace
}  // namespace shardgate::ws
