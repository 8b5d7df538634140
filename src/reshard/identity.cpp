// SPDX-License-Identifier: Apache-2.0
#include "shardgate/reshard/identity.hpp"

#include <openssl/sha.h>

#include <array>
#include <cstddef>
#include <string_view>

namespace shardgate {

namespace {

std::uint64_t word(const unsigned char* bytes) noexcept {
    std::uint64_t n = 0;
    for (int i = 0; i < 8; ++i)
        n = n << 8U | bytes[i];
    return n;
}

// FNV-1a: names are a handful, and a person could not choose one.
std::uint64_t hash_of_name(std::string_view name) noexcept {
    std::uint64_t h = 14695981039346656037ULL;
    for (const char c : name)
        h = (h ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
    return h;
}

void append_hex(std::string& out, std::uint64_t n) {
    static constexpr std::string_view digits = "0123456789abcdef";
    for (int shift = 60; shift >= 0; shift -= 4)
        out += digits[(n >> shift) & 15U];
}

}  // namespace

event_identity identity_of(const dispatch& event) {
    const std::uint64_t name = hash_of_name(event.name);
    switch (event.event) {
    case event_id::message_create:
    case event_id::interaction_create:
        if (event.fields.id.value != 0) return {name, event.fields.id.value, true};
        break;
    case event_id::guild_create:
    case event_id::guild_delete:
        if (event.fields.guild.value != 0)
            return {name + (event.fields.unavailable.value_or(false) ? 1U : 0U),
                    event.fields.guild.value, false};
        break;
    default: break;
    }
    // Not a hash that only spreads well: people write what is hashed, and two texts that hash alike
    // would be one event.
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    SHA256(reinterpret_cast<const unsigned char*>(event.d.data()), event.d.size(), digest.data());
    return {word(digest.data()) ^ name, word(digest.data() + 8), false};
}

void append_key(std::string& out, const event_identity& id, std::uint64_t when,
                std::uint32_t occurrence) {
    append_hex(out, id.high);
    append_hex(out, id.low);
    out += '-';
    out += std::to_string(when);
    out += '.';
    out += std::to_string(occurrence);
}

}  // namespace shardgate
