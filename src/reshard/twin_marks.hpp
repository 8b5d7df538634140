// SPDX-License-Identifier: Apache-2.0
// One session's events that were not sent on under its own name: held, or dropped because their
// twin had gone on. Such an event is safe when its twin is. Pure; owner: pairing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>

#include "shardgate/base/ids.hpp"

namespace shardgate {

class twin_marks {
public:
    explicit twin_marks(std::size_t limit) : limit_(limit) {}

    // Events come in order of seq.
    void hold(seq_no seq) { add({seq, what::held, {}, {}, 0}); }
    void has_twin(seq_no seq, shard_id shard, seq_no twin, std::uint32_t session) {
        add({seq, what::twin, shard, twin, session});
    }
    // A held one: its twin went on; or it goes on itself, or nobody needs it.
    void met(seq_no seq, shard_id shard, seq_no twin, std::uint32_t session);
    void done(seq_no seq);
    void clear() { items_.clear(); }

    // The lowest that is not safe. `unsafe` answers for a shard and session of the other set the
    // lowest seq that was sent on and is not safe.
    using query = std::function<std::optional<seq_no>(shard_id, std::uint32_t session)>;
    [[nodiscard]] std::optional<seq_no> first_unsafe(const query& unsafe);
    [[nodiscard]] std::size_t size() const noexcept { return items_.size(); }

private:
    enum class what : std::uint8_t { held, twin, done };
    struct item {
        seq_no seq;
        what is;
        shard_id shard;
        seq_no twin;
        std::uint32_t session;
    };
    void add(item i);
    [[nodiscard]] item* find(seq_no seq);

    std::size_t limit_;
    std::deque<item> items_;
};

}  // namespace shardgate
