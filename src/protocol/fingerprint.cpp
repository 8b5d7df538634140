// SPDX-License-Identifier: Apache-2.0
// The keyed hash and the rules for what counts in a message.
#include "protocol/fingerprint.hpp"

#include <algorithm>
#include <bit>
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

template <class Word>
std::uint64_t load(const char* bytes) {
    Word word = 0;
    std::memcpy(&word, bytes, sizeof(word));
    return word;
}

// Up to 16 bytes as two words. Loads overlap where bytes are few, which costs less than copying
// just so many; the size, hashed too, tells apart what then looks alike.
struct last_words {
    std::uint64_t first = 0, second = 0;

    explicit last_words(std::string_view bytes) {
        const std::size_t n = bytes.size();
        const char* const begin = bytes.data();
        if (n >= 8) {
            first = load<std::uint64_t>(begin);
            second = load<std::uint64_t>(begin + n - 8);
        } else if (n >= 4) {
            first = load<std::uint32_t>(begin);
            second = load<std::uint32_t>(begin + n - 4);
        } else if (n != 0) {
            first = load<std::uint8_t>(begin) | load<std::uint8_t>(begin + n / 2) << 8;
            second = load<std::uint8_t>(begin + n - 1);
        }
    }
};

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
        h = fold(load<std::uint64_t>(bytes.data()) ^ keys_[1],
                 load<std::uint64_t>(bytes.data() + 8) ^ h);
        bytes.remove_prefix(16);
    }
    const last_words last(bytes);
    h = fold(last.first ^ keys_[2], last.second ^ h);
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
    return scalar(raw);
}

// Well-formed, so that a character and the size tell which it is.
std::uint64_t value_hasher::scalar(std::string_view raw) const {
    switch (raw.front()) {
    case 'n':
    case 'f': return 0;
    case '0': return raw.size() == 1 ? 0 : text(raw);
    case '"': return raw.size() == 2 ? 0 : text(raw);
    default: return text(raw);
    }
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
    set(m, hash_of(m, at));
}

std::uint64_t message_fingerprint::hash_of(member m, json::cursor at) const {
    const char first = at.peek();
    if (first != '{' && first != '[') return hasher_->scalar(at.scalar());
    switch (m) {
    case member::attachments: return hasher_->attachments(at);
    case member::components: return hasher_->components(at);
    case member::poll: return hasher_->poll(at);
    default: return hasher_->value(at);
    }
}

std::uint64_t message_fingerprint::of_edits() const {
    std::uint64_t sum = 0;
    for (unsigned left = counting_; left != 0; left &= left - 1) {
        const auto i = static_cast<std::size_t>(std::countr_zero(left));
        sum += hasher_->join(i, hashes_[i]);
    }
    return hasher_->join(member_count, sum);
}

std::uint64_t message_fingerprint::of_content() const {
    return has_content() ? hasher_->join(member_count, hashes_[0]) : 0;
}

}  // namespace shardgate
