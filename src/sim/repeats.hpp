// SPDX-License-Identifier: Apache-2.0
// Events that are equal by nature happen again: the same person types on, shows the same presence,
// puts the same reaction back. The very same d, "_n" included, some seconds later, as an event of
// its own; and maybe again. Pure; owner: director.
#pragma once

#include <cstdint>
#include <functional>
#include <queue>
#include <string>
#include <string_view>
#include <vector>

#include "sim/event_kind.hpp"
#include "sim/options.hpp"
#include "sim/publisher.hpp"
#include "sim/world.hpp"

namespace shardgate::sim {

class repeats {
public:
    // References outlive this.
    repeats(const options& o, publisher& out, std::uint64_t seed)
        : options_(o), out_(out), random_(seed) {}

    [[nodiscard]] static bool equal_by_nature(event_kind kind) noexcept;

    // An event of that kind happened in `in` (null: a direct message); `d` is what it said. Maybe
    // it happens again.
    void happened(const occurrence& what, const guild* in, std::uint64_t n, std::string_view d,
                  time_point now);
    void tick(time_point now);

    [[nodiscard]] std::size_t waiting() const noexcept { return later_.size(); }
    [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_; }
    void clear();

private:
    struct repetition {
        time_point due{};
        occurrence what;
        const guild* in = nullptr;
        std::uint64_t n = 0;
        std::uint32_t times = 1;  // the how-manieth
        std::string d;
        friend bool operator>(const repetition& a, const repetition& b) { return a.due > b.due; }
    };
    static constexpr std::size_t later_max = 100000;

    void plan(repetition r, time_point now);

    const options& options_;
    publisher& out_;
    rng random_;
    std::priority_queue<repetition, std::vector<repetition>, std::greater<>> later_;
    std::uint64_t dropped_ = 0;
};

}  // namespace shardgate::sim
