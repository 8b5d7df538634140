// SPDX-License-Identifier: Apache-2.0
// A whole shard set in virtual time: session machines and the pacer on one side, Discord and the
// network, with their faults, on the other. Checks pacing and budget on every IDENTIFY.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <queue>
#include <string>
#include <vector>

#include "shardgate/base/random.hpp"
#include "shardgate/identify/pacer.hpp"
#include "unit/identify/pacer_peer.hpp"
#include "unit/shard/session_rules.hpp"

namespace shardgate::test {

struct world_settings {
    std::uint32_t shards = 208;
    std::uint32_t max_concurrency = 16;
    std::uint32_t starts = 2000;
    std::uint64_t seed = 1;
    duration latency = 80ms;
    duration jitter{0};           // added to each latency, up to this
    duration mean_life{0};        // of a connection, until something happens to it; 0 = for ever
    double connect_failures = 0;  // share
    double identify_failures = 0;
};

class fleet_world {
public:
    explicit fleet_world(const world_settings& settings);

    void start_all();
    void run(duration d);
    // Discord asks every connection to reconnect.
    void op7_for_all();
    // This shard's connections fail from here on.
    void cut_off(std::uint32_t shard) { shards_[shard].cut_off = true; }
    void network(bool up) { network_up_ = up; }
    void calm() {
        settings_.mean_life = duration{0}, settings_.connect_failures = 0,
        settings_.identify_failures = 0;
    }

    time_point now() const { return now_; }
    const pacer& pace() const { return pacer_; }
    const session_fsm& session(std::uint32_t shard) const { return *shards_[shard].fsm; }
    std::size_t count(shard_state s) const;
    std::uint64_t identifies() const { return identifies_; }
    time_point first_identify() const { return first_; }
    time_point last_identify() const { return last_; }
    duration longest_wait_connected() const { return longest_wait_; }
    std::uint64_t steps() const { return steps_; }
    // The first rule that was broken; empty = none.
    const std::string& broken() const { return broken_; }

private:
    enum class what : std::uint8_t {
        timer,
        opened,
        open_failed,
        hello,
        ack,
        ready,
        replay,
        resumed,
        dispatch,
        op7,
        op9,
        closed,
        fault,
        identify_in,
        resume_in,
        heartbeat_in,
        gone
    };
    struct happening {
        time_point when;
        std::uint64_t order;
        std::uint32_t shard;
        std::uint32_t connection;
        what kind;
        std::uint32_t argument;
        bool operator<(const happening& other) const {
            return when != other.when ? when > other.when : order > other.order;
        }
    };
    struct shard_side {
        std::unique_ptr<session_fsm> fsm;
        session_rules rules;
        std::uint32_t connection = 0;
        bool silent = false;  // half open: nothing arrives any more
        bool cut_off = false;
        time_point timer = never;
        time_point hello_at{};
        // Discord's side.
        std::uint32_t session = 0;
        std::uint64_t seq = 0;
        bool session_lives = false;
        bool attached = false;
        time_point forgotten_at = never;
    };

    void at(duration in, std::uint32_t shard, what kind, std::uint32_t argument = 0);
    duration hop();
    void step(const happening& h);
    void fault(std::uint32_t shard, session_actions& out);
    void server_step(const happening& h);
    void identify_arrives(std::uint32_t shard);
    void resume_arrives(std::uint32_t shard);
    void detach(std::uint32_t shard);
    void frame(std::uint32_t shard, std::int32_t op, const std::string& d, session_actions& out);
    void dispatch(std::uint32_t shard, const char* t, std::uint64_t s, const std::string& d,
                  session_actions& out);
    void carry_out(std::uint32_t shard, session_actions& out);
    void on_sent(std::uint32_t shard, const std::string& text);
    void poll_pacer();
    void say(std::string text) {
        if (broken_.empty()) broken_ = std::move(text);
    }

    world_settings settings_;
    random_source random_;
    time_point now_ = t0;
    pacer pacer_;
    scanner scan_;
    std::vector<shard_side> shards_;
    std::priority_queue<happening> queue_;
    std::uint64_t order_ = 0;
    std::uint64_t steps_ = 0;
    bool network_up_ = true;

    std::map<std::uint32_t, time_point> key_sent_, key_arrived_;
    time_point window_began_{};
    std::uint32_t starts_lately_ = 0;
    std::uint64_t identifies_ = 0;
    time_point first_{}, last_{};
    duration longest_wait_{};
    std::string broken_;
};

}  // namespace shardgate::test
