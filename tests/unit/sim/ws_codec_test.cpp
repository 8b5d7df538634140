// SPDX-License-Identifier: Apache-2.0
// RFC 6455 as a server speaks it.
#include "sim/ws_codec.hpp"

#include <gtest/gtest.h>

#include <tuple>

#include "sim/rng.hpp"

namespace shardgate::sim {
namespace {

using kind = ws_decoder::kind;

std::string client_frame(int first, std::string_view payload, bool masked = true) {
    std::string out(1, static_cast<char>(first));
    const int bit = masked ? 0x80 : 0;
    if (payload.size() < 126) {
        out.push_back(static_cast<char>(bit | static_cast<int>(payload.size())));
    } else {
        const int bytes = payload.size() < 65536 ? 2 : 8;
        out.push_back(static_cast<char>(bit | (bytes == 2 ? 126 : 127)));
        for (int i = bytes - 1; i >= 0; --i)
            out.push_back(static_cast<char>((std::uint64_t{payload.size()} >> (8 * i)) & 255U));
    }
    const std::string mask = "\x11\x22\x33\x44";
    if (masked) out += mask;
    for (std::size_t i = 0; i < payload.size(); ++i)
        out.push_back(masked ? static_cast<char>(payload[i] ^ mask[i % 4]) : payload[i]);
    return out;
}

TEST(WsCodec, HeadersHaveTheThreeLengths) {
    const auto header = [](std::size_t size) {
        std::string out;
        write_frame_header(out, ws_opcode::binary, size);
        return out;
    };

    EXPECT_EQ(header(125), "\x82\x7d");
    EXPECT_EQ(header(126), std::string("\x82\x7e\x00\x7e", 4));
    EXPECT_EQ(header(65535), "\x82\x7e\xff\xff");
    EXPECT_EQ(header(65536), std::string("\x82\x7f\0\0\0\0\0\x01\0\0", 10));
}

TEST(WsCodec, CloseFramesCarryTheirCodeOrNothing) {
    std::string out;
    write_close_frame(out, 4009);
    EXPECT_EQ(out, "\x88\x02\x0f\xa9");
    out.clear();
    write_close_frame(out, 0);
    EXPECT_EQ(out, std::string("\x88\0", 2));
}

TEST(WsCodec, TakesMasksOffAndPutsFragmentsTogether) {
    ws_decoder decoder(1000);
    decoder.feed(client_frame(0x01, "hel"));
    decoder.feed(client_frame(0x89, "ping"));  // between fragments
    decoder.feed(client_frame(0x80, "lo"));
    decoder.feed(client_frame(0x82, "bin"));

    EXPECT_EQ(decoder.next().what, kind::ping);
    const auto text = decoder.next();
    EXPECT_EQ(text.what, kind::text);
    EXPECT_EQ(text.payload, "hello");
    EXPECT_EQ(decoder.next().what, kind::binary);
    EXPECT_EQ(decoder.next().what, kind::none);
}

TEST(WsCodec, WaitsForWholeFramesWhereverTheyAreCut) {
    const std::string bytes = client_frame(0x81, std::string(300, 'x'));
    for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
        ws_decoder decoder(1000);
        decoder.feed(std::string_view(bytes).substr(0, cut));
        ASSERT_EQ(decoder.next().what, kind::none) << cut;
        decoder.feed(std::string_view(bytes).substr(cut));
        ASSERT_EQ(decoder.next().payload.size(), 300U) << cut;
    }
}

TEST(WsCodec, ReadsCloseCodes) {
    ws_decoder decoder(1000);
    decoder.feed(client_frame(0x88, std::string("\x10\x68", 2) + "bye"));
    const auto item = decoder.next();

    EXPECT_EQ(item.what, kind::close_frame);
    EXPECT_EQ(item.code, 4200);
    EXPECT_EQ(item.payload, "bye");
    decoder.feed(client_frame(0x88, ""));
    EXPECT_EQ(decoder.next().code, 0);
}

TEST(WsCodec, RefusesWhatAClientMayNotSend) {
    const auto code = [](const std::string& bytes) {
        ws_decoder decoder(1000);
        decoder.feed(bytes);
        const auto item = decoder.next();
        EXPECT_EQ(item.what, kind::broken);
        EXPECT_EQ(decoder.next().what, kind::none) << "nothing after it";
        return item.code;
    };

    EXPECT_EQ(code(client_frame(0x81, "x", false)), 1002) << "unmasked";
    EXPECT_EQ(code(client_frame(0xc1, "x")), 1002) << "reserved bit";
    EXPECT_EQ(code(client_frame(0x83, "x")), 1002) << "unknown opcode";
    EXPECT_EQ(code(client_frame(0x80, "x")), 1002) << "continuation of nothing";
    EXPECT_EQ(code(client_frame(0x09, "x")), 1002) << "fragmented ping";
    EXPECT_EQ(code(client_frame(0x89, std::string(126, 'x'))), 1002) << "long ping";
    EXPECT_EQ(code(client_frame(0x81, std::string(1001, 'x'))), 1009) << "too big";
    EXPECT_EQ(
        code(client_frame(0x01, std::string(600, 'x')) + client_frame(0x80, std::string(600, 'x'))),
        1009)
        << "too big in parts";
    EXPECT_EQ(code(client_frame(0x01, "x") + client_frame(0x81, "x")), 1002)
        << "text inside a message";
}

TEST(WsCodecProperty, AnyBytesEndInSomethingDefinite) {
    for (std::uint64_t seed = 1; seed <= 500; ++seed) {
        SCOPED_TRACE(seed);
        rng random(seed);
        ws_decoder decoder(4096);
        for (int i = 0; i < 50; ++i) {
            std::string noise;
            for (std::uint32_t k = random.below(40); k > 0; --k)
                noise.push_back(static_cast<char>(random.below(256)));
            decoder.feed(noise);
            for (int n = 0; decoder.next().what != kind::none; ++n)
                ASSERT_LT(n, 50);
        }
    }
}

TEST(WsCodec, AcceptKeyIsTheRfcsExample) {
    EXPECT_EQ(accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST(WsCodec, ReadsUpgradeRequests) {
    const auto r = parse_upgrade(
        "GET /?v=10&encoding=json HTTP/1.1\r\nHost: x\r\nUPGRADE: WebSocket\r\n"
        "connection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key:  abc \r\nUser-Agent: DiscordBot (x, 1)\r\n\r\n");

    EXPECT_TRUE(r.valid);
    EXPECT_EQ(r.target, "/?v=10&encoding=json");
    EXPECT_EQ(r.key, "abc");
    EXPECT_EQ(r.user_agent, "DiscordBot (x, 1)");
}

TEST(WsCodec, RefusesRequestsThatAreNoUpgrade) {
    for (const char* head :
         {"POST / HTTP/1.1\r\n\r\n", "GET / HTTP/1.0\r\n\r\n", "GET /\r\n\r\n", "\r\n\r\n",
          "GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
          "GET / HTTP/1.1\r\nUpgrade: h2c\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
          "Sec-WebSocket-Key: a\r\nno colon here\r\n\r\n"})
        EXPECT_FALSE(parse_upgrade(head).valid) << head;
}

TEST(WsCodec, FindsQueryValues) {
    EXPECT_EQ(query_value("/?v=10&encoding=json&compress=zstd-stream", "compress"), "zstd-stream");
    EXPECT_EQ(query_value("/?v=10", "v"), "10");
    EXPECT_EQ(query_value("/?v=10", "encoding"), "");
    EXPECT_EQ(query_value("/?v", "v"), "");
    EXPECT_EQ(query_value("/", "v"), "");
}

}  // namespace
}  // namespace shardgate::sim
