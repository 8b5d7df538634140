// SPDX-License-Identifier: Apache-2.0
// The handler that is not there, slow, or refuses.
#include "unit/delivery/fixture.hpp"

namespace shardgate {
namespace {

using Away = testing::delivery_fixture;
using namespace std::chrono_literals;

TEST_F(Away, TwoLanesThatFailOpenTheBreaker) {
    push("MESSAGE_CREATE", 1);
    push("MESSAGE_CREATE", 2);
    const auto r = pull();
    refuse_connection(r[0]);
    EXPECT_EQ(core->snapshot().state, handler_state::up);
    refuse_connection(r[1]);

    EXPECT_EQ(core->snapshot().state, handler_state::down);
    push("MESSAGE_CREATE", 3);
    EXPECT_TRUE(pull().empty());
}

TEST_F(Away, LanesBehindAFenceDoNotHideThatTheHandlerIsAway) {
    push("READY", 0, 0);
    push("MESSAGE_CREATE", 1);
    push("MESSAGE_CREATE", 2);
    const auto r = pull();
    ASSERT_EQ(r.size(), 1U);
    answer(r[0], 401);

    EXPECT_EQ(core->snapshot().state, handler_state::down);
}

TEST_F(Away, ARefusedConnectionIsProbedEverySecond) {
    push("MESSAGE_CREATE", 1);
    push("MESSAGE_CREATE", 2);
    for (const auto& r : pull())
        refuse_connection(r);
    for (int i = 0; i < 20; ++i) {
        const time_point before = now;
        pass_to_deadline();
        EXPECT_GE(now - before, 1s);
        EXPECT_LE(now - before, 1250ms);
        const auto probe = pull();
        ASSERT_EQ(probe.size(), 1U);
        refuse_connection(probe[0]);
    }
}

TEST_F(Away, ErrorsAreProbedWithBackoffUpToTheMaximum) {
    push("MESSAGE_CREATE", 1);
    push("MESSAGE_CREATE", 2);
    for (const auto& r : pull())
        answer(r, 503);
    duration longest{};
    for (int i = 0; i < 10; ++i) {
        const time_point before = now;
        pass_to_deadline();
        longest = std::max(longest, now - before);
        const auto probe = pull();
        ASSERT_EQ(probe.size(), 1U);
        answer(probe[0], 503);
    }

    EXPECT_LE(longest, 30s);
    EXPECT_GE(longest, 22s);
}

TEST_F(Away, RetryAfterIsHonouredUpToFiveMinutes) {
    push("MESSAGE_CREATE", 1);
    delivery_outcome o;
    o.status = 429;
    o.retry_after = 1h;
    core->on_outcome(pull()[0].id, o, now, wall());

    EXPECT_EQ(core->deadline(), now + 5min);
}

TEST_F(Away, AfterRecoveryTheWindowDoublesFromOne) {
    for (std::uint64_t g = 1; g <= 200; ++g)
        push("MESSAGE_CREATE", g);
    auto r = pull();
    EXPECT_EQ(r.size(), 56U);  // 64 less what is kept for interactions
    for (const auto& x : r)
        refuse_connection(x);
    pass(2s);

    std::vector<std::size_t> sizes;
    for (int i = 0; i < 6; ++i) {
        const auto wave = pull();
        sizes.push_back(wave.size());
        for (const auto& x : wave)
            answer(x, 204);
    }

    EXPECT_EQ(sizes[0], 1U);  // the probe
    EXPECT_EQ(sizes[1], 1U);
    EXPECT_EQ(sizes[2], 2U);
    EXPECT_EQ(sizes[3], 8U);  // two successes, each doubles
}

TEST_F(Away, RequestsThatHangSinceTheOutageDoNotHoldTheStart) {
    for (std::uint64_t g = 1; g <= 60; ++g)
        push("MESSAGE_CREATE", g);
    const auto hung = pull();
    time_out(hung[0]);
    time_out(hung[1]);
    ASSERT_EQ(core->snapshot().state, handler_state::down);
    pass_to_deadline();
    const auto probe = pull();
    ASSERT_EQ(probe.size(), 1U);
    answer(probe[0], 204);

    EXPECT_EQ(pull().size(), 1U);
    time_out(hung[2]);  // late news of the old outage
    EXPECT_EQ(core->snapshot().state, handler_state::up);
}

TEST_F(Away, APoisonEventEndsInTheDeadLettersWhileTheRestFlows) {
    push("MESSAGE_CREATE", 1);
    auto bad = pull();
    for (int i = 1; i <= 8; ++i) {
        push("MESSAGE_CREATE", 2);
        const auto good = pull();
        ASSERT_EQ(good.size(), 1U) << i;
        answer(good[0], 204);
        answer(bad[0], 500);
        bad = i < 8 ? pull_later() : pull();
        ASSERT_EQ(bad.size(), i < 8 ? 1U : 0U) << i;
    }

    EXPECT_EQ(count(settled_as::dead), 1U);
    EXPECT_TRUE(core->idle());
    EXPECT_EQ(core->snapshot().state, handler_state::up);
}

TEST_F(Away, NoEventDiesOfAnOutage) {
    push("MESSAGE_CREATE", 1);
    push("MESSAGE_CREATE", 2);
    for (int i = 0; i < 100; ++i) {
        for (const auto& r : pull())
            answer(r, 500);
        pass_to_deadline();
    }

    EXPECT_EQ(count(settled_as::dead), 0U);
    EXPECT_EQ(core->snapshot().events, 2U);
}

TEST_F(Away, RefusedEventsAreDeadAtOnceAndTheNextFollows) {
    for (const unsigned status : {400U, 409U, 413U, 415U, 422U}) {
        push("MESSAGE_CREATE", 1);
        const auto r = pull();
        ASSERT_EQ(r.size(), 1U);
        answer(r[0], status);
    }

    EXPECT_EQ(count(settled_as::dead), 5U);
    EXPECT_EQ(core->snapshot().dead_letters, 5U);
    EXPECT_EQ(core->dead_letters(2)[0].status, 400U);
    EXPECT_EQ(core->snapshot().state, handler_state::up);
}

TEST_F(Away, EverythingElseMeansNotNow) {
    for (const unsigned status :
         {0U, 100U, 301U, 401U, 403U, 404U, 408U, 429U, 500U, 502U, 503U, 999U}) {
        make();
        push("MESSAGE_CREATE", 1);
        answer(pull()[0], status);
        EXPECT_EQ(core->snapshot().events, 1U) << status;
    }
}

TEST_F(Away, AHungGuildStopsNobodyElse) {
    push("MESSAGE_CREATE", 1);
    const auto hung = pull();
    for (int i = 0; i < 100; ++i) {
        push("MESSAGE_CREATE", 2);
        const auto r = pull();
        ASSERT_EQ(r.size(), 1U);
        answer(r[0], 204);
    }
    time_out(hung[0]);
    const auto hung_again = pull_later();
    ASSERT_EQ(hung_again.size(), 1U);

    for (int i = 0; i < 100; ++i) {
        push("MESSAGE_CREATE", 2);
        const auto r = pull();
        ASSERT_EQ(r.size(), 1U);
        answer(r[0], 204);
    }
    EXPECT_EQ(core->snapshot().state, handler_state::up);
}

TEST_F(Away, ALaneThatAloneOpenedTheBreakerDoesNotHoldUpAnother) {
    push("MESSAGE_CREATE", 1);
    answer(pull()[0], 500);
    EXPECT_EQ(core->snapshot().state, handler_state::down);
    push("MESSAGE_CREATE", 2);

    const auto other = pull();
    ASSERT_EQ(other.size(), 1U);
    EXPECT_EQ(seq_of(other[0]), 2U);
}

TEST_F(Away, PausedSendsNothingAndKeepsEverything) {
    make();
    core->pause(true, now);
    push("MESSAGE_CREATE", 1);
    EXPECT_TRUE(pull().empty());
    EXPECT_EQ(core->snapshot().state, handler_state::paused);
    core->pause(false, now);

    EXPECT_EQ(pull().size(), 1U);
}

TEST_F(Away, DeadLettersCanBeRetried) {
    push("MESSAGE_CREATE", 1);
    answer(pull()[0], 422);
    EXPECT_EQ(core->retry_dead_letters({}, now), 1U);
    const auto r = pull();
    ASSERT_EQ(r.size(), 1U);
    answer(r[0], 204);

    EXPECT_EQ(core->snapshot().dead_letters, 0U);
    EXPECT_TRUE(core->idle());
}

TEST_F(Away, DeadLettersAreBounded) {
    queue.dead_letters_max = 3;
    for (int i = 0; i < 5; ++i) {
        push("MESSAGE_CREATE", 1);
        answer(pull()[0], 422);
    }

    EXPECT_EQ(core->snapshot().dead_letters, 3U);
    EXPECT_EQ(core->snapshot().dead_letters_dropped, 2U);
    EXPECT_EQ(core->clear_dead_letters({}), 3U);
}

TEST_F(Away, BalanceShardGivesEachShardItsUrl) {
    handler.urls = {"http://a/", "http://b/"};
    for (std::uint32_t shard = 0; shard < 4; ++shard)
        push("MESSAGE_CREATE", 10 + shard, shard);

    for (const auto& r : pull())
        EXPECT_EQ(r.url, r.items[0].event->shard.value % 2);
}

TEST_F(Away, BalanceGuildKeepsAGuildAtOneUrl) {
    handler.urls = {"http://a/", "http://b/"};
    handler.balance = config::balance_mode::guild;
    std::map<std::uint64_t, std::size_t> where;
    std::array<int, 2> load{};
    for (int round = 0; round < 3; ++round) {
        for (std::uint64_t g = 1; g <= 40; ++g)
            push("MESSAGE_CREATE", g << 22, 0);
        for (const auto& r : pull()) {
            const auto guild = r.items[0].event->guild.value;
            EXPECT_EQ(where.try_emplace(guild, r.url).first->second, r.url);
            ++load[r.url];
            answer(r, 204);
        }
    }

    EXPECT_GT(load[0], 0);
    EXPECT_GT(load[1], 0);
}

TEST_F(Away, FailoverGoesToTheNextAndBack) {
    handler.urls = {"http://a/", "http://b/"};
    handler.balance = config::balance_mode::failover;
    push("MESSAGE_CREATE", 1);
    push("MESSAGE_CREATE", 2);
    for (const auto& r : pull()) {
        EXPECT_EQ(r.url, 0U);
        refuse_connection(r);
    }
    auto r = pull();
    ASSERT_EQ(r.size(), 2U);
    for (const auto& x : r) {
        EXPECT_EQ(x.url, 1U);
        answer(x, 204);
    }
    EXPECT_EQ(core->snapshot().state, handler_state::up);
    pass(3s);
    push("MESSAGE_CREATE", 3);
    r = pull();
    ASSERT_EQ(r.size(), 1U);
    EXPECT_EQ(r[0].url, 0U);  // the probe
    answer(r[0], 204);
    push("MESSAGE_CREATE", 3);

    EXPECT_EQ(pull().at(0).url, 0U);
}

TEST_F(Away, FailoverDoesNotWaitForTheProbeOfAUrlItDoesNotNeed) {
    handler.urls = {"http://a/", "http://b/"};
    handler.balance = config::balance_mode::failover;
    handler.connections = 1;
    for (std::uint64_t g = 1; g <= 4; ++g)
        push("MESSAGE_CREATE", g);
    for (int i = 0; i < 2; ++i)  // first down, then second
        for (int failures = 0; failures < 2; ++failures)
            refuse_connection(pull_later().at(0));
    auto r = pull_later();
    while (r.at(0).url != 0) {
        refuse_connection(r[0]);
        r = pull_later();
    }
    answer(r[0], 204);  // the first is back, the second is not
    ASSERT_EQ(pull().size(), 1U);
    pass(1min);

    EXPECT_TRUE(pull().empty());
    EXPECT_EQ(core->snapshot().urls[1].state, handler_state::down);
    EXPECT_EQ(core->deadline(), never);
}

TEST_F(Away, NewUrlsTakeWhatWaits) {
    handler.urls = {"http://a/"};
    push("MESSAGE_CREATE", 1);
    push("MESSAGE_CREATE", 2);
    const auto old = pull();
    push("MESSAGE_CREATE", 1);
    core->set_urls({"http://b/", "http://c/"}, now);
    answer(old[0], 204);
    refuse_connection(old[1]);

    const auto r = pull();
    EXPECT_EQ(seqs(r), (std::vector<std::uint64_t>{3, 2}));
    EXPECT_EQ(core->snapshot().urls.size(), 2U);
    EXPECT_EQ(core->snapshot().state, handler_state::up);
}

TEST_F(Away, UserInfoAndQueriesAreNotShown) {
    handler.urls = {"http://user:password@host:1/path?token=x"};
    make();

    EXPECT_EQ(core->snapshot().urls[0].url, "http://host:1/path");
}

TEST_F(Away, SeveralHungGuildsAreNoOutageWhileOthersAreAnswered) {
    for (std::uint64_t guild = 1; guild <= 3; ++guild)
        push("MESSAGE_CREATE", guild);
    const auto hung = pull();
    ASSERT_EQ(hung.size(), 3U);
    push("MESSAGE_CREATE", 9);
    answer(pull().at(0), 204);
    for (const auto& r : hung)
        time_out(r);
    EXPECT_EQ(core->snapshot().state, handler_state::up);
    push("MESSAGE_CREATE", 9);
    EXPECT_GE(pull().size(), 1U);
}

}  // namespace
}  // namespace shardgate
