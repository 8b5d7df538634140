// SPDX-License-Identifier: Apache-2.0
// For the interaction desk's tests: interactions of any age and kind, and a daemon's way to ask.
// Virtual time; Discord's clock and the steady clock are `discord_start` apart.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "delivery/interaction_desk.hpp"

namespace shardgate::interaction_test {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using answer = interaction_answer;

inline constexpr milliseconds discord_start =
    1'700'000'000'000ms;  // Discord's unix time at steady zero

inline snowflake id_made_at(milliseconds steady, std::uint64_t serial = 1) {
    const auto since_epoch = (discord_start + steady).count() - 1420070400000;
    return snowflake((static_cast<std::uint64_t>(since_epoch) << 22) | serial);
}

// An interaction of type 2 unless changed, received now.
struct sample {
    snowflake id{};
    std::uint32_t type = 2;
    std::string token = "tok";
    milliseconds received = 100s;
    milliseconds skew{};
};

inline event_ptr make(const sample& s) {
    dispatch d;
    d.shard = shard_id(3);
    d.shards = shard_count(4);
    d.event = event_id::interaction_create;
    d.name = "INTERACTION_CREATE";
    d.frame = "{}";
    d.d = d.frame;
    d.fields.id = s.id.value != 0 ? s.id : id_made_at(s.received);
    d.fields.guild = snowflake(7);
    d.fields.channel = snowflake(8);
    d.fields.interaction_type = s.type;
    d.fields.interaction_token = s.token;
    d.received = time_point(s.received);
    d.received_wall = wall_ms(discord_start + s.received + s.skew);
    return queued_event::from(d);
}

inline constexpr time_point t0(100s);  // when samples are received

struct fixture {
    interaction_desk desk;

    explicit fixture(const config::interactions& settings = {}, interaction_limits limits = {})
        : desk(settings, limits) {}

    event_ptr track(const sample& s = {}) {
        event_ptr e = make(s);
        EXPECT_TRUE(desk.track(*e, e->received));
        return e;
    }
    // All that is due, as the daemon would ask.
    std::vector<interaction_callback> due(time_point now) {
        std::vector<interaction_callback> all;
        while (desk.next_expired(now)) {
        }
        while (auto one = desk.next(now))
            all.push_back(std::move(*one));
        return all;
    }
    std::vector<snowflake> leaving(time_point now) {
        std::vector<snowflake> all;
        while (auto one = desk.next_expired(now))
            all.push_back(*one);
        return all;
    }
    // Tracks one, lets its deadline come and the callback come to `how` 100 ms later.
    event_ptr answered(const sample& s = {}, callback_result how = callback_result::answered) {
        event_ptr e = track(s);
        EXPECT_EQ(due(e->received + 2s).size(), 1u);
        EXPECT_TRUE(desk.on_callback(e->id, how, e->received + 2100ms).known);
        return e;
    }
};

inline config::interactions with_message() {
    config::interactions settings;
    settings.modal_submit = config::modal_submit_mode::message;
    return settings;
}

}  // namespace shardgate::interaction_test
