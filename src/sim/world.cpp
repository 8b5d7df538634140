// SPDX-License-Identifier: Apache-2.0
#include "sim/world.hpp"

#include <algorithm>

namespace shardgate::sim {

namespace {

constexpr std::int64_t discord_epoch_ms = 1420070400000;
constexpr int tries = 16;

std::uint32_t shard_for(std::uint64_t guild, std::uint32_t shards) {
    return static_cast<std::uint32_t>((guild >> 22) % shards);
}

}  // namespace

std::uint64_t id_source::next(std::int64_t unix_ms) noexcept {
    const auto made = static_cast<std::uint64_t>(unix_ms - discord_epoch_ms) << 22;
    last_ = std::max(last_ + 1, made);
    return last_;
}

world::world(const world_options& options, std::uint64_t seed) : options_(options), seed_(seed) {
    rng random(mix(seed, 0x77));
    for (std::uint32_t i = 0; i < options.guilds; ++i) {
        // Made at random milliseconds of four years: the shard formula spreads them evenly.
        const std::uint64_t ms = 100000000000ULL + random.next() % (4ULL * 365 * 86400 * 1000);
        std::uint64_t id = (ms << 22) | (i & 0x3fffffU);
        if (options.wide_ids && i % 10 == 9) id |= 1ULL << 63;
        if (index_.contains(id)) id ^= 0x200000U;
        guilds_.push_back(make(id, mix(seed, id)));
        guilds_.back().available = !random.chance(options.unavailable);
        index_.emplace(id, i);
    }
    present_ = options.guilds;
    const std::size_t busy = (guilds_.size() + 99) / 100;
    for (std::size_t i = 0; i < busy; ++i)
        busy_.push_back(random.below(guilds_.size()));
    for (std::uint32_t i = 0; i < options.dms; ++i)
        dms_.push_back(((110000000000ULL + random.next() % 100000000000ULL) << 22) | i);
}

guild world::make(std::uint64_t id, std::uint64_t seed) const {
    guild made;
    made.id = id;
    made.seed = seed;
    rng random(seed);
    // Rule of thumb of the fact sheet 13.1: 1.5 KB + 480 B a channel + 330 B a role + 140 B an
    // emoji + 550 B a member. Sizes vary from 0.4 to 1.6 times the mean.
    const double target =
        std::max(0.0, options_.guild_bytes * (0.4 + 1.2 * random.unit()) - 1500.0);
    const auto share = [&](double part, double each, std::uint32_t cap) {
        const double n = target * part / each;
        return static_cast<std::uint16_t>(std::clamp<double>(n, 1, cap));
    };
    made.channels = share(0.50, 480, 500);
    made.roles = share(0.26, 330, 250);
    made.emojis = share(0.14, 140, 500);
    made.members = share(0.10, 550, 1000);
    return made;
}

std::optional<std::uint32_t> world::find(std::uint64_t id) const {
    const auto at = index_.find(id);
    if (at == index_.end()) return std::nullopt;
    return at->second;
}

std::vector<std::uint32_t> world::on_shard(std::uint32_t shard, std::uint32_t shards) const {
    std::vector<std::uint32_t> mine;
    for (std::uint32_t i = 0; i < guilds_.size(); ++i)
        if (guilds_[i].present && shard_for(guilds_[i].id, shards) == shard) mine.push_back(i);
    return mine;
}

std::uint32_t world::count_on(std::uint32_t shard, std::uint32_t shards) const {
    return static_cast<std::uint32_t>(std::count_if(
        guilds_.begin(), guilds_.end(),
        [&](const guild& g) { return g.present && shard_for(g.id, shards) == shard; }));
}

std::optional<std::uint32_t> world::pick(rng& random) const {
    if (guilds_.empty() || busy_.empty()) return std::nullopt;
    for (int i = 0; i < tries; ++i) {
        const bool hot = (random.next() & 1U) != 0;
        const std::uint32_t index =
            hot ? busy_[random.below(busy_.size())] : random.below(guilds_.size());
        if (guilds_[index].present && guilds_[index].available) return index;
    }
    return std::nullopt;
}

std::optional<std::uint32_t> world::pick_even(rng& random) const {
    if (guilds_.empty()) return std::nullopt;
    const std::uint32_t start = random.below(guilds_.size());
    for (std::size_t i = 0; i < guilds_.size(); ++i) {
        const auto index = static_cast<std::uint32_t>((start + i) % guilds_.size());
        if (guilds_[index].present && guilds_[index].available) return index;
    }
    return std::nullopt;
}

std::uint32_t world::join(std::uint64_t id) {
    const auto index = static_cast<std::uint32_t>(guilds_.size());
    guilds_.push_back(make(id, mix(seed_, id)));
    index_.emplace(id, index);
    if (busy_.empty()) busy_.push_back(index);
    ++present_;
    return index;
}

void world::leave(std::uint32_t index) {
    if (!guilds_[index].present) return;
    guilds_[index].present = false;
    --present_;
}

void world::set_available(std::uint32_t index, bool available) {
    guilds_[index].available = available;
}

void world::set_voice(std::uint32_t index, std::uint64_t channel) {
    guilds_[index].voice = channel;
}

std::uint64_t world::channel(const guild& of, std::uint32_t index) noexcept {
    // A little younger than its guild, as real ones are; the top bit of a wide id is kept away.
    return (of.id & ~(1ULL << 63)) + ((index + 1ULL) << 24) + 1;
}

bool world::has_channel(std::uint64_t id) const {
    if (std::find(dms_.begin(), dms_.end(), id) != dms_.end()) return true;
    const auto has = [this](std::uint64_t guild, std::uint64_t index) {
        const auto at = find(guild);
        return at && guilds_[*at].present && index < guilds_[*at].channels;
    };
    // As channel() makes them, back to the guild.
    for (std::uint64_t index = 0; index <= UINT16_MAX; ++index) {
        const std::uint64_t offset = ((index + 1) << 24) + 1;
        if (offset > id) return false;
        if (has(id - offset, index) || has((id - offset) | (std::uint64_t{1} << 63), index))
            return true;
    }
    return false;
}

std::uint64_t world::role(const guild& of, std::uint32_t index) noexcept {
    return index == 0 ? of.id : (of.id & ~(1ULL << 63)) + ((index + 1ULL) << 24) + 2;
}

}  // namespace shardgate::sim
