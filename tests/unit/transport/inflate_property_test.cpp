// SPDX-License-Identifier: Apache-2.0
// Any payloads, compressed as Discord does and split as it may, come out as they went in; a damaged
// stream never does harm.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "shardgate/transport/inflate.hpp"
#include "support/stream_deflate.hpp"

namespace shardgate {
namespace {

using config::compression;

class random_payloads {
public:
    explicit random_payloads(unsigned seed) : random_(seed) {}
    std::size_t below(std::size_t n) { return random_() % n; }
    // Between noise and repetition, mostly small.
    std::string next() {
        std::string text(1 + below(below(10) == 0 ? 400000 : 2000), 'x');
        const std::size_t kinds = 1 + below(256);
        for (char& c : text)
            c = static_cast<char>(below(kinds));
        return text;
    }

private:
    std::mt19937 random_;
};

bool ends_with_mark(std::string_view bytes) {
    return bytes.size() >= 4 &&
           bytes.substr(bytes.size() - 4) == std::string_view("\0\0\xff\xff", 4);
}

TEST(InflateProperty, ZlibSplitAnywhereGivesThePayloads) {
    for (unsigned seed = 1; seed <= 60; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        random_payloads random(seed);
        testing::zlib_deflater server;
        inflate_buffer buffer(1 + random.below(10000));
        const auto in = make_inflater(compression::zlib_stream, 1U << 20, buffer);
        for (int p = 0; p < 8; ++p) {
            const std::string payload = random.next();
            const std::string wire = server.add(payload);
            std::optional<std::string> got;
            for (std::size_t at = 0; at < wire.size();) {
                std::size_t n = std::min(wire.size() - at, 1 + random.below(wire.size()));
                // A part that happens to end in the mark would be a payload's end to anybody.
                while (at + n < wire.size() &&
                       ends_with_mark(std::string_view(wire).substr(0, at + n)))
                    ++n;
                auto out = in->feed(std::string_view(wire).substr(at, n));
                ASSERT_TRUE(out);
                ASSERT_EQ(out->has_value(), at + n == wire.size());
                if (*out) got = std::string(**out);
                at += n;
            }
            ASSERT_EQ(got, payload);
        }
    }
}

TEST(InflateProperty, ZstdGivesThePayloads) {
    for (unsigned seed = 1; seed <= 60; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        random_payloads random(seed);
        testing::zstd_deflater server(static_cast<int>(10 + random.below(12)));
        inflate_buffer buffer(1 + random.below(10000));
        const auto in = make_inflater(compression::zstd_stream, 1U << 20, buffer);
        for (int p = 0; p < 8; ++p) {
            const std::string payload = random.next();
            auto out = in->feed(server.add(payload));
            ASSERT_TRUE(out && *out);
            ASSERT_EQ(std::string(**out), payload);
            if (random.below(3) == 0) buffer.trim();
        }
    }
}

// A flipped bit gives a failure or other bytes, never a crash or more than the limit, and a
// connection that has failed stays failed.
TEST(InflateProperty, DamageIsContained) {
    for (unsigned seed = 1; seed <= 400; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        random_payloads random(seed);
        const bool zlib = seed % 2 == 0;
        testing::zlib_deflater zlib_server;
        testing::zstd_deflater zstd_server;
        inflate_buffer buffer(1024);
        constexpr std::size_t limit = 50000;
        const auto in = make_inflater(zlib ? compression::zlib_stream : compression::zstd_stream,
                                      limit, buffer);
        bool failed = false;
        for (int p = 0; p < 6; ++p) {
            const std::string payload(1 + random.below(limit), static_cast<char>('a' + p));
            std::string wire = zlib ? zlib_server.add(payload) : zstd_server.add(payload);
            if (p > 0) {
                char& hit = wire[random.below(wire.size())];
                hit = static_cast<char>(hit ^ (1 << random.below(8)));
            }
            const auto out = in->feed(wire);
            if (failed) {
                ASSERT_FALSE(out);
            }
            failed = !out;
            if (out && *out) {
                ASSERT_LE((*out)->size(), limit);
            }
            ASSERT_LE(buffer.capacity(), limit + 1);
        }
    }
}

}  // namespace
}  // namespace shardgate
