// SPDX-License-Identifier: Apache-2.0
// The simulator's pure parts, in the order they need each other. What control and report read.
#pragma once

#include <chrono>

#include "sim/director.hpp"
#include "sim/gateway.hpp"
#include "sim/growth.hpp"
#include "sim/identify_rules.hpp"
#include "sim/interactions.hpp"
#include "sim/load.hpp"
#include "sim/options.hpp"
#include "sim/publisher.hpp"
#include "sim/rest_api.hpp"
#include "sim/session_store.hpp"
#include "sim/truth.hpp"
#include "sim/world.hpp"

namespace shardgate::sim {

struct parts {
    explicit parts(options o)
        : settings(std::move(o)),
          guilds(settings.world, settings.seed),
          out(settings, sessions, book, mix(settings.seed, 1)),
          rules(settings),
          callbacks(settings),
          events(settings, guilds, out, callbacks, book, mix(settings.seed, 2)),
          gate(settings, guilds, sessions, out, rules, events.texts(), mix(settings.seed, 3)),
          generator(guilds, sessions, events),
          grow(guilds, events),
          rest(settings, guilds, rules, callbacks) {}

    options settings;
    world guilds;
    session_store sessions;
    truth book;
    publisher out;
    identify_rules rules;
    interactions callbacks;
    director events;
    gateway gate;
    load generator;
    growth grow;
    rest_api rest;
    time_point started{};

    parts(const parts&) = delete;
    parts& operator=(const parts&) = delete;
};

// What time it is for everything that asks; the only clock of the simulator's logic.
[[nodiscard]] inline moment this_moment() {
    moment m;
    m.at = clock::now();
    m.unix_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                    std::chrono::system_clock::now().time_since_epoch())
                    .count();
    return m;
}

}  // namespace shardgate::sim
