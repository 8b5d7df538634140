// SPDX-License-Identifier: Apache-2.0
// The one world every session looks at: guilds and direct message channels, who of them is there,
// and which are busy. Knows nothing of sessions or payload texts. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

#include "sim/options.hpp"
#include "sim/rng.hpp"

namespace shardgate::sim {

struct guild {
    std::uint64_t id = 0;
    std::uint64_t seed = 0;  // everything about its looks follows from it
    std::uint16_t channels = 1, roles = 1, emojis = 0, members = 1;
    bool present = true;      // the bot is a member
    bool available = true;    // false during an outage
    std::uint64_t voice = 0;  // the channel the bot speaks in; 0 = none
};

// Unique ids that carry their time (Discord docs, Reference, Snowflakes).
class id_source {
public:
    std::uint64_t next(std::int64_t unix_ms) noexcept;

private:
    std::uint64_t last_ = 0;
};

class world {
public:
    world(const world_options& options, std::uint64_t seed);

    [[nodiscard]] std::size_t size() const noexcept { return guilds_.size(); }
    [[nodiscard]] const guild& at(std::size_t index) const { return guilds_[index]; }
    [[nodiscard]] std::optional<std::uint32_t> find(std::uint64_t id) const;
    [[nodiscard]] std::uint32_t present() const noexcept { return present_; }

    // Guilds of one shard that the bot is in, in no useful order, and how many.
    [[nodiscard]] std::vector<std::uint32_t> on_shard(std::uint32_t shard,
                                                      std::uint32_t shards) const;
    [[nodiscard]] std::uint32_t count_on(std::uint32_t shard, std::uint32_t shards) const;

    // A guild something happens in: 1 % of the guilds get half of it (fact sheet 13.3). nullopt
    // when chance keeps finding guilds that are away, or there are none.
    [[nodiscard]] std::optional<std::uint32_t> pick(rng& random) const;
    // A guild chosen evenly.
    [[nodiscard]] std::optional<std::uint32_t> pick_even(rng& random) const;

    std::uint32_t join(std::uint64_t id);  // a new guild
    void leave(std::uint32_t index);
    void set_available(std::uint32_t index, bool available);
    void set_voice(std::uint32_t index, std::uint64_t channel);  // 0 = the bot leaves

    [[nodiscard]] std::size_t dms() const noexcept { return dms_.size(); }
    [[nodiscard]] std::uint64_t dm(std::size_t index) const { return dms_[index]; }

    // Of a guild the bot is in, or a direct message's.
    [[nodiscard]] bool has_channel(std::uint64_t id) const;

    // The channel ids of a guild; channel 0 carries most of the talk.
    [[nodiscard]] static std::uint64_t channel(const guild& of, std::uint32_t index) noexcept;
    [[nodiscard]] static std::uint64_t role(const guild& of, std::uint32_t index) noexcept;

private:
    guild make(std::uint64_t id, std::uint64_t seed) const;

    world_options options_;
    std::uint64_t seed_;
    std::deque<guild> guilds_;         // references stay good when a guild joins
    std::vector<std::uint32_t> busy_;  // the 1 %
    std::vector<std::uint64_t> dms_;
    std::unordered_map<std::uint64_t, std::uint32_t> index_;
    std::uint32_t present_ = 0;
};

}  // namespace shardgate::sim
