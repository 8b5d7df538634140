// SPDX-License-Identifier: Apache-2.0
// Transport compression as a client's decoder sees it (S8, S9).
#include "sim/compressor.hpp"

#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include <memory>
#include <vector>

#include "sim/rng.hpp"

namespace shardgate::sim {
namespace {

std::string inflate_some(z_stream& z, std::string_view in) {
    std::string out;
    std::vector<char> space(1000);
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
    z.avail_in = static_cast<uInt>(in.size());
    do {
        z.next_out = reinterpret_cast<Bytef*>(space.data());
        z.avail_out = static_cast<uInt>(space.size());
        const int code = inflate(&z, Z_SYNC_FLUSH);
        EXPECT_TRUE(code == Z_OK || code == Z_BUF_ERROR) << code;
        out.append(space.data(), space.size() - z.avail_out);
    } while (z.avail_out == 0);
    return out;
}

std::vector<std::string> payloads_of_all_sizes() {
    std::vector<std::string> all;
    rng random(3);
    for (const std::size_t size : {1U, 50U, 1000U, 20000U, 300000U, 3000000U, 77U}) {
        std::string text;
        while (text.size() < size)
            text += "word" + std::to_string(random.below(1000));
        all.push_back(text);
    }
    return all;
}

TEST(Compressor, ZlibGivesOneStreamThatEndsEachPayloadWithASyncFlush) {
    const auto c = make_compressor(compression::zlib_stream, {});
    z_stream z{};
    ASSERT_EQ(inflateInit(&z), Z_OK);
    for (const std::string& payload : payloads_of_all_sizes()) {
        std::string wire;
        c->add(payload, wire);
        ASSERT_GE(wire.size(), 4U);
        EXPECT_EQ(wire.substr(wire.size() - 4), std::string("\0\0\xff\xff", 4));
        EXPECT_EQ(inflate_some(z, wire), payload);
    }
    inflateEnd(&z);
}

TEST(Compressor, ZstdNeverEndsItsFrame) {
    for (const int window : {17, 18, 21}) {
        compressor_options o;
        o.zstd_window_log = window;
        const auto c = make_compressor(compression::zstd_stream, o);
        const std::unique_ptr<ZSTD_DCtx, std::size_t (*)(ZSTD_DCtx*)> d(ZSTD_createDCtx(),
                                                                        ZSTD_freeDCtx);
        for (const std::string& payload : payloads_of_all_sizes()) {
            std::string wire;
            c->add(payload, wire);
            std::string text;
            std::vector<char> space(5000);
            ZSTD_inBuffer in{wire.data(), wire.size(), 0};
            for (bool more = true; more;) {
                ZSTD_outBuffer out{space.data(), space.size(), 0};
                const std::size_t left = ZSTD_decompressStream(d.get(), &out, &in);
                ASSERT_FALSE(ZSTD_isError(left));
                ASSERT_NE(left, 0U);
                text.append(space.data(), out.pos);
                more = in.pos < in.size || out.pos == out.size;
            }
            EXPECT_EQ(text, payload);
        }
    }
}

TEST(Compressor, NoneIsNothing) {
    EXPECT_EQ(make_compressor(compression::none, {}), nullptr);
}

TEST(Compressor, PayloadCompressionIsABlobOfItsOwn) {
    const std::string payload(5000, 'a');
    const std::string blob = compress_alone(payload);
    std::string text(6000, '\0');
    uLongf size = text.size();
    ASSERT_EQ(uncompress(reinterpret_cast<Bytef*>(text.data()), &size,
                         reinterpret_cast<const Bytef*>(blob.data()), blob.size()),
              Z_OK);
    text.resize(size);

    EXPECT_EQ(text, payload);
    EXPECT_LT(blob.size(), 200U);
}

}  // namespace
}  // namespace shardgate::sim
