// SPDX-License-Identifier: Apache-2.0
// Brings events to the handler: lanes (order), windows (requests in flight), breakers (is it
// there?), bounds (what is given up), dead letters, interaction deadlines. Pure: the sink does the
// HTTP, the REST client the callbacks; both report back. Pull style: after each input ask
// next_request() and next_callback() until they answer nothing. Rules: design in docs/delivery.md.
// One per loop; loop thread only.
#pragma once

#include <array>
#include <boost/container/small_vector.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shardgate/base/random.hpp"
#include "shardgate/config/config.hpp"
#include "shardgate/delivery/event.hpp"
#include "shardgate/delivery/spool.hpp"
#include "shardgate/metrics/histogram.hpp"
#include "shardgate/protocol/dispatch.hpp"

namespace shardgate {

// X-Shardgate-Interaction. Stored on disk by number: only add at the end.
enum class interaction_answer : std::uint8_t {
    none,
    deferred,
    deferred_update,
    acknowledged,
    expired,
    for_good  // with a message or no choices: its event is dropped; "acknowledged" where it is not
};
[[nodiscard]] std::string_view name_of(interaction_answer a) noexcept;  // empty for none

struct delivery_item {
    event_ptr event;
    std::uint32_t attempt = 1;
    interaction_answer answered = interaction_answer::none;
};

// One POST to send. With batch_events = 1 exactly one item.
struct delivery_request {
    std::uint64_t id = 0;
    std::size_t url = 0;    // index into the handler's URLs
    bool reserved = false;  // may use a connection kept for interactions
    boost::container::small_vector<delivery_item, 1> items;
};

// What became of a POST. Either a status, or none because the connection failed.
struct delivery_outcome {
    unsigned status = 0;  // 0 = no complete answer
    std::optional<duration> retry_after;
    bool connection_refused = false;  // nobody listens: probe soon
    bool timed_out = false;
    bool maybe_received = true;  // false: certainly not (the request was never written whole)
    std::string_view detail;     // for the log, during the call
};

// An interaction to answer at Discord: POST /interactions/{id}/{token}/callback.
struct interaction_callback {
    snowflake id{};
    std::string token;   // never logged
    std::string body;    // JSON
    duration timeout{};  // until three seconds after creation
};
enum class callback_result : std::uint8_t {
    answered,          // 2xx
    already_answered,  // 40060
    too_late,          // 10062
    refused,           // another 4xx
    not_sent,          // the request cannot have been written: may be repeated
    unknown,           // it may have been written, or 5xx: not repeated
};

// What finally became of an event.
enum class settled_as : std::uint8_t { accepted, dead, shed, answered_and_dropped, expired };

// Told what becomes of each event that came from Discord (sequence marks, metrics). Not re-entrant:
// must not call delivery.
class delivery_listener {
public:
    virtual ~delivery_listener() = default;
    virtual void on_settled(const queued_event& event, settled_as how) = 0;
    // Shed from the spool, where its text stays unread.
    virtual void on_given_up(const spool_row_info&) {}
};

enum class handler_state : std::uint8_t { up, down, paused };
[[nodiscard]] std::string_view name_of(handler_state s) noexcept;

struct dead_letter {
    std::uint64_t number = 0;  // never used twice
    event_ptr event;
    unsigned status = 0;
    std::uint32_t attempts = 0;
    wall_ms when{};
    std::string reason;
};

struct url_snapshot {
    std::string url;  // without user info
    handler_state state = handler_state::up;
    std::size_t in_flight = 0;
    std::size_t window = 0;  // how many may be in flight just now
    std::string last_error;  // empty when up
};

// Counters since construction and gauges, by value.
struct delivery_snapshot {
    handler_state state = handler_state::up;
    std::vector<url_snapshot> urls;
    std::uint64_t events = 0, bytes = 0, lanes = 0;  // queued now
    std::optional<time_point> oldest;                // receipt of the oldest queued event
    std::uint64_t accepted = 0, pushed = 0;
    std::uint64_t requests_ok = 0, requests_refused = 0, requests_failed = 0,
                  requests_timed_out = 0;
    std::array<std::uint64_t, shed_class_count> shed{};
    std::uint64_t dead_letters = 0, dead_letters_dropped = 0;
    std::uint64_t spooled_events = 0, spooled_bytes = 0;  // in the spool alone
    std::uint64_t stored_events = 0;                      // in memory and in the spool
    std::uint64_t replayed_known = 0;  // came again after a restart and were in the spool
    std::uint64_t spool_lost = 0;      // lost with a damaged spool
    std::uint64_t evicted = 0;         // left memory for the spool, which had them already
    std::uint64_t interactions_taken = 0, interactions_deferred = 0, interactions_messaged = 0,
                  interactions_already = 0, interactions_too_late = 0, interactions_failed = 0,
                  interactions_expired = 0, interactions_unknown_type = 0;
};

class delivery final : public dispatch_sink {
public:
    // `listener` may be null; `random` is borrowed. `run_id` makes the keys of its own events
    // unique.
    delivery(const config::handler& handler, const config::queue& queue,
             const config::interactions& interactions, std::string_view run_id,
             random_source& random, delivery_listener* listener);
    ~delivery() override;

