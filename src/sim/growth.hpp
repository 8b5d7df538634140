// SPDX-License-Identifier: Apache-2.0
// A bot that becomes known: it joins so many new guilds a second, and leaves some. Pure: told the
// time, joins and leaves through the director.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <utility>

#include "shardgate/base/result.hpp"
#include "sim/director.hpp"
#include "sim/world.hpp"

namespace shardgate::sim {

struct growth_plan {
    double join = 0, leave = 0;     // guilds per second
    std::uint64_t count = 0;        // ends after so many joins; 0 = no such end
    std::optional<duration> lasts;  // ends after that
    std::uint32_t guilds = 0;       // ends when the bot is in so many; 0 = no such end
    std::optional<std::pair<std::uint32_t, std::uint32_t>> on;  // {shard, shards}: joins there
};

// Reads {"join","leave","count","seconds","until","shard":[id,count]}.
[[nodiscard]] result<growth_plan> read_growth(const boost::json::value& v);

class growth {
public:
    // References outlive this.
    growth(const world& w, director& events) : world_(w), director_(events) {}

    void start(growth_plan plan, time_point now);
    void stop() { plan_.reset(); }
    void tick(const moment& now);
    [[nodiscard]] bool running() const noexcept { return plan_.has_value(); }
    [[nodiscard]] boost::json::object report() const;
    void clear();

private:
    [[nodiscard]] bool finished(time_point now) const;
    void join(const moment& now);
    void leave(const moment& now);

    // A loop that was held up does not owe for ever.
    static constexpr double owed_max = 1000;

    const world& world_;
    director& director_;
    std::optional<growth_plan> plan_;
    time_point start_{}, last_{};
    double joins_owed_ = 0, leaves_owed_ = 0;
    std::uint64_t made_ = 0;               // joins of this plan
    std::uint64_t joined_ = 0, left_ = 0;  // ever
    std::uint64_t unseen_ = 0;             // joins and leaves no session was there to be told of
};

}  // namespace shardgate::sim
