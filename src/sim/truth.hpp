// SPDX-License-Identifier: Apache-2.0
// What the simulator sent and what its event handler accepted, held against each other: loss,
// doubles, order within a lane, latency. Every dispatch of the world has a number n (1, 2, 3, …),
// which the generator puts into the event's d as its last member, "_n". 16 bytes an event.
// Pure; one loop.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "shardgate/base/ids.hpp"
#include "shardgate/base/time.hpp"
#include "sim/copies.hpp"
#include "sim/latency.hpp"

namespace shardgate::sim {

// What the daemon should do with an event that it got.
enum class expectation : std::uint8_t {
    arrives,     // must be forwarded, once
    may_arrive,  // either way is right: a GUILD_CREATE of the loading guilds, an edit after the
                 // cache
    filtered,    // must not be forwarded: an unfurl update of a message just sent, a dropped name
};

// Something the world gave to at least one live session.
struct sent_event {
    std::uint64_t n = 0;
    std::string_view name;   // as sent
    std::uint64_t lane = 0;  // guild id, else DM channel id, else 0 (the shard's own lane)
    expectation expected = expectation::arrives;
    bool unfurl = false;      // a MESSAGE_UPDATE that only adds embeds
    std::uint64_t about = 0;  // unfurl: its MESSAGE_CREATE
    snowflake interaction{};  // INTERACTION_CREATE's d.id
    // A guild's coming or going: the X-Shardgate-Guild it is to have. Static text.
    std::string_view guild_mark;

    sent_event(std::uint64_t number, std::string_view t, std::uint64_t lane_key)
        : n(number), name(t), lane(lane_key) {}
};

// Something the handler accepted (answered with 2xx).
struct received_event {
    std::uint64_t n = 0;    // 0 = the event carries none (READY, RESUMED, SHARDGATE_…)
    std::string_view name;  // as forwarded
    std::string_view key;   // Idempotency-Key
    std::uint32_t attempt = 1;
    std::string_view guild_mark;        // X-Shardgate-Guild, or empty
    std::string_view interaction_mark;  // X-Shardgate-Interaction, or empty
};

// When and how an interaction reached the handler.
struct interaction_receipt {
    time_point when{};
    std::uint32_t attempt = 1;
    std::string mark;  // X-Shardgate-Interaction
};

class truth {
public:
    truth();
    ~truth();
    truth(const truth&) = delete;
    truth& operator=(const truth&) = delete;

    // Pre: each n once; n grows by at most 2^20 from one call to the next.
    void sent(const sent_event& event, time_point now);
    // The world gives another copy of n on purpose (duplicates switch): one more receipt is right.
    void sent_again(std::uint64_t n);
    // The very same d happens again as an event of its own: one more receipt must come.
    void happened_again(std::uint64_t n);
    // n cannot arrive: dropped on purpose, or its session ended before it was replayed.
    // `repetition` says which of equal events; 0 = the first. While others of them can still come,
    // it is one repetition that is wanted less.
    void lost(std::uint64_t n, std::string_view why, std::uint32_t repetition = 0);
    void received(const received_event& event, time_point now);

    // 0 when n is unknown or has no lane.
    [[nodiscard]] std::uint64_t lane_of(std::uint64_t n) const noexcept;
    [[nodiscard]] bool was_received(std::uint64_t n) const noexcept;
    [[nodiscard]] bool was_lost(std::uint64_t n) const noexcept;
    // Only interactions whose sent_event named their id. Null when the handler has not accepted it.
    [[nodiscard]] const interaction_receipt* interaction(snowflake id) const noexcept;

    struct counts {
        std::uint64_t sent = 0;      // numbers given out
        std::uint64_t expected = 0;  // must arrive and are not lost
        std::uint64_t lost = 0;
        std::uint64_t received = 0;  // numbered receipts, doubles included
        std::uint64_t received_unique = 0;
        std::uint64_t received_expected = 0;  // unique, of those that must arrive and are not lost
        std::uint64_t duplicates_same_key = 0, duplicates_other_key = 0;
        std::uint64_t out_of_order = 0;  // first receipts below an earlier n of their lane
        std::uint64_t filtered_sent = 0, filtered_received = 0;  // the latter must stay 0
        std::uint64_t may_arrive_sent = 0, may_arrive_received = 0;
        std::uint64_t unfurls_sent = 0, unfurls_received = 0;
        std::uint64_t lost_received = 0;  // called lost, arrived all the same: no fault
        std::uint64_t unknown = 0;        // a number never given out
        std::uint64_t unnumbered = 0;
        // Equal events that happened again; none of them is in the numbers above but in the
        // duplicates, lost and lost_received.
        std::uint64_t repeats_sent = 0, repeats_received = 0, repeats_lost = 0;
        std::uint64_t repeats_missing = 0, repeats_same_key = 0;
        std::uint64_t guild_marks_wrong = 0;  // no fault by itself: see sent_event::guild_mark

