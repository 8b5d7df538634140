// SPDX-License-Identifier: Apache-2.0
// Makes things happen in the world: messages with their later edits and unfurls, presences,
// interactions, guilds that come and go. Driven by load and by the control API. Pure.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/interactions.hpp"
#include "sim/payloads.hpp"
#include "sim/publisher.hpp"
#include "sim/repeats.hpp"
#include "sim/world.hpp"

namespace shardgate::sim {

// When it is: for deadlines and for what is written into texts.
struct moment {
    time_point at{};
    std::int64_t unix_ms = 0;
};

// Whom a message concerns: what a session without MESSAGE_CONTENT may read goes by it.
struct manner {
    bool own = false;
    bool mentions_bot = false;
};

class director {
public:
    // References outlive this.
    director(const options& o, world& w, publisher& out, interactions& book, truth& sent,
             std::uint64_t seed);

    // One event of `kind` in guild `index`. False when nobody is there to get it.
    bool happen(event_kind kind, std::uint32_t index, const moment& now, manner how = {});
    // The same in a direct message.
    bool happen_in_dm(event_kind kind, std::size_t dm, const moment& now, manner how = {});
    // A message that is edited (really changed) or unfurled at once, for tests that want to know.
    bool message_then(event_kind then, std::uint32_t index, const moment& now, manner how = {});
    bool ephemeral(std::uint32_t index, const moment& now);
    bool invented(std::string_view name, std::uint32_t index, const moment& now);
    bool padding(std::uint32_t index, std::size_t bytes, const moment& now);
    // An interaction of type 2 to 5; `from_component` only matters for 5, `on_message` for 2.
    // Answers its id, 0 = none.
    std::uint64_t interact(std::uint32_t type, bool from_component, const place& where,
                           const moment& now, bool on_message = false);

    // Its id, 0 when no session owns it. With `on` {shard, shards} one of that shard.
    std::uint64_t join_guild(const moment& now,
                             std::optional<std::pair<std::uint32_t, std::uint32_t>> on = {});
    bool leave_guild(std::uint32_t index, const moment& now);
    bool outage(std::uint32_t index, const moment& now);
    bool back(std::uint32_t index, const moment& now);

    // Events that have to reach the handler and have not yet.
    [[nodiscard]] std::uint64_t on_their_way() const noexcept;

    // Follow-ups that are due: unfurls within a second, edits and equal events later.
    void tick(const moment& now);
    [[nodiscard]] std::size_t follow_ups() const noexcept {
        return later_.size() + repeats_.waiting();
    }
    [[nodiscard]] std::uint64_t follow_ups_dropped() const noexcept {
        return later_dropped_ + repeats_.dropped();
    }

    [[nodiscard]] payloads& texts() noexcept { return texts_; }
    [[nodiscard]] rng& random() noexcept { return random_; }
    void clear();

private:
    struct known_message {
        message m;
        std::optional<std::uint32_t> guild;
        std::uint64_t create_n = 0;
        // Shared with its follow-ups, when it has some: what is deleted is updated no more.
        std::shared_ptr<bool> deleted;
    };
    struct follow_up {
        time_point due{};
        event_kind kind{};
        known_message of;
        friend bool operator>(const follow_up& a, const follow_up& b) { return a.due > b.due; }
    };
    static constexpr std::size_t later_max = 200000;
    static constexpr std::size_t recent_max = 1024;

    bool create_message(event_kind shape, std::optional<std::uint32_t> index, std::uint64_t channel,
                        bool ephemeral, const moment& now, manner how = {});
    void concern(message& m, manner how) const;
    bool update(known_message& known, event_kind kind, const moment& now);
    void plan(known_message& known, const moment& now);
    bool plain(event_kind kind, const place& where, const moment& now);
    bool guild_event(std::string_view t, std::uint32_t index, const publisher::writer& write,
                     const moment& now, std::string_view mark);
    [[nodiscard]] place place_in(std::uint32_t index);
    [[nodiscard]] occurrence about(event_kind kind, const place& where) const;

    const options& options_;
    world& world_;
    publisher& out_;
    interactions& interactions_;
    truth& truth_;
    rng random_;
    repeats repeats_;
    id_source ids_;
    payloads texts_;
    std::vector<known_message> recent_;
    std::size_t recent_next_ = 0;
    std::priority_queue<follow_up, std::vector<follow_up>, std::greater<>> later_;
    std::uint64_t later_dropped_ = 0;
};

}  // namespace shardgate::sim
