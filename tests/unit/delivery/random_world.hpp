// SPDX-License-Identifier: Apache-2.0
// A delivery core that random things happen to, and a model of it that knows what must hold.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "shardgate/delivery/own_events.hpp"
#include "unit/delivery/fixture.hpp"

namespace shardgate::testing {

class random_world : public delivery_fixture {
public:
    explicit random_world(std::uint64_t seed) : chance(seed) {
        choose_settings();
        make();
    }

    // One thing that happens, and all that follows from it at once.
    void step();
    // The handler is well again and everything queued finds its end.
    void finish();

private:
    struct event {
        std::uint64_t place = 0;  // in the order of pushes; a retried dead letter gets a new one
        std::uint32_t shard = 0;
        std::string lane;
        bool fence = false;
        bool own = false;
        shed_class rank = shed_class::other;
        bool open = true;  // queued or in flight
        bool in_flight = false;
        std::uint32_t attempts = 0;
    };
    struct flight {
        delivery_request request;
        std::uint64_t url = 0;  // unique over set_urls()
        std::vector<std::string> keys;
    };
    using places = std::map<std::uint64_t, std::string>;  // place -> key

    void TestBody() override {}

    // random_world.cpp: what happens
    void choose_settings();
    void push_something();
    void push_own_something();
    void answer_something(bool well);
    void answer(flight f, const delivery_outcome& outcome);
    void report_callback(bool well);
    void change_urls();
    void empty_dead_letters();
    [[nodiscard]] delivery_outcome random_outcome(bool well);
    void work();

    // random_world_rules.cpp: what must hold
    void on_settled(const queued_event& e, settled_as how) override;
    void add(const std::string& key, event e);
    void close(const std::string& key);
    void check_start(delivery_request r);
    void check_item(const delivery_item& item, flight& f);
    void check_fences(const event& e);
    void check_accepted(const queued_event& e);
    void check_state();
    [[nodiscard]] static std::string describe(const delivery_snapshot& s);
    void check_gap(const queued_event& e, const std::string& key);
    [[nodiscard]] std::string lane_of(const queued_event& e);
    [[nodiscard]] static std::string key_of(const queued_event& e);
    [[nodiscard]] std::uint64_t dead_total() const;

    std::map<std::string, event> events;  // by key
    std::map<std::string, places> open_in_lane;
    std::map<std::uint32_t, places> open_in_shard, fences_in_shard;
    std::map<std::uint32_t, std::set<std::string>> core_gaps;  // begun and not settled
    std::vector<flight> flights;
    std::vector<snowflake> calls;
    std::map<std::string, std::uint64_t> told, shed_names;  // told: by the gaps the handler took
    std::set<std::string> gaps_told;
    std::map<std::string, std::uint64_t> highest;  // place accepted, by lane
    std::map<settled_as, std::uint64_t> fates_seen;
    std::uint64_t last_place = 0;
    std::uint64_t single_lanes = 0;
    std::uint64_t url_epoch = 0;
    std::uint64_t dead_gone = 0;  // retried or cleared
    bool paused = false;
    random_source chance;
};

}  // namespace shardgate::testing
