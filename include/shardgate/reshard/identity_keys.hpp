// SPDX-License-Identifier: Apache-2.0
// Which events carry their identity as Idempotency-Key: from the windows of a resharding on, of the
// sessions that took part, between two seqs that were on disk before the first such event. So a
// process that comes after a crash gives every copy the key it had. Pure; owner: loop_stage.
// Rules: docs/resharding.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "shardgate/base/ids.hpp"
#include "shardgate/reshard/identity.hpp"

namespace shardgate {

// Of one shard's session: seqs in [from, until).
struct key_range {
    std::uint64_t from = 0, until = UINT64_MAX;
};

// Of one shard set.
struct key_ranges {
    // Which resharding: an event that is like one of an earlier resharding has another key.
    std::uint64_t when = 0;
    std::vector<key_range> of;  // by shard id
};

// As kept on disk: a line of numbers.
[[nodiscard]] std::string text_of(const key_ranges& ranges);
[[nodiscard]] std::optional<key_ranges> read_key_ranges(std::string_view text);

class identity_keys {
public:
    void set(generation gen, key_ranges ranges);
    // No event of this set any more.
    void forget(generation gen);
    // Its seqs begin anew: no key of it was ever an identity.
    void on_new_session(generation gen, shard_id shard);

    [[nodiscard]] bool any() const noexcept { return !sets_.empty(); }
    [[nodiscard]] bool wants(generation gen, shard_id shard, seq_no seq) const noexcept;
    [[nodiscard]] const key_ranges* of(generation gen) const noexcept;

    // The key of an event that goes on now; valid until the next call. Of equal events each gets a
    // number of its own.
    // Pre: wants() is true of it.
    [[nodiscard]] std::string_view next(generation gen, const event_identity& id);

private:
    static constexpr std::size_t remembered = 1U << 20;
    struct hash {
        std::size_t operator()(const event_identity& id) const noexcept {
            return static_cast<std::size_t>(id.low ^ id.high);
        }
    };

    std::vector<std::pair<generation, key_ranges>> sets_;  // two at most, while both run
    std::unordered_map<event_identity, std::uint32_t, hash> occurrences_;
    std::uint32_t uncounted_ = 0;
    std::uint64_t counted_for_ = 0;  // key_ranges::when
    std::string key_;
};

}  // namespace shardgate
