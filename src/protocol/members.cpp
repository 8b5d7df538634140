// SPDX-License-Identifier: Apache-2.0
// GUILD_MEMBERS_CHUNK (Discord docs, Gateway Events), as far as it says what it answers.
#include <algorithm>
#include <limits>

#include "protocol/dispatch_reader.hpp"
#include "protocol/scanner_impl.hpp"
#include "shardgate/protocol/json_text.hpp"

namespace shardgate {

namespace {

constexpr std::size_t longest_read_nonce = 64;

bool take_nonce(json::cursor& at, std::string& nonce) {
    nonce.clear();
    if (at.peek() == '"') {
        const std::string_view raw = json::inside(at.scalar());
        const bool usable = raw.size() <= longest_read_nonce * 6 && unescape_json(raw, nonce) &&
                            nonce.size() <= longest_read_nonce;
        if (!usable) nonce.clear();
    }
    return at.skip_value();
}

bool take_number(json::cursor& at, std::uint32_t& number) {
    std::uint64_t value = 0;
    number = 0;
    if (const char c = at.peek(); c >= '0' && c <= '9' && json::parse_unsigned(at.scalar(), value))
        number = static_cast<std::uint32_t>(
            std::min<std::uint64_t>(value, std::numeric_limits<std::uint32_t>::max()));
    return at.skip_value();
}

}  // namespace

member_chunk scanner::member_chunk_of(std::string_view d) {
    json::cursor at;
    member_chunk chunk;
    const bool read = impl_->tokenizer.run(d, at) && at.for_each_member([&](std::string_view key) {
        if (key == "nonce") return take_nonce(at, chunk.nonce);
        if (key == "chunk_index") return take_number(at, chunk.index);
        if (key == "chunk_count") return take_number(at, chunk.count);
        return at.skip_value();
    });
    return read ? chunk : member_chunk{};
}

}  // namespace shardgate
