// SPDX-License-Identifier: Apache-2.0
// A pairing in virtual time whose two sets a test plays. Events have names; a name that begins with
// '#' is unique by nature, others are contents that may happen again.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

#include "shardgate/reshard/pairing.hpp"

namespace shardgate {

inline std::ostream& operator<<(std::ostream& out, pair_verdict v) {
    return out << (v == pair_verdict::forward ? "forward"
                   : v == pair_verdict::hold  ? "hold"
                                              : "drop");
}

}  // namespace shardgate

namespace shardgate::testing {

using namespace std::chrono_literals;

inline constexpr shard_set old_set = shard_set::old_set;
inline constexpr shard_set new_set = shard_set::new_set;
inline constexpr pair_verdict forward = pair_verdict::forward;
inline constexpr pair_verdict hold = pair_verdict::hold;
inline constexpr pair_verdict drop = pair_verdict::drop;

// A guild of that shard, of any total above it.
inline lane_key guild(std::uint64_t n) {
    return {lane_key::kind::guild, n << 22U};
}

class pairing_fixture : public ::testing::Test {
protected:
    // Every session of both sets is live.
    void start() {
        pair = std::make_unique<pairing>(settings, now);
        for (std::uint32_t i = 0; i < settings.old_total.value; ++i)
            live(old_set, true, i);
        for (std::uint32_t i = 0; i < settings.new_total.value; ++i)
            live(new_set, true, i);
    }
    // ... and they have known each other for long.
    void start_acquainted() {
        start();
        pass(2 * settings.overlap);
    }

    pair_verdict shows(shard_set set, std::string_view name, lane_key lane = guild(0)) {
        const std::uint32_t shard =
            shard_of(lane, set == old_set ? settings.old_total : settings.new_total).value;
        const std::uint64_t seq = ++seqs[{set, shard}];
        paired_event e{set, shard_id{shard}, seq_no{seq}, lane, {}};
        e.id.high = std::hash<std::string_view>{}(name);
        e.id.low = lane.id;
        e.id.unique = name.front() == '#';
        int kept = 0;
        const auto keep = [&] {
            ++kept;
            static const session_handle session = std::make_shared<const std::string>("s");
            constexpr std::string_view frame = R"({"op":0,"d":{}})";
            dispatch d;
            d.session = &session;
            d.shard = e.shard;
            d.seq = e.seq;
            d.name = name;
            d.frame = frame;
            d.d = frame.substr(12, 2);
            return queued_event::from(d);
        };
        const pair_verdict verdict = pair->on_event(e, keep, now);
        EXPECT_EQ(kept, verdict == hold ? 1 : 0) << "keep is asked for what is held, once";
        if (verdict == forward) goes_on(name);
        collect();
        return verdict;
    }
    void live(shard_set set, bool is, std::uint32_t shard = 0) {
        pair->on_live(set, shard_id{shard}, is, now);
        collect();
    }
    void new_session(shard_set set, std::uint32_t shard = 0) {
        pair->on_new_session(set, shard_id{shard}, now);
        seqs[{set, shard}] = 0;
        collect();
    }
    void prefer(shard_set set) {
        pair->prefer(set, now);
        collect();
    }
    void forget(shard_set set) {
        pair->forget(set, now);
        collect();
    }
    void pass(duration d) {
        const time_point until = now + d;
        while (pair->deadline() <= until) {
            now = std::max(now, pair->deadline());
            pair->on_timer(now);
            collect();
            ASSERT_GT(pair->deadline(), now) << "a timer that is due again at once";
        }
        now = until;
    }
    // The lowest seq of that session that is not safe, when of the other set's `unsafe` is the
    // lowest; 0: none.
    std::uint64_t mark(shard_set set, std::uint64_t unsafe, std::uint32_t shard = 0,
                       std::uint32_t twin_shard = 0) {
        const auto answer = [&](shard_set of, shard_id id) -> std::optional<seq_no> {
            EXPECT_EQ(of, other(set));
            if (unsafe == 0 || id.value != twin_shard) return std::nullopt;
            return seq_no{unsafe};
        };
        const auto first = pair->first_unsafe(set, shard_id{shard}, answer);
        return first ? first->value : 0;
    }
    // What has gone on since it was asked for last, in order.
    std::string went() { return std::exchange(went_, {}); }

    pairing_settings settings;
    time_point now{100h};
    std::unique_ptr<pairing> pair;
    std::map<std::pair<shard_set, std::uint32_t>, std::uint64_t> seqs;

private:
    void goes_on(std::string_view name) {
        if (!went_.empty()) went_ += ' ';
        went_ += name;
    }
    // Behind the event of the call they follow from.
    void collect() {
        for (const pairing::released_event& r : pair->take_released())
            goes_on(r.event->name());
        EXPECT_TRUE(pair->take_released().empty());
    }

    std::string went_;
};

}  // namespace shardgate::testing
