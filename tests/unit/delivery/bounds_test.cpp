// SPDX-License-Identifier: Apache-2.0
// More than the queue may hold: what goes first, and what the handler is told of it.
#include "shardgate/delivery/own_events.hpp"
#include "unit/delivery/fixture.hpp"

namespace shardgate {
namespace {

using namespace std::chrono_literals;

class Bounds : public testing::delivery_fixture {
protected:
    // A handler that is away: guilds 101 and 102 have a request under way or waiting, no more.
    void away() {
        push("MESSAGE_CREATE", 101);
        push("MESSAGE_CREATE", 102);
        for (const auto& r : pull())
            refuse_connection(r);
        ASSERT_EQ(core->snapshot().state, handler_state::down);
    }
    // Answers everything with 204 until nothing is queued; what the handler got, in order.
    std::vector<event_ptr> drain() {
        std::vector<event_ptr> taken;
        for (int i = 0; i < 10000 && !core->idle(); ++i) {
            for (const auto& r : pull_later()) {
                for (const auto& item : r.items)
                    taken.push_back(item.event);
                answer(r, 204);
            }
        }
        EXPECT_TRUE(core->idle());
        return taken;
    }
    static std::vector<std::string> gaps(const std::vector<event_ptr>& taken) {
        std::vector<std::string> out;
        for (const auto& e : taken)
            if (e->name() == "SHARDGATE_GAP") out.emplace_back(e->frame());
        return out;
    }
    [[nodiscard]] std::vector<std::string> shed_names() const {
        std::vector<std::string> out;
        for (const auto& f : fates)
            if (f.how == settled_as::shed) out.push_back(f.name);
        return out;
    }
    [[nodiscard]] std::string unix_ms(time_point t) const {
        return std::to_string(
            (wall() - std::chrono::duration_cast<std::chrono::milliseconds>(now - t))
                .time_since_epoch()
                .count());
    }
};

using names_t = std::vector<std::string>;

TEST_F(Bounds, TheCheapestClassGoesFirst) {
    queue.max_events = 8;
    away();
    for (const char* name : {"GUILD_CREATE", "MESSAGE_UPDATE", "PRESENCE_UPDATE", "MESSAGE_DELETE",
                             "TYPING_START", "INTERACTION_CREATE"})
        push(name, 1);
    ASSERT_EQ(shed_names(), names_t{});
    for (int i = 0; i < 6; ++i)
        push("GUILD_MEMBER_ADD", 1);

    EXPECT_EQ(shed_names(), (names_t{"PRESENCE_UPDATE", "TYPING_START", "MESSAGE_UPDATE",
                                     "MESSAGE_CREATE", "MESSAGE_CREATE", "MESSAGE_DELETE"}));
    EXPECT_EQ(core->snapshot().events, 8U);
    push("GUILD_MEMBER_ADD", 1);
    EXPECT_EQ(shed_names().back(), "GUILD_CREATE");  // nothing cheaper is left
}

TEST_F(Bounds, DropOldestKeepsTheNewest) {
    queue.max_events = 5;
    away();
    for (int i = 0; i < 20; ++i)
        push("MESSAGE_CREATE", 1);

    std::vector<std::uint64_t> left;
    for (const auto& e : drain())
        if (!e->is_own()) left.push_back(e->seq.value);
    EXPECT_EQ(left, (std::vector<std::uint64_t>{18, 19, 20, 21, 22}));
}

TEST_F(Bounds, DropNewestKeepsTheOldest) {
    queue.max_events = 5;
    queue.overflow = config::overflow_policy::drop_newest;
    away();
    for (int i = 0; i < 20; ++i)
        push("MESSAGE_CREATE", 1);

    std::vector<std::uint64_t> left;
    for (const auto& e : drain())
        if (!e->is_own()) left.push_back(e->seq.value);
    std::sort(left.begin(), left.end());
    EXPECT_EQ(left, (std::vector<std::uint64_t>{1, 2, 3, 4, 5}));
}

TEST_F(Bounds, BytesCountAsWellAsEvents) {
    away();
    const std::uint64_t one = core->snapshot().bytes / 2;
    queue.max_bytes = one * 6;
    make();
    fates.clear();
    away();
    for (int i = 0; i < 30; ++i)
        push("MESSAGE_CREATE", 1);

    EXPECT_LE(core->snapshot().bytes, queue.max_bytes);
    EXPECT_GE(core->snapshot().events, 4U);
    EXPECT_EQ(count(settled_as::shed) + core->snapshot().events, 32U);
}

TEST_F(Bounds, WhatIsInFlightIsNotShed) {
    queue.max_events = 4;
    for (std::uint64_t g = 1; g <= 4; ++g)
        push("TYPING_START", g);
    const auto r = pull();
    ASSERT_EQ(r.size(), 4U);
    push("GUILD_CREATE", 5);

    EXPECT_EQ(shed_names(), (names_t{"GUILD_CREATE"}));  // all that may go
    for (const auto& x : r)
        answer(x, 204);
    EXPECT_EQ(count(settled_as::accepted), 4U);
}

TEST_F(Bounds, WhatFailedMayBeShedAgain) {
    queue.max_events = 4;
    for (std::uint64_t g = 1; g <= 4; ++g)
        push("TYPING_START", g);
    const auto r = pull();
    push("MESSAGE_CREATE", 5);
    fates.clear();
    for (const auto& x : r)
        refuse_connection(x);
    push("MESSAGE_CREATE", 5);

    EXPECT_EQ(shed_names(), (names_t{"TYPING_START"}));
}

TEST_F(Bounds, TheDaemonsOwnEventsAreNeverShed) {
    queue.max_events = 3;
    away();
    own_event_factory own("x");
    for (std::uint32_t shard = 0; shard < 10; ++shard)
        core->push_own(
            own.guilds_loaded(shard_id{shard}, shard_count{16}, generation{1}, 1, 0, now, wall()),
            now);

    EXPECT_EQ(count(settled_as::shed), 2U);  // the two messages had to go
    EXPECT_EQ(core->snapshot().events, 10U);
    EXPECT_EQ(drain().size(), 11U);  // and the gap that tells of them
}

TEST_F(Bounds, AGapTellsExactlyWhatWasShedOfItsShardAndWhen) {
    queue.max_events = 4;
    away();  // shard 0
    pass(1s);
    const time_point from = now;
    push("TYPING_START", 1, 3);
    pass(500ms);
    push("TYPING_START", 1, 3);
    pass(500ms);
    push("SOMETHING_NEW", 1, 3);
    const time_point to = now;
    pass(1s);
    for (int i = 0; i < 4; ++i)
        push("GUILD_CREATE", 2, 4);
    ASSERT_EQ(shed_names().size(), 5U);  // three of shard 3, two of shard 0

    const auto told = gaps(drain());
    ASSERT_EQ(told.size(), 2U);
    EXPECT_EQ(told[1], R"({"op":0,"t":"SHARDGATE_GAP","s":null,"d":{"shard":3,"shards":16,)"
                       R"("reason":"shed","from":)" +
                           unix_ms(from) + R"(,"to":)" + unix_ms(to) +
                           R"(,"counts":{"UNKNOWN":1,"TYPING_START":2}}})");
    EXPECT_NE(told[0].find(R"("shard":0)"), std::string::npos);
    EXPECT_NE(told[0].find(R"("counts":{"MESSAGE_CREATE":2})"), std::string::npos);
}

TEST_F(Bounds, AnOutageIsOneGap) {
    queue.max_events = 4;
    away();
    for (int i = 0; i < 500; ++i) {
        push("MESSAGE_CREATE", 1);
        if (i % 10 == 0) {
            pass(100ms);
            for (const auto& r : pull())
                refuse_connection(r);
        }
    }

    const auto told = gaps(drain());
    ASSERT_EQ(told.size(), 1U);
    EXPECT_NE(told[0].find(R"("counts":{"MESSAGE_CREATE":498})"), std::string::npos) << told[0];
}

TEST_F(Bounds, AGapWaitsForATenthOfRoom) {
    queue.max_events = 100;
    for (int i = 0; i < 120; ++i)
        push("MESSAGE_CREATE", 1);
    const auto accept = [this](int n) {
        for (; n > 0; --n)
            answer(pull().at(0), 204);
    };
    accept(9);
    const std::uint64_t before = push("MESSAGE_CREATE", 1);
    accept(2);
    const std::uint64_t after = push("MESSAGE_CREATE", 1);

    std::vector<std::uint64_t> end;  // of what comes; the gap is 0
    for (const auto& e : drain())
        if (e->seq.value >= before || e->is_own()) end.push_back(e->seq.value);
    EXPECT_EQ(end, (std::vector<std::uint64_t>{before, 0, after}));
}

TEST_F(Bounds, AHandlerThatStaysTooSlowIsToldOnceAMinute) {
    queue.max_events = 100;
    handler.connections = 1;
    int told = 0;
    for (int second = 0; second < 300; ++second) {
        for (int i = 0; i < 30; ++i)
            push("MESSAGE_CREATE", 1);
        for (int i = 0; i < 5; ++i) {
            const auto r = pull();
            ASSERT_EQ(r.size(), 1U);
            told += r[0].items[0].event->is_own() ? 1 : 0;
            answer(r[0], 204);
        }
        pass(1s);
    }

    EXPECT_GE(told, 3);
    EXPECT_LE(told, 5);
}

TEST_F(Bounds, AGapPushesNothingOut) {
    queue.max_events = 4;
    push("TYPING_START", 1, 3);
    push("TYPING_START", 1, 4);
    for (int i = 0; i < 4; ++i)
        push("GUILD_CREATE", 2, 5);
    ASSERT_EQ(count(settled_as::shed), 2U);

    EXPECT_EQ(gaps(drain()).size(), 2U);
    EXPECT_EQ(count(settled_as::shed), 2U);
}

TEST_F(Bounds, WhatARefusedEventMadeRoomForIsToldToo) {
    queue.max_events = 2;
    push("MESSAGE_CREATE", 1);
    push("MESSAGE_CREATE", 2);
    const auto first = pull();
    push("MESSAGE_CREATE", 1);  // no room beside those under way
    ASSERT_EQ(count(settled_as::shed), 1U);
    answer(first[0], 422);
    answer(first[1], 422);

    const auto told = pull();
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told[0].items[0].event->name(), "SHARDGATE_GAP");
}

TEST_F(Bounds, AnAnnouncementMakesRoomToo) {
    queue.max_events = 2;
    push("INTERACTION_CREATE", 1, 0, snowflake_made(0ms));
    const auto taken = pull();
    pass(2s);
    const auto calls = callbacks();
    ASSERT_EQ(calls.size(), 1U);
    answer(taken[0], 204);
    push("MESSAGE_CREATE", 2);
    push("MESSAGE_CREATE", 2);
    core->on_callback(calls[0].id, callback_result::answered, now, wall());

    EXPECT_EQ(core->snapshot().events, 2U);
    EXPECT_EQ(shed_names(), (names_t{"MESSAGE_CREATE"}));
}

}  // namespace
}  // namespace shardgate
