// SPDX-License-Identifier: Apache-2.0
// The keyed hash and the rules for what counts in a message.
#include "protocol/fingerprint.hpp"

#include <algorithm>
#include <cstring>
#include <random>

#include "shardgate/protocol/envelope.hpp"

namespace shardgate {
namespace {

__extension__ typedef unsigned __int128 wide;

// The product folded: each bit of the result depends on every bit of both.
std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
    const wide product = static_cast<wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t load(const char* bytes, std::size_t count) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes, count);
    return word;
}

// Value 0 is kept for "missing".
std::uint64_t never_zero(std::uint64_t h) {
    return h == 0 ? 1 : h;
}

// Discord renews the signature (ex, is, hm) of links to its own files.
std::string_view without_signature(std::string_view url) {
    const bool signs = url.starts_with("https://cdn.discordapp.com/") ||
                       url.starts_with("https://media.discordapp.net/");
    return signs ? url.substr(0, url.find('?')) : url;
}

bool is_lasting_attachment_member(std::string_view key) {
    static constexpr std::array<std::string_view, 7> lasting = {
        "id", "filename", "title", "description", "content_type", "size", "flags"};
    return std::find(lasting.begin(), lasting.end(), key) != lasting.end();
}

// What Discord adds to a media item of a component once it has looked at it.
bool is_filled_in_later(std::string_view key) {
    static constexpr std::array<std::string_view, 8> later = {
        "proxy_url",     "width",
        "height",        "content_type",
        "placeholder",   "placeholder_version",
        "loading_state", "content_scan_metadata"};
    return std::find(later.begin(), later.end(), key) != later.end();
}

}  // namespace

std::uint64_t process_hash_seed() {
    static const std::uint64_t seed = [] {
        std::random_device source;
        return (static_cast<std::uint64_t>(source()) << 32) ^ source();
    }();
    return seed;
}

value_hasher::value_hasher(std::uint64_t seed) {
    for (std::uint64_t& key : keys_) {  // splitmix64
        seed += 0x9e3779b97f4a7c15ULL;
        std::uint64_t z = seed;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
        key = z ^ (z >> 31);
    }
}

std::uint64_t value_hasher::text(std::string_view bytes) const {
    std::uint64_t h = keys_[0] ^ bytes.size();
    while (bytes.size() > 16) {
        h = fold(load(bytes.data(), 8) ^ keys_[1], load(bytes.data() + 8, 8) ^ h);
        bytes.remove_prefix(16);
    }
    const std::size_t first = std::min<std::size_t>(bytes.size(), 8);
    h = fold(load(bytes.data(), first) ^ keys_[2],
             load(bytes.data() + first, bytes.size() - first) ^ h);
    return never_zero(fold(h ^ keys_[3], keys_[1]));
}

std::uint64_t value_hasher::join(std::uint64_t a, std::uint64_t b) const {
    return never_zero(fold(a ^ keys_[1], fold(b ^ keys_[2], keys_[3])));
}

std::uint64_t value_hasher::hash(json::cursor& at, members which) const {
    switch (at.peek()) {
    case '{': return hash_object(at, which);
    case '[': return hash_array(at, which);
    default: break;
    }
    const std::string_view raw = at.scalar();
    at.advance();
    if (raw == "null" || raw == "false" || raw == "0" || raw == "\"\"") return 0;
    return text(raw);
}

std::uint64_t value_hasher::hash_object(json::cursor& at, members which) const {
    std::uint64_t sum = 0;  // of the members: their order does not matter
    const bool well_formed = at.for_each_member([&](std::string_view key) {
        const std::uint64_t member = hash_member(at, key, which);
        if (member != 0) sum += join(text(key), member);
        return true;
    });
    if (!well_formed || sum == 0) return 0;
    return join(sum, keys_[0]);
}

std::uint64_t value_hasher::hash_array(json::cursor& at, members which) const {
    std::uint64_t h = 0;
    const bool well_formed = at.for_each_element([&] {
        const std::uint64_t element = hash(at, which);
        h = join(h, element);
        return true;
    });
    return well_formed ? h : 0;
}

std::uint64_t value_hasher::hash_member(json::cursor& at, std::string_view key,
                                        members which) const {
    bool counts = true;
    members inner = which;
    switch (which) {
    case members::all: break;
    case members::of_attachment:
        counts = is_lasting_attachment_member(key);
        inner = members::all;
        break;
    case members::of_component:
        if (key == "url" && at.peek() == '"') {
            const std::string_view url = json::inside(at.scalar());
            at.advance();
            return url.empty() ? 0 : text(without_signature(url));
        }
        counts = !is_filled_in_later(key);
        break;
    case members::of_poll: inner = key == "results" ? members::of_results : members::all; break;
    case members::of_results:
        counts = key == "is_finalized";
        inner = members::all;
        break;
    }
    if (counts) return hash(at, inner);
    static_cast<void>(at.skip_value());  // known to be well-formed
    return 0;
}

void message_fingerprint::add(member m, json::cursor at) {
    const auto i = static_cast<std::size_t>(m);
    present_ |= 1u << i;
    switch (m) {
    case member::attachments: hashes_[i] = hasher_->attachments(at); break;
    case member::components: hashes_[i] = hasher_->components(at); break;
    case member::poll: hashes_[i] = hasher_->poll(at); break;
    default: hashes_[i] = hasher_->value(at); break;
    }
}

std::uint64_t message_fingerprint::of_edits() const {
    std::uint64_t h = member_count;
    for (const std::uint64_t hash : hashes_)
        h = hasher_->join(h, hash);
    return h;
}

std::uint64_t message_fingerprint::of_content() const {
    return has_content() ? hasher_->join(member_count, hashes_[0]) : 0;
}

}  // namespace shardgate
