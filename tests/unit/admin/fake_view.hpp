// SPDX-License-Identifier: Apache-2.0
// A daemon of three shards for the admin tests: the values are set, nothing runs.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "shardgate/admin/daemon_view.hpp"

namespace shardgate::test {

inline shard_snapshot shard_number(std::uint32_t id, std::string state,
                                   std::uint32_t generation = 2) {
    shard_snapshot s;
    s.id = id;
    s.total = 3;
    s.generation = generation;
    s.state = std::move(state);
    s.state_age_s = 1.5;
    s.guilds = 10 + id;
    s.received = 100 + id;
    s.safe = 90 + id;
    s.events = 7;
    return s;
}

struct fake_view final : daemon_view {
    metrics_snapshot all;
    readiness is_ready;
    bool broken = false;
    mutable int asked = 0;

    fake_view() {
        status_snapshot& s = all.status;
        s.version = "1.2.3";
        s.uptime_s = 12.5;
        s.generation = 2;
        s.guilds = 33;
        s.total = 3;
        s.last = 2;
        s.ready = 1;
        s.limit_total = 1000;
        s.limit_remaining = 977;
        s.limit_reset_after_s = 3600;
        s.max_concurrency = 1;
        s.handler_state = "up";
        s.handler_urls = {{"http://bot:hunter2@127.0.0.1:8080/?key=hunter2", "up", "", 3, 64}};
        s.queue.events = 5;
        s.queue.bytes = 5000;
        s.queue.oldest_age_s = 0.25;
        s.queue.shed = {{"typing", 4}};
        s.plan_total = 3;
        s.plan_source = "file";
        all.shards = {shard_number(0, "ready"), shard_number(1, "resuming"),
                      shard_number(2, "idle"), shard_number(0, "loading", 3)};
        all.shards[0].session = "abcdefgh…";
        all.shards[0].latency_ms = 41.25;
        all.shards[0].guilds_loaded = true;
        all.shards[0].url = "gateway.discord.gg";
        all.shards[1].last_close = 4000;
        is_ready.ready = true;
    }

    void ask() const {
        ++asked;
        if (broken) throw std::runtime_error("the view is broken");
    }
    [[nodiscard]] status_snapshot status() const override {
        ask();
        return all.status;
    }
    [[nodiscard]] std::vector<shard_snapshot> shards() const override {
        ask();
        return all.shards;
    }
    [[nodiscard]] queue_snapshot queue() const override {
        ask();
        return all.status.queue;
    }
    [[nodiscard]] metrics_snapshot metrics() const override {
        ask();
        return all;
    }
    [[nodiscard]] readiness ready() const override {
        ask();
        return is_ready;
    }
};

}  // namespace shardgate::test