        [[nodiscard]] std::uint64_t missing() const noexcept {
            return expected - received_expected;
        }
        [[nodiscard]] std::uint64_t duplicates() const noexcept {
            return duplicates_same_key + duplicates_other_key;
        }
    };
    [[nodiscard]] const counts& totals() const noexcept { return counts_; }
    // Sent = received, nothing twice, nothing unwanted, order kept.
    [[nodiscard]] bool flawless() const noexcept;
    [[nodiscard]] const latency& lag() const noexcept { return lag_; }
    // Percentiles since the last call, and from now on anew.
    boost::json::object take_latency();

    // Everything, with the first 20 of each kind of fault by number, name and lane.
    [[nodiscard]] boost::json::object report() const;
    // The few numbers of it that say what at-least-once delivery in order has come to.
    void account(boost::json::object& out) const;
    // Starts the comparison anew with the next event sent; receipts of older ones are ignored.
    void clear();

private:
    struct row;
    struct name_counts {
        std::uint64_t sent = 0, received = 0;
    };
    struct fault {
        std::uint64_t n = 0;
        std::string detail;
    };
    static constexpr std::size_t page_rows = 1U << 16;
    static constexpr std::size_t faults_kept = 20;

    [[nodiscard]] row* find(std::uint64_t n) const noexcept;
    [[nodiscard]] row& make_row(std::uint64_t n);
    [[nodiscard]] std::uint16_t name_index(std::string_view name);
    [[nodiscard]] std::uint32_t lane_index(std::uint64_t lane);
    [[nodiscard]] bool create_never_came(std::uint64_t unfurl) const noexcept;
    void count_duplicate(const row& r, const received_event& event, std::uint32_t key_hash);
    void count_copy(const received_event& event, std::uint32_t key_hash);
    void count_first(row& r, const received_event& event, time_point now);
    void check_order(const row& r, std::uint64_t n);
    void check_mark(const row& r, const received_event& event);
    [[nodiscard]] copies& copies_of(row& r, std::uint64_t n);
    void add(const copies_tally& before, const copies_tally& after) noexcept;
    [[nodiscard]] std::uint16_t lost_reason(std::string_view why);
    void advance_settled();
    static void note(std::vector<fault>& where, std::uint64_t n, std::string detail);
    [[nodiscard]] boost::json::array faults_json(const std::vector<fault>& faults) const;
    [[nodiscard]] boost::json::object fault_json(std::uint64_t n, std::string_view detail) const;
    [[nodiscard]] boost::json::array missing_first() const;
    [[nodiscard]] boost::json::array repeats_missing_first() const;
    [[nodiscard]] boost::json::object lost_by() const;
    [[nodiscard]] boost::json::object guild_marks() const;

    std::vector<std::unique_ptr<row[]>> pages_;  // row n lives at n - first_
    std::uint64_t first_ = 1, last_ = 0;
    std::uint64_t settled_ = 1;  // every n below it needs no more
    std::optional<time_point> start_;

    struct lane_state {
        std::uint64_t key = 0, highest = 0;
    };
    std::vector<lane_state> lanes_{{}};
    std::unordered_map<std::uint64_t, std::uint32_t> lane_index_{{0, 0}};
    std::vector<std::string> names_;
    std::map<std::string, std::uint16_t, std::less<>> name_index_;
    std::vector<name_counts> by_name_;
    std::map<std::string, std::uint64_t, std::less<>> forwarded_;
    // Of the lost ones those that have not been received, by why; a handful of reasons.
    std::vector<std::pair<std::string, std::uint64_t>> lost_by_;

    std::unordered_map<std::uint64_t, copies> copies_;  // of what may or must come again
    std::unordered_map<std::uint64_t, snowflake> interaction_of_;
    std::unordered_map<std::uint64_t, std::uint64_t> create_of_;  // by the unfurl's number
    std::unordered_map<snowflake, interaction_receipt> interactions_;
    std::unordered_map<std::uint64_t, std::string_view> mark_of_;  // but for loading guilds
    std::map<std::string, std::uint64_t, std::less<>> marks_;      // as they came

    counts counts_;
    latency lag_, lag_lately_;
    std::vector<fault> duplicate_faults_, double_faults_, order_faults_, filtered_faults_;
    std::vector<fault> same_key_faults_, mark_faults_;
};

}  // namespace shardgate::sim
