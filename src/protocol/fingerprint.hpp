// SPDX-License-Identifier: Apache-2.0
// Hashes of a message's members that do not change unless a person or bot changed the message
// (docs/filtering.md). Keyed, 64 bits; not for storage: the key is the process's own.
// Owner: scanner. Private to protocol.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "protocol/json_tokens.hpp"

namespace shardgate {

// Hashes JSON values that skip_value() has already found to be well-formed. Members of an object
// count in any order, and one that is null, false, 0 or empty counts as missing; the hash of such a
// value is 0, and no other value's is.
class value_hasher {
public:
    explicit value_hasher(std::uint64_t seed);

    [[nodiscard]] std::uint64_t value(json::cursor at) const { return hash(at, members::all); }
    // Attachment URLs carry signatures that Discord renews, so only an attachment's lasting members
    // count (Discord docs, Message, Attachment Object; Reference, Signed Attachment CDN URLs).
    [[nodiscard]] std::uint64_t attachments(json::cursor at) const {
        return hash(at, members::of_attachment);
    }
    // The media in components has signed URLs too, and members that Discord fills in later.
    [[nodiscard]] std::uint64_t components(json::cursor at) const {
        return hash(at, members::of_component);
    }
    // Everything but the counts of `results`, which move with each vote.
    [[nodiscard]] std::uint64_t poll(json::cursor at) const { return hash(at, members::of_poll); }

    // A string, number or literal as it stands in the text.
    [[nodiscard]] std::uint64_t scalar(std::string_view raw) const;
    [[nodiscard]] std::uint64_t text(std::string_view bytes) const;
    // Joins two hashes; the order matters.
    [[nodiscard]] std::uint64_t join(std::uint64_t a, std::uint64_t b) const;

private:
    enum class members : std::uint8_t { all, of_attachment, of_component, of_poll, of_results };

    [[nodiscard]] std::uint64_t hash(json::cursor& at, members which) const;
    [[nodiscard]] std::uint64_t hash_object(json::cursor& at, members which) const;
    [[nodiscard]] std::uint64_t hash_array(json::cursor& at, members which) const;
    [[nodiscard]] std::uint64_t hash_member(json::cursor& at, std::string_view key,
                                            members which) const;

    std::array<std::uint64_t, 4> keys_{};
};

// Collects a message's members into its two fingerprints.
class message_fingerprint {
public:
    enum class member : std::uint8_t {
        content,
        attachments,
        pinned,
        flags,
        components,
        poll,
        sticker_items,
        edited_timestamp,
    };

    static constexpr std::size_t member_count = 8;

    // Pre of all but the constructor: `hasher` is not null.
    explicit message_fingerprint(const value_hasher* hasher) : hasher_(hasher) {}

    // The value at `at`, already found to be well-formed. Of equal members the last one counts.
    void add(member m, json::cursor at);
    // The same, with a value that counts as missing.
    void add_missing(member m) { set(m, 0); }
    [[nodiscard]] std::uint64_t of_edits() const;
    [[nodiscard]] std::uint64_t of_content() const;
    [[nodiscard]] bool has_content() const noexcept { return (present_ & 1) != 0; }
    [[nodiscard]] bool has_any() const noexcept { return present_ != 0; }

private:
    void set(member m, std::uint64_t hash) {
        const unsigned bit = 1U << static_cast<unsigned>(m);
        present_ |= bit;
        counting_ = hash != 0 ? counting_ | bit : counting_ & ~bit;
        hashes_[static_cast<std::size_t>(m)] = hash;
    }
    [[nodiscard]] std::uint64_t hash_of(member m, json::cursor at) const;

    const value_hasher* hasher_;
    std::array<std::uint64_t, member_count> hashes_{};
    unsigned present_ = 0;   // a bit a member
    unsigned counting_ = 0;  // those whose hash is not 0: mostly one or two
};

}  // namespace shardgate