    // An event from the filter; its `received` is the time.
    void push(const dispatch& event) override;
    // One of the daemon's own events (SHARDGATE_…) for a shard's lanes; READY and SHARDGATE_GAP are
    // fences.
    void push_own(event_ptr event, time_point now);

    [[nodiscard]] std::optional<delivery_request> next_request(time_point now);
    void on_outcome(std::uint64_t request, const delivery_outcome& outcome, time_point now,
                    wall_ms wall);
    // A hint: on_outcome() for this request comes soon. With thousands in flight what it needs has
    // left the CPU's cache; steps 0, 1 and 2 fetch it, each what the one before led to. Changes
    // nothing.
    void foresee(std::uint64_t request, unsigned step) const noexcept;

    [[nodiscard]] std::optional<interaction_callback> next_callback(time_point now, wall_ms wall);
    void on_callback(snowflake interaction, callback_result how, time_point now, wall_ms wall);

    // When to ask again although nothing happened; `never` if not.
    [[nodiscard]] time_point deadline() const noexcept;

    void pause(bool paused, time_point now);
    // Blue/green: requests in flight finish at the old URLs; everything else goes to the new ones.
    void set_urls(std::vector<std::string> urls, time_point now);

    // Takes up, of a configuration that was read again, what may change while events are queued:
    // connections, the queue's bounds and waits, interactions; not the URLs. A smaller bound gives
    // up what is above it by the policy in force, but with the spool, where it closes in instead.
    void reconfigure(const config::handler& handler, const config::queue& queue,
                     const config::interactions& interactions, time_point now);

    [[nodiscard]] std::vector<dead_letter> dead_letters(std::size_t at_most) const;
    // Those with one of these idempotency keys; without any, all.
    std::size_t retry_dead_letters(const std::vector<std::string>& keys, time_point now);
    std::size_t clear_dead_letters(const std::vector<std::string>& keys);

    // ---- the spool (docs/spool.md); off until restore() ---------------------------------------
    // What the spool holds at start. From here on events that are not settled within a second are
    // to be stored, and memory's bound is kept by the spool. Before the first push().
    void restore(const spool_contents& contents, time_point now, wall_ms wall);
    // After a restart: these seqs of this session lie in the spool. A replay of them is not queued
    // again.
    void restore_known(generation gen, shard_id shard, std::string_view session,
                       std::vector<std::uint64_t> seqs);

    // When next_changes() has something to give; `never` while a batch is under way.
    [[nodiscard]] time_point changes_due() const noexcept;
    // Any of the three below has something to give: cheap, for after every event.
    [[nodiscard]] bool spool_due(time_point now) const noexcept;
    // Everything that should be on disk by now and is not; with `everything` also what is young.
    // The caller stores it, trying again as it is until it is stored, and reports once.
    [[nodiscard]] spool_changes next_changes(bool everything, time_point now, wall_ms wall);
    void on_changes_stored(time_point now);
    // The spool is new and empty: what was there alone is lost and told of, what is in memory is
    // to be stored again. Also ends a batch that was under way.
    void on_spool_reset(time_point now, wall_ms wall);

    // While the disk takes nothing: what would be spilled stays in memory, and the bound is kept by
    // shedding.
    void set_disk_fails(bool fails, time_point now);

    // Rows to read back; each is answered once by on_read(), `ok` = false to have it asked for
    // again later.
    [[nodiscard]] std::optional<spool_read> next_read(time_point now);
    void on_read(const lane_key& lane, bool ok, const std::vector<spool_row>& rows, time_point now);
    // Rows to choose from when the spool is too large or too old; answered once.
    [[nodiscard]] std::optional<spool_candidates> next_candidates(time_point now, wall_ms wall);
    void on_candidates(bool ok, const std::vector<spool_row_info>& rows, time_point now,
                       wall_ms wall);

    // The lowest seq of the shard's newest session that a crash would lose; nothing: none. With
    // `after_batch` what is in the batch under way counts as durable.
    [[nodiscard]] std::optional<seq_no> first_unsafe(generation gen, shard_id shard,
                                                     bool after_batch) const noexcept;
    // Everything of this shard goes into the next batch: before a RESUME.
    void hold(generation gen, shard_id shard);

    // Nothing queued here or in the spool, nothing in flight.
    [[nodiscard]] bool idle() const noexcept;
    [[nodiscard]] delivery_snapshot snapshot() const;
    [[nodiscard]] const histogram& lag() const noexcept;  // receipt to acceptance, seconds
    [[nodiscard]] const histogram& request_seconds() const noexcept;  // one POST
    // What an answer takes lately: a mean in which one answer counts for a sixty-fourth. 0: none
    // yet.
    [[nodiscard]] duration answer_time() const noexcept;

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace shardgate
