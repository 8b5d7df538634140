// SPDX-License-Identifier: Apache-2.0
// A delivery core with a disk, a Discord that replays and a handler, all played in virtual time;
// the process may be killed at any moment and starts again with what the disk holds.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "shardgate/delivery/delivery.hpp"
#include "unit/delivery/fixture.hpp"

namespace shardgate::testing {

class crash_world : private delivery_listener {
public:
    explicit crash_world(std::uint64_t seed);

    // One thing that happens, and all that follows from it at once; checks the marks.
    void step();
    // Everything works again and everything queued finds its end; checks the books.
    void finish();

private:
    static constexpr std::uint32_t shard_total = 3;

    struct sent_event {  // what Discord sent
        std::uint64_t seq = 0;
        std::uint64_t guild = 0;
        std::string name;
        bool filtered = false;
    };
    struct gateway {
        session_handle session;
        std::uint64_t number = 0;  // of its session
        std::vector<sent_event> events;
        std::uint64_t received = 0;  // by the process that lives
        std::uint64_t trimmed = 0;   // Discord replays nothing up to here
    };
    struct disk_row {
        spool_row row;
        shed_class rank{};
        std::uint64_t bytes = 0;
    };
    struct disk {
        std::map<std::uint64_t, disk_row> rows;
        std::map<std::uint64_t, dead_row> dead;
        std::map<std::uint32_t, std::pair<std::string, std::uint64_t>> marks;  // session, safe
        std::map<std::string, std::string> notes;
        std::uint64_t last_position = 0;
    };
    struct batch {
        spool_changes changes;
        std::map<std::uint32_t, std::pair<std::string, std::uint64_t>> marks;
    };

    // crash_world.cpp: what happens
    void start_process();
    void send_something();
    void begin_session(std::uint32_t shard);
    void push(std::uint32_t shard, const sent_event& e);
    void answer_something(bool well);
    void work_disk(bool well);
    void read_disk(bool well);
    void list_disk();
    void crash();
    void damage();
    void heartbeat();
    void pull();
    void empty_dead_letters();
    static void apply(disk& d, const batch& b);
    [[nodiscard]] std::uint64_t safe(std::uint32_t shard, bool after_batch) const;
    [[nodiscard]] bool chance(unsigned of_a_hundred) { return random.below(100) < of_a_hundred; }
    [[nodiscard]] std::uint64_t pick(std::uint64_t n) { return random.below(n); }

    // crash_world_rules.cpp: what must hold
    void on_settled(const queued_event& e, settled_as how) override;
    void on_given_up(const spool_row_info& row) override;
    void check_marks();
    void on_delivered(const queued_event& e);
    void excuse_lost_sessions();
    void check_books();
    [[nodiscard]] bool is_settled_or_durable(const std::string& key) const;
    [[nodiscard]] static std::string key_of(const queued_event& e);
    [[nodiscard]] wall_ms wall() const;

    struct fate {
        std::uint64_t order = 0;  // as Discord sent it
        std::uint64_t guild = 0;
        bool filtered = false;
        bool dead_once = false;
        bool shed_once = false;  // a crash may bring it back, late
        bool excused = false;    // its session was lost, or the disk
        std::uint64_t delivered = 0;
    };

    std::uint64_t seed;
    random_source random;
    config::handler handler;
    config::queue queue;
    config::interactions interactions;
    std::unique_ptr<delivery> core;
    std::vector<gateway> shards{shard_total};
    disk files;
    std::unique_ptr<batch> writing;
    std::vector<delivery_request> flights;
    time_point now{std::chrono::hours(100)};
    std::uint64_t runs = 0;
    bool handler_up = true;
    bool disk_up = true;

    std::map<std::string, fate> events;  // by key
    std::map<std::pair<std::uint32_t, std::uint64_t>, std::uint64_t> last_in_lane;
    std::map<std::uint32_t, std::uint64_t> safe_before;
    std::uint64_t sent = 0, shed = 0, shed_told = 0, lost_with_disk = 0, gaps_told = 0;
};

}  // namespace shardgate::testing
