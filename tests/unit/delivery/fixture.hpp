// SPDX-License-Identifier: Apache-2.0
// A delivery core in virtual time, with a handler that the test plays.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "shardgate/delivery/delivery.hpp"

namespace shardgate::testing {

using namespace std::chrono_literals;

class delivery_fixture : public ::testing::Test, public delivery_listener {
public:
    struct settled {
        std::string name;
        std::uint64_t seq;
        settled_as how;
    };

    delivery_fixture() {
        handler.connections = 64;
        queue.max_events = 1000;
        queue.overflow = config::overflow_policy::drop_oldest;
        interactions.auto_defer = true;
    }

    void make() {
        core = std::make_unique<delivery>(handler, queue, interactions, "test", random,
                                          static_cast<delivery_listener*>(this));
    }

    // An event of `guild` (0 = none) on `shard`.
    std::uint64_t push(std::string_view name, std::uint64_t guild = 1, std::uint32_t shard = 0,
                       std::uint64_t id = 0) {
        if (!core) make();
        const std::uint64_t seq = ++last_seq;
        const std::string d = "{\"n\":" + std::to_string(seq) + "}";
        const std::string frame = "{\"t\":\"" + std::string(name) +
                                  "\",\"s\":" + std::to_string(seq) + ",\"op\":0,\"d\":" + d + "}";
        dispatch e;
        e.shard = shard_id{shard};
        e.shards = shard_count{16};
        e.gen = generation{1};
        e.session = &session;
        e.seq = seq_no{seq};
        e.event = find_event(name);
        e.name = name;
        e.frame = frame;
        e.d = std::string_view(frame).substr(frame.size() - d.size() - 1, d.size());
        e.fields.guild = snowflake{guild};
        e.fields.channel = snowflake{channel};
        e.fields.id = snowflake{id};
        e.fields.interaction_type = interaction_type;
        e.fields.interaction_token = token;
        e.received = now;
        e.received_wall = wall();
        core->push(e);
        return seq;
    }

    [[nodiscard]] wall_ms wall() const {
        return wall_ms{1'760'000'000'000ms} +
               std::chrono::duration_cast<std::chrono::milliseconds>(now - start);
    }
    // A snowflake made `ago` before now.
    [[nodiscard]] std::uint64_t snowflake_made(std::chrono::milliseconds ago) const {
        const auto ms = wall().time_since_epoch().count() - ago.count() - 1420070400000;
        return static_cast<std::uint64_t>(ms) << 22;
    }

    // Everything that may be sent now, in the order given out.
    std::vector<delivery_request> pull() {
        std::vector<delivery_request> all;
        while (auto r = core->next_request(now))
            all.push_back(std::move(*r));
        return all;
    }
    std::vector<interaction_callback> callbacks() {
        std::vector<interaction_callback> all;
        while (auto c = core->next_callback(now, wall()))
            all.push_back(std::move(*c));
        return all;
    }
    void answer(const delivery_request& r, unsigned status) {
        delivery_outcome o;
        o.status = status;
        core->on_outcome(r.id, o, now, wall());
    }
    void refuse_connection(const delivery_request& r) {
        delivery_outcome o;
        o.connection_refused = true;
        o.maybe_received = false;
        o.detail = "connection refused";
        core->on_outcome(r.id, o, now, wall());
    }
    void time_out(const delivery_request& r) {
        delivery_outcome o;
        o.timed_out = true;
        o.detail = "timed out";
        core->on_outcome(r.id, o, now, wall());
    }
    void pass(duration d) { now += d; }
    // Goes to the next deadline, at most `most` ahead.
    void pass_to_deadline(duration most = 1h) {
        const time_point when = core->deadline();
        now = std::max(now, std::min(when, later(now, most)));
    }

    // Passes time until something may be sent.
    std::vector<delivery_request> pull_later(int most = 10) {
        auto r = pull();
        for (int i = 0; r.empty() && i < most; ++i) {
            pass_to_deadline();
            r = pull();
        }
        return r;
    }

    static std::uint64_t seq_of(const delivery_request& r, std::size_t i = 0) {
        return r.items.at(i).event->seq.value;
    }
    static std::vector<std::uint64_t> seqs(const std::vector<delivery_request>& all) {
        std::vector<std::uint64_t> out;
        for (const auto& r : all)
            for (const auto& item : r.items)
                out.push_back(item.event->seq.value);
        return out;
    }
    [[nodiscard]] std::uint64_t count(settled_as how) const {
        std::uint64_t n = 0;
        for (const auto& s : fates)
            n += s.how == how ? 1U : 0U;
        return n;
    }

    config::handler handler;
    config::queue queue;
    config::interactions interactions;
    random_source random{7};
    time_point start{100h}, now = start;
    session_handle session = std::make_shared<const std::string>("session");
    std::uint64_t last_seq = 0;
    std::uint64_t channel = 0;
    std::uint32_t interaction_type = 2;
    std::string token = "token";
    std::vector<settled> fates;
    std::unique_ptr<delivery> core;

private:
    void on_settled(const queued_event& event, settled_as how) override {
        fates.push_back({std::string(event.name()), event.seq.value, how});
    }
};

}  // namespace shardgate::testing
