// SPDX-License-Identifier: Apache-2.0
#include "shardgate/transport/inflate.hpp"

#include <gtest/gtest.h>

#include <string>

#include "shardgate/protocol/envelope.hpp"
#include "support/stream_deflate.hpp"

namespace shardgate {
namespace {

using config::compression;
using testing::zlib_deflater;
using testing::zstd_deflater;

constexpr std::size_t limit = 1U << 20;

// Compressible, but not so much that one block holds it all.
std::string json_like(std::size_t size) {
    std::string text;
    unsigned x = 1;
    while (text.size() < size) {
        x = x * 1103515245 + 12345;
        text += "{\"id\":\"" + std::to_string(x) + "\"},";
    }
    text.resize(size);
    return text;
}

// Reads the padding: ASan tells when it is not there.
std::string checked(const result<std::optional<std::string_view>>& r) {
    if (!r) return "failure: " + r.error().detail;
    if (!*r) return "nothing yet";
    volatile char sink = 0;
    for (std::size_t i = 0; i < scanner::padding; ++i)
        sink = (*r)->data()[(*r)->size() + i];
    static_cast<void>(sink);
    return std::string(**r);
}

TEST(Inflate, NonePassesThrough) {
    inflate_buffer buffer;
    const auto in = make_inflater(compression::none, 10, buffer);
    const std::string message = "0123456789" + std::string(scanner::padding, ' ');

    const auto out = in->feed(std::string_view(message).substr(0, 10));

    ASSERT_TRUE(out && *out);
    EXPECT_EQ((*out)->data(), message.data()) << "no copy";
    EXPECT_FALSE(in->feed(std::string_view(message).substr(0, 11)));
}

TEST(Inflate, ZlibReadsPayloadsOfOneStream) {
    zlib_deflater server;
    inflate_buffer buffer;
    const auto in = make_inflater(compression::zlib_stream, limit, buffer);
    for (int i = 0; i < 50; ++i) {
        const std::string payload = json_like(static_cast<std::size_t>(i) * 97 + 1);
        EXPECT_EQ(checked(in->feed(server.add(payload))), payload);
    }
}

TEST(Inflate, ZlibWaitsForTheFlushMark) {
    zlib_deflater server;
    inflate_buffer buffer;
    const auto in = make_inflater(compression::zlib_stream, limit, buffer);
    const std::string payload = json_like(5000);
    const std::string wire = server.add(payload);
    // The mark itself is split.
    EXPECT_EQ(checked(in->feed(wire.substr(0, 100))), "nothing yet");
    EXPECT_EQ(checked(in->feed(wire.substr(100, wire.size() - 102))), "nothing yet");

    EXPECT_EQ(checked(in->feed(wire.substr(wire.size() - 2))), payload);
    EXPECT_EQ(checked(in->feed(server.add("next"))), "next");
}

TEST(Inflate, ZlibBoundsWhatItHolds) {
    inflate_buffer buffer;
    const auto in = make_inflater(compression::zlib_stream, limit, buffer);
    const std::string endless(limit / 4, 'x');
    for (int i = 0; i < 4; ++i)
        EXPECT_EQ(checked(in->feed(endless)), "nothing yet");

    EXPECT_FALSE(in->feed(endless));
}

TEST(Inflate, ZstdReadsPayloadsOfOneFrame) {
    zstd_deflater server;
    inflate_buffer buffer;
    const auto in = make_inflater(compression::zstd_stream, limit, buffer);
    for (int i = 0; i < 50; ++i) {
        const std::string payload = json_like(static_cast<std::size_t>(i) * 97 + 1);
        EXPECT_EQ(checked(in->feed(server.add(payload))), payload);
    }
}

TEST(Inflate, ZstdReadsSeveralBlocks) {
    zstd_deflater server;
    inflate_buffer buffer(1024);
    const auto in = make_inflater(compression::zstd_stream, 8U << 20, buffer);
    const std::string payload = json_like(3U << 20);  // 24 blocks of 128 KiB

    EXPECT_EQ(checked(in->feed(server.add(payload))), payload);
}

TEST(Inflate, ZstdToleratesTheEndOfAFrame) {
    zstd_deflater server;
    inflate_buffer buffer;
    const auto in = make_inflater(compression::zstd_stream, limit, buffer);

    EXPECT_EQ(checked(in->feed(server.add("one", ZSTD_e_end))), "one");
    EXPECT_EQ(checked(in->feed(server.add("two"))), "two");
}

TEST(Inflate, ZstdRefusesAHugeWindow) {
    zstd_deflater server(25);  // 32 MiB of decoder memory
    inflate_buffer buffer;
    const auto in = make_inflater(compression::zstd_stream, limit, buffer);

    EXPECT_FALSE(in->feed(server.add("x")));
}

TEST(Inflate, APayloadOfExactlyTheLimitPasses) {
    for (const std::size_t size : {std::size_t{1000}, std::size_t{4096}, limit}) {
        const std::string payload = json_like(size);
        inflate_buffer small(100);
        zlib_deflater zlib;
        zstd_deflater zstd;
        EXPECT_EQ(
            checked(make_inflater(compression::zlib_stream, size, small)->feed(zlib.add(payload))),
            payload);
        EXPECT_EQ(
            checked(make_inflater(compression::zstd_stream, size, small)->feed(zstd.add(payload))),
            payload);
    }
}

TEST(Inflate, ABombIsRefusedWithinTheLimit) {
    const std::string bomb(64U << 20, 'x');
    for (const compression kind : {compression::zlib_stream, compression::zstd_stream}) {
        zlib_deflater zlib;
        zstd_deflater zstd;
        inflate_buffer buffer;
        const auto in = make_inflater(kind, limit, buffer);
        const std::string wire = kind == compression::zlib_stream ? zlib.add(bomb) : zstd.add(bomb);

        const auto out = in->feed(wire);

        ASSERT_FALSE(out);
        EXPECT_NE(out.error().detail.find("above"), std::string::npos);
        EXPECT_LE(buffer.capacity(), limit + 1);
        EXPECT_FALSE(in->feed(wire)) << "a failed stream stays failed";
    }
}

TEST(Inflate, NoiseIsAFailure) {
    inflate_buffer buffer;
    const std::string noise = std::string(100, '\x5a') + std::string("\0\0\xff\xff", 4);
    for (const compression kind : {compression::zlib_stream, compression::zstd_stream}) {
        const auto in = make_inflater(kind, limit, buffer);
        EXPECT_FALSE(in->feed(noise));
        EXPECT_FALSE(in->feed(noise));
    }
}

TEST(Inflate, AnEndedZlibStreamIsAFailure) {
    zlib_deflater server;
    inflate_buffer buffer;
    const auto in = make_inflater(compression::zlib_stream, limit, buffer);
    const std::string ended = server.add("last", Z_FINISH) + std::string("\0\0\xff\xff", 4);

    EXPECT_FALSE(in->feed(ended));
}

TEST(Inflate, NothingInIsNothingOut) {
    inflate_buffer buffer;
    for (const compression kind : {compression::zlib_stream, compression::zstd_stream})
        EXPECT_EQ(checked(make_inflater(kind, limit, buffer)->feed("")), "nothing yet");
}

TEST(InflateBuffer, GrowsForALargePayloadAndIsGivenBack) {
    zstd_deflater server;
    inflate_buffer buffer(4096);
    const auto in = make_inflater(compression::zstd_stream, 8U << 20, buffer);
    ASSERT_TRUE(in->feed(server.add(json_like(1U << 20))));
    EXPECT_GE(buffer.capacity(), 1U << 20);

    buffer.trim();

    EXPECT_EQ(buffer.capacity(), 4096U);
    EXPECT_EQ(checked(in->feed(server.add("small again"))), "small again");
}

TEST(InflateBuffer, KeepsWhatIsUsedWhenItGrows) {
    inflate_buffer buffer(8);
    std::copy_n("12345678", 8, buffer.data());

    buffer.grow(8, 100);

    EXPECT_EQ(std::string(buffer.data(), 8), "12345678");
    EXPECT_EQ(buffer.capacity(), 100U);
    buffer.grow(8, 50);
    EXPECT_EQ(buffer.capacity(), 100U) << "never smaller by growing";
}

TEST(Inflate, ConnectionsShareABufferWithoutMixing) {
    zlib_deflater a, b;
    inflate_buffer buffer(64);
    const auto first = make_inflater(compression::zlib_stream, limit, buffer);
    const auto second = make_inflater(compression::zlib_stream, limit, buffer);
    const std::string half = a.add(json_like(3000));
    EXPECT_EQ(checked(first->feed(half.substr(0, 500))), "nothing yet");
    EXPECT_EQ(checked(second->feed(b.add(json_like(9000)))), json_like(9000));
    EXPECT_EQ(checked(first->feed(half.substr(500))), json_like(3000));
}

}  // namespace
}  // namespace shardgate
