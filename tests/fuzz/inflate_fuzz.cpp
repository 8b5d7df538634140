// SPDX-License-Identifier: Apache-2.0
// Transport compression fed with anything: first byte the kind, then messages of a length byte pair
// and that many bytes. No crash, no payload above the limit, no buffer that outgrows it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "shardgate/protocol/envelope.hpp"
#include "shardgate/transport/inflate.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using shardgate::config::compression;
    constexpr std::size_t limit = 100000;
    if (size == 0) return 0;
    shardgate::inflate_buffer buffer(64);
    const compression kind = data[0] % 2 == 0 ? compression::zlib_stream : compression::zstd_stream;
    const auto in = shardgate::make_inflater(kind, limit, buffer);
    std::string_view rest(reinterpret_cast<const char*>(data + 1), size - 1);
    bool failed = false;
    while (rest.size() >= 2) {
        const std::size_t wanted =
            static_cast<unsigned char>(rest[0]) * 256U + static_cast<unsigned char>(rest[1]);
        const std::string_view message = rest.substr(2, wanted);
        rest.remove_prefix(2 + message.size());
        const auto out = in->feed(message);
        if (failed && out) std::abort();  // a failed stream must stay failed
        failed = !out;
        if (out && *out) {
            if ((*out)->size() > limit) std::abort();
            volatile char sink = (*out)->data()[(*out)->size() + shardgate::scanner::padding - 1];
            static_cast<void>(sink);
        }
        if (buffer.capacity() > limit + 1) std::abort();
    }
    return 0;
}
