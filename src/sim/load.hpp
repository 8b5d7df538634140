// SPDX-License-Identifier: Apache-2.0
// How much happens in the world, and what: mixes at a rate, as fast as the clients read, bursts
// (Discord fact sheet 13.3, S33). Pure: told the time, makes events through the director.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "shardgate/base/result.hpp"
#include "sim/director.hpp"
#include "sim/event_kind.hpp"
#include "sim/options.hpp"
#include "sim/session_store.hpp"

namespace shardgate::sim {

struct load_plan {
    event_mix mix{};
    std::string name;
    double rate = 0;                // events per second; 0 = the mix's own for this many guilds
    double times = 1;               // of that rate
    bool saturate = false;          // as fast as the clients read
    std::uint64_t ahead = 0;        // saturating: so many may be on their way; 0 = no such bound
    std::uint64_t count = 0;        // ends after so many; 0 = no such end
    std::optional<duration> lasts;  // ends after that
    std::optional<std::uint32_t> guild;  // everything in this one
    double unknown = 0;                  // share of invented names
    double dm = 0.02;                    // share of messages and interactions outside guilds
};

// Reads {"mix","rate","times","saturate","ahead","count","seconds","guild","unknown","dm",
// "kinds":{…}}.
[[nodiscard]] result<load_plan> read_load(const boost::json::value& v, const options& o,
                                          const world& w);

class load {
public:
    load(world& w, session_store& sessions, director& events)
        : world_(w), sessions_(sessions), director_(events) {}

    void start(load_plan plan, time_point now);
    void stop() { plans_.clear(); }
    // Makes what is due. Answers true when a saturating plan could go on at once.
    bool tick(const moment& now);
    [[nodiscard]] bool running() const noexcept { return !plans_.empty(); }
    [[nodiscard]] std::uint64_t made() const noexcept { return made_; }

private:
    struct active {
        load_plan plan;
        std::vector<double> cumulative;
        double total = 0;
        double rate = 0;
        time_point start{};
        time_point last{};
        double owed = 0;
        std::uint64_t made = 0;
    };
    bool run(active& a, const moment& now);
    bool one(active& a, const moment& now);
    [[nodiscard]] event_kind choose(const active& a);
    [[nodiscard]] bool room_for(std::uint64_t guild);
    [[nodiscard]] bool finished(const active& a, time_point now) const;

    static constexpr std::uint64_t window = 512;  // events a session may be ahead of its reader
    static constexpr int slice = 512;             // events per turn when saturating
    static constexpr double owed_max = 200000;

    world& world_;
    session_store& sessions_;
    director& director_;
    std::vector<active> plans_;
    std::vector<session*> owners_;
    std::uint64_t made_ = 0;
};

}  // namespace shardgate::sim
