// SPDX-License-Identifier: Apache-2.0
// The simulator's pure parts under a clock the test moves, and a connection that keeps what it is
// told to send.
#pragma once

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sim/parts.hpp"

namespace shardgate::sim::testing {

namespace json = boost::json;
using namespace std::chrono_literals;

// The byte side of a connection, as a record.
class fake_peer final : public peer {
public:
    void send(std::string_view payload) override { sent.emplace_back(payload); }
    void wake() override { ++wakes; }
    void close(close_code code) override { closed = code; }
    void drop(bool reset) override { dropped = reset ? 2 : 1; }
    void go_silent() override { silent = true; }
    void drip(bool on) override { dripping = on; }
    void corrupt_next() override { corrupted = true; }

    [[nodiscard]] json::value last() const {
        return sent.empty() ? json::value() : json::parse(sent.back());
    }
    // The op of the last payload; -1 when there is none.
    [[nodiscard]] std::int64_t last_op() const {
        return sent.empty() ? -1 : last().at("op").as_int64();
    }

    std::vector<std::string> sent;
    int wakes = 0;
    int closed = -1;
    int dropped = 0;
    bool silent = false, dripping = false, corrupted = false;
};

[[nodiscard]] inline options small_options() {
    options o;
    o.world.guilds = 40;
    o.world.guild_bytes = 3000;
    o.encoding.unknown = 0;
    return o;
}

// A client's view of one connection.
struct client {
    fake_peer io;
    link* at = nullptr;
};

class bench {
public:
    explicit bench(options o = small_options()) : p(std::make_unique<parts>(std::move(o))) {
        p->gate.resume_url("wss://resume.test:1");
        p->started = now.at;
        now.unix_ms = 1760000000000;
    }

    void pass(duration d) {
        now.at += d;
        now.unix_ms += std::chrono::duration_cast<milliseconds>(d).count();
    }
    // Moves the clock in small steps, as the simulator's own tick does.
    void run(duration d, duration step = 10ms) {
        for (duration done{}; done < d; done += step) {
            pass(step);
            p->gate.tick(now.at);
            p->events.tick(now);
            p->generator.tick(now);
        }
    }

    std::unique_ptr<client> connect(std::string_view target = "/?v=10&encoding=json",
                                    bool generic = true) {
        auto c = std::make_unique<client>();
        upgrade_request r;
        r.target = std::string(target);
        r.key = "x";
        r.valid = true;
        c->at = &p->gate.open(c->io, r, generic, now.at);
        return c;
    }
    void say(client& c, std::string_view text) { p->gate.on_message(*c.at, text, now.at); }
    void identify(client& c, std::uint32_t shard, std::uint32_t shards,
                  std::uint64_t intents = all_intents) {
        say(c, R"({"op":2,"d":{"token":"simulated-token","properties":{},"intents":)" +
                   std::to_string(intents) + R"(,"shard":[)" + std::to_string(shard) + "," +
                   std::to_string(shards) + "]}}");
    }
    void resume(client& c, std::string_view session, std::uint64_t seq,
                std::string_view token = "simulated-token") {
        say(c, R"({"op":6,"d":{"token":")" + std::string(token) + R"(","session_id":")" +
                   std::string(session) + R"(","seq":)" + std::to_string(seq) + "}}");
    }
    void heartbeat(client& c, std::uint64_t seq) {
        say(c, R"({"op":1,"d":)" + std::to_string(seq) + "}");
    }
    void hang_up(client& c, close_code code = 0) { p->gate.on_end(*c.at, code, now.at); }

    // Takes every dispatch that waits.
    std::vector<std::string> take(client& c) {
        std::vector<std::string> all;
        std::string_view frame;
        while (p->gate.next(*c.at, frame, now.at))
            all.emplace_back(frame);
        return all;
    }
    // A connected session with READY and its guilds taken; answers its id.
    std::string ready(client& c, std::uint32_t shard, std::uint32_t shards,
                      std::uint64_t intents = all_intents) {
        identify(c, shard, shards, intents);
        const auto first = take(c);
        for (int i = 0; i < 100; ++i) {
            p->gate.tick(now.at);
            take(c);
        }
        if (first.empty()) return {};
        return std::string(json::parse(first.front()).at("d").at("session_id").as_string());
    }

    std::unique_ptr<parts> p;
    moment now{time_point(std::chrono::hours(1)), 0};
};

}  // namespace shardgate::sim::testing
