// SPDX-License-Identifier: Apache-2.0
// WebSocket frames from a hostile server, read in pieces: first byte the size of the pieces. No
// crash, nothing above the limit, all bytes consumed or an end.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "shardgate/protocol/envelope.hpp"
#include "transport/ws_frame.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using shardgate::ws::event;
    constexpr std::size_t limit = 100000;
    if (size == 0) return 0;
    const std::size_t piece = 1 + data[0] * 7U;
    shardgate::ws::decoder decoder(limit);
    for (std::size_t at = 1; at < size; at += piece) {
        std::string bytes(reinterpret_cast<const char*>(data + at), std::min(piece, size - at));
        const std::size_t length = bytes.size();
        bytes.append(shardgate::scanner::padding, '\0');
        std::string_view in = std::string_view(bytes).substr(0, length);
        for (;;) {
            const event e = decoder.next(in);
            if (e.data.size() > limit || decoder.held() > limit + 65536) std::abort();
            if (e.what == event::kind::need_more) break;
            if (e.what == event::kind::close || e.what == event::kind::too_big ||
                e.what == event::kind::violation)
                return 0;
        }
        if (!in.empty()) std::abort();
    }
    return 0;
}
