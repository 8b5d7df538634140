// SPDX-License-Identifier: Apache-2.0
// The interaction desk under random orders of everything that can happen: what must hold always.
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "delivery/interaction_desk.hpp"

namespace shardgate {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr milliseconds discord_start = 1'700'000'000'000ms;  // Discord's unix time at steady zero

// What the world knows of an interaction.
struct truth {
    std::vector<event_ptr> queued;
    time_point made{};
    bool calling = false;
    bool sent = false;  // a callback may have reached Discord
    bool accepted = false;
    bool answered = false;
    int announced = 0;
};

class world {
public:
    explicit world(unsigned seed)
        : random_(seed), tight_(seed % 2 == 1), limits_(limits()), desk_(settings(seed), limits_) {
        for (int i = 0; i < 2; ++i)
            desk_.observe(id_at(now_), now_, wall());
    }

    void step() {
        switch (random_() % 8) {
        case 0:
        case 1: arrive(); break;
        case 2: accept(); break;
        case 3:
        case 4: report(); break;
        case 5: forget(); break;
        default: now_ += milliseconds(random_() % 1200); break;
        }
        work();
    }

    // Everything ends: no result is missing, fifteen minutes pass.
    void finish() {
        for (auto& [id, t] : all_)
            if (t.calling) result(id, t, callback_result::refused);
        now_ += 16min;
        work();
        EXPECT_EQ(desk_.size(), 0u);
        EXPECT_EQ(desk_.under_way(), 0u);
        EXPECT_EQ(desk_.deadline(), never);
        const interaction_counters& c = desk_.counters();
        EXPECT_GT(c.tracked, 0u);
        EXPECT_EQ(c.tracked, c.taken + c.deferred + c.messaged + c.no_choices + c.already +
                                 c.too_late + c.failed + c.expired + c.unknown_type + c.no_token);
    }

private:
    static config::interactions settings(unsigned seed) {
        config::interactions s;
        if (seed % 3 == 1) s.modal_submit = config::modal_submit_mode::message;
        s.auto_defer = seed % 5 != 4;
        return s;
    }
    [[nodiscard]] interaction_limits limits() const {
        interaction_limits l;
        if (tight_) l = {40, 10, 3, 64};
        return l;
    }

    [[nodiscard]] milliseconds steady() const {
        return std::chrono::floor<milliseconds>(now_.time_since_epoch());
    }
    [[nodiscard]] wall_ms wall() const { return wall_ms(discord_start + steady()); }
    snowflake id_at(time_point made) {
        const auto since_epoch =
            std::chrono::floor<milliseconds>(made.time_since_epoch()) + discord_start;
        const auto stamp = static_cast<std::uint64_t>(since_epoch.count() - 1420070400000);
        return snowflake((stamp << 22) | ++serial_);
    }
    // One of the newest: most happens to those.
    std::map<snowflake, truth>::iterator any() {
        const std::size_t back = 1 + random_() % std::min<std::size_t>(all_.size(), 12);
        return std::prev(all_.end(), static_cast<std::ptrdiff_t>(back));
    }

    void arrive() {
        // With tight limits a duplicate may have been forgotten, and be answered again.
        const bool again = !tight_ && !all_.empty() && random_() % 8 == 0;
        const milliseconds late(random_() % 4 == 0 ? random_() % 4000 : 0);
        dispatch d;
        d.event = event_id::interaction_create;
        d.fields.id = again ? any()->first : id_at(now_ - late);
        d.fields.interaction_type = static_cast<std::uint32_t>(1 + random_() % 6);
        d.fields.interaction_token = random_() % 10 == 0 ? "a/b" : "a-token";
        d.received = now_;
        d.received_wall = wall();
        const event_ptr e = queued_event::from(d);
        truth& t = all_[e->id];
        if (!again) t.made = now_ - late;
        t.queued.push_back(e);
        (void)desk_.track(*e, now_);
    }

    void accept() {
        if (all_.empty()) return;
        auto& [id, t] = *any();
        if (t.queued.empty()) return;
        const bool marked =
            desk_.mark_of(*t.queued.back(), now_) != interaction_answer::none && random_() % 2 == 0;
        t.queued.pop_back();
        if (desk_.on_accepted(id, marked, now_).now) {
            EXPECT_TRUE(t.answered && !marked && !t.accepted);
            ++t.announced;
        }
        t.accepted = true;
        EXPECT_LE(t.announced, 1);
    }

    void forget() {
        if (all_.empty()) return;
        auto& [id, t] = *any();
        if (t.queued.empty()) return;
        t.queued.pop_back();
        desk_.forget(id);
    }

    void report() {
        if (all_.empty()) return;
        const auto start = any();
        auto at = start;
        while (!at->second.calling) {
            if (++at == all_.end()) at = all_.begin();
            if (at == start) return;
        }
        result(at->first, at->second, static_cast<callback_result>(random_() % 6));
    }

    void result(snowflake id, truth& t, callback_result how) {
        t.calling = false;
        t.sent = how != callback_result::not_sent;
        t.answered = how == callback_result::answered || how == callback_result::already_answered;
        const auto v = desk_.on_callback(id, how, now_);
        EXPECT_TRUE(v.known);
        EXPECT_EQ(v.announce, t.answered && t.accepted);
        if (v.announce) {
            ++t.announced;
            EXPECT_EQ(v.event->id, id);
        }
        EXPECT_LE(t.announced, 1);
        if (v.drop_event) {
            EXPECT_TRUE(t.answered && !t.accepted);
            for (; !t.queued.empty(); t.queued.pop_back())
                desk_.forget(id);
        }
    }

    // What the daemon does after each input.
    void work() {
        while (const auto id = desk_.next_expired(now_)) {
            truth& t = all_[*id];
            EXPECT_TRUE(t.answered || t.sent);
            EXPECT_GE(now_, t.made + 15min);
            EXPECT_FALSE(t.queued.empty());
            t.queued.clear();
        }
        while (const auto call = desk_.next(now_)) {
            truth& t = all_[call->id];
            EXPECT_FALSE(t.calling) << "two at once";
            EXPECT_FALSE(t.sent) << "a second one";
            EXPECT_FALSE(t.accepted) << "the handler has it";
            EXPECT_GE(now_, t.made + 2s) << "the handler had time";
            EXPECT_EQ(now_ + call->timeout, t.made + 3s);
            EXPECT_GT(call->timeout, duration::zero());
            EXPECT_EQ(call->token, "a-token");
            t.calling = true;
        }
        EXPECT_GT(desk_.deadline(), now_) << "the daemon would spin";
        EXPECT_LE(desk_.under_way(), limits_.under_way);
        EXPECT_LE(desk_.size(), limits_.tracked);
    }

    std::mt19937 random_;
    bool tight_;
    interaction_limits limits_;
    interaction_desk desk_;
    std::map<snowflake, truth> all_;
    time_point now_{100s};
    std::uint64_t serial_ = 0;
};

TEST(InteractionDeskProperty, AtMostOneAnswerInTimeAndEveryOutcomeCountedOnce) {
    for (unsigned seed = 1; seed <= 60; ++seed) {
        SCOPED_TRACE(seed);
        world w(seed);
        for (int i = 0; i < 600; ++i)
            w.step();
        w.finish();
        if (testing::Test::HasFailure()) return;
    }
}

}  // namespace
}  // namespace shardgate
