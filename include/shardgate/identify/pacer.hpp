// SPDX-License-Identifier: Apache-2.0
// Who may IDENTIFY when: one key per shard_id % max_concurrency, one IDENTIFY per key and interval,
// a daily budget with a reserve (Discord docs, Gateway, Rate Limiting / Session Start Limit). Pure.
// Owner: fleet. A key's interval runs from the moment its last IDENTIFY was sent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "shardgate/base/ids.hpp"
#include "shardgate/base/time.hpp"
#include "shardgate/identify/start_budget.hpp"

namespace shardgate {

struct pacer_settings {
    duration interval = std::chrono::milliseconds(5250);
    std::optional<std::uint32_t> max_concurrency_cap;
    std::uint32_t reserve = 20;
};

// A shard of one generation: resharding has two sets in the same queue.
struct pacer_ticket {
    generation gen{};
    shard_id shard{};
    friend constexpr auto operator<=>(const pacer_ticket&, const pacer_ticket&) noexcept = default;
};

// What poll() asks for; the caller tells the shard.
struct pacer_signal {
    enum class kind : std::uint8_t {
        turn_near,  // at most two intervals away: connect
        permit,     // send IDENTIFY now, then call sent(); or release() if it cannot be sent
    } what;
    pacer_ticket who;
};

// Every call but estimate() is logarithmic in what waits; a change of max_concurrency and the
// moment the budget runs out or is renewed touch everything once.
class pacer {
public:
    // Tickets beyond this are refused (request() answers false): more than any bot has shards.
    static constexpr std::size_t max_tickets = 65536;
    // A permit that is neither used nor released is taken back after this long.
    static constexpr duration permit_timeout = std::chrono::seconds(5);

    // At first every key waits one interval, as a process before us may have identified a moment
    // ago; last_identify() says what is known better.
    pacer(pacer_settings settings, session_start_limit limit, time_point now);

    // From the ledger: the key's last IDENTIFY was sent `ago`. Pre: ago >= 0, and the ledger's
    // max_concurrency is the one in force (else leave it: waiting one interval is right).
    void last_identify(std::uint32_t key, duration ago, time_point now);

    // Joins the end of its key's queue. With `keep_place` a ticket that is still queued stays where
    // it is, once; the second time it goes to the end. `explicit_request` may spend the reserve; on
    // a queued ticket it adds just that. Either way the ticket is not ready and will be told again
    // when its turn is near. False: max_tickets are waiting.
    bool request(pacer_ticket who, bool keep_place, bool explicit_request, time_point now);
    // HELLO is in / the connection is gone (a permit that was out is free again).
    void ready(pacer_ticket who, bool is_ready, time_point now);
    void cancel(pacer_ticket who, time_point now);
    // A permit was used. Counts against key and budget even if the permit was taken back meanwhile.
    void sent(pacer_ticket who, time_point now);
    // A permit was not used; back to the queue's end, not ready.
    void release(pacer_ticket who, time_point now);

    // Fresh numbers from Discord. A changed max_concurrency keeps every queue and makes each new
    // key wait one interval.
    void update(const session_start_limit& limit, time_point now);

    // What is due at `now`: permits first, both kinds in the order of the queue. Appends.
    void poll(time_point now, std::vector<pacer_signal>& out);
    [[nodiscard]] time_point deadline() const noexcept;

    [[nodiscard]] std::size_t waiting() const noexcept { return tickets_.size(); }
    [[nodiscard]] std::uint32_t max_concurrency() const noexcept { return max_concurrency_; }
    [[nodiscard]] std::uint32_t key_of(shard_id shard) const noexcept {
        return shard.value % max_concurrency_;
    }
    [[nodiscard]] std::uint32_t remaining(time_point now) const noexcept;
    // The budget (less the reserve) is used up while someone waits: nothing happens before this
    // time.
    [[nodiscard]] std::optional<time_point> blocked_until(time_point now) const noexcept;
    // Until everything that waits has identified, if all goes well. Linear in the keys in use.
    [[nodiscard]] duration estimate(time_point now) const noexcept;

    [[nodiscard]] std::uint64_t refused() const noexcept { return refused_; }
    [[nodiscard]] std::uint64_t taken_back() const noexcept { return taken_back_; }

private:
    using order = std::uint64_t;  // the place in the queue; over all keys

    enum class place : std::uint8_t {
        untold,   // in the queue, its turn is not near
        again,    // told before; lost its connection, is to be told anew
        told,     // told lately: counted on
        stalled,  // told a while ago and not ready: keeps its place, is not counted on
        ready,    // connected, may be granted
        granted,  // has the permit
    };
    enum class scope : std::uint8_t { everyone, explicit_only, nobody };  // whom the budget lets by

    struct ticket {
        order at = 0;
        place where = place::untold;
        bool explicit_request = false;
        bool place_kept = false;
        time_point until = never;  // told: counted on until then; granted: taken back then
    };

    // Tickets of one place, in queue order, the explicit ones twice.
    struct line {
        std::map<order, pacer_ticket> all;
        std::map<order, pacer_ticket> explicit_only;
        void insert(const ticket& t, pacer_ticket who);
        void erase(const ticket& t);
        [[nodiscard]] const pacer_ticket* first(scope s) const noexcept;
    };
    using expiry = std::map<std::pair<time_point, order>, pacer_ticket>;

    struct lane {  // one key
        time_point free_at{};
        line untold, again, ready;
        expiry told, granted;
        std::size_t tickets = 0;
        time_point due = never;  // as it stands in due_
    };

    lane& lane_of(std::uint32_t key);
    [[nodiscard]] static std::uint64_t id_of(pacer_ticket who) noexcept;
    [[nodiscard]] ticket& ticket_of(pacer_ticket who) noexcept;
    void put(pacer_ticket who, ticket& t, place where, lane& l, time_point now);
    void take(const ticket& t, lane& l);
    void move(pacer_ticket who, ticket& t, place where, time_point now);
    void to_the_end(pacer_ticket who, ticket& t, time_point now);
    void erase(pacer_ticket who, const ticket& t, time_point now);
    void touch(std::uint32_t key, time_point now);
    void touch_everything(time_point now);
    void refresh_scope(time_point now);
    void rekey(time_point now);

    [[nodiscard]] scope allowed() const noexcept;
    [[nodiscard]] time_point tell_time(const lane& l, scope s) const noexcept;
    [[nodiscard]] time_point grant_time(const lane& l, scope s) const noexcept;
    void round(time_point now, std::vector<pacer_signal>& permits,
               std::vector<pacer_signal>& near_ones);
    void expire(std::uint32_t key, time_point now);
    void grant(std::uint32_t key, time_point now, std::vector<pacer_signal>& out);
    void tell(std::uint32_t key, time_point now, std::vector<pacer_signal>& out);

    pacer_settings settings_;
    std::uint32_t max_concurrency_ = 1;
    start_budget budget_;
    scope scope_ = scope::everyone;  // as all `due`s were computed
    time_point floor_;               // a key that was never used is free from here
    order next_order_ = 0;
    std::unordered_map<std::uint64_t, ticket> tickets_;
    std::map<std::uint32_t, lane> lanes_;
    std::set<std::pair<time_point, std::uint32_t>> due_;
    std::uint64_t refused_ = 0;
    std::uint64_t taken_back_ = 0;
};

}  // namespace shardgate
