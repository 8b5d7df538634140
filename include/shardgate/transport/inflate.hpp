// SPDX-License-Identifier: Apache-2.0
// Discord's transport compression (Discord docs, Gateway, Transport Compression): one stream per
// connection, flushed per payload, never ended. Pure. One object per connection; the buffer the
// payloads come out in is shared by all connections of a loop, so an idle shard holds only its
// decoder's window.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "shardgate/base/result.hpp"
#include "shardgate/config/config.hpp"

namespace shardgate {

// Output space that grows to the largest payload and is given back by trim(). One per loop.
class inflate_buffer {
public:
    explicit inflate_buffer(std::size_t resting_size = 256U << 10);
    [[nodiscard]] char* data() noexcept { return memory_.get(); }
    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
    // Keeps the first `used` bytes. Padding for the scanner is always behind capacity().
    void grow(std::size_t used, std::size_t at_least);
    // Back to the resting size, if it is larger. Contents are lost.
    void trim();

private:
    std::unique_ptr<char[]> memory_;
    std::size_t capacity_;
    std::size_t resting_;
};

class inflater {
public:
    virtual ~inflater() = default;

    // One WebSocket message in. A complete payload (with scanner::padding readable bytes behind it,
    // valid until the next feed on the same buffer), or nothing yet (a zlib payload spread over
    // messages), or a failure: corrupt stream, output above the limit. After a failure the
    // connection must be dropped.
    [[nodiscard]] virtual result<std::optional<std::string_view>> feed(
        std::string_view message) = 0;
};

// `max_payload` bounds one inflated payload, and what is held of a payload spread over messages.
// compression::none passes the message through. Pre: `buffer` outlives the inflater.
[[nodiscard]] std::unique_ptr<inflater> make_inflater(config::compression kind,
                                                      std::size_t max_payload,
                                                      inflate_buffer& buffer);

}  // namespace shardgate
