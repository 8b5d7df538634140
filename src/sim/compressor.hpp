// SPDX-License-Identifier: Apache-2.0
// The sending side of Discord's transport compression (Discord docs, Gateway, Transport
// Compression): one stream per connection, flushed after every payload, never ended. Pure.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace shardgate::sim {

enum class compression : std::uint8_t { none, zlib_stream, zstd_stream };

class compressor {
public:
    virtual ~compressor() = default;
    // Appends the payload's compressed bytes, flushed.
    virtual void add(std::string_view payload, std::string& out) = 0;
};

struct compressor_options {
    int zlib_level = 6;
    int zstd_level = 1;
    int zstd_window_log = 18;
};

// compression::none has no compressor: null. Throws std::runtime_error when a library refuses.
[[nodiscard]] std::unique_ptr<compressor> make_compressor(compression kind,
                                                          const compressor_options& options);

// One payload as a zlib blob of its own (payload compression, IDENTIFY.compress).
[[nodiscard]] std::string compress_alone(std::string_view payload);

}  // namespace shardgate::sim
