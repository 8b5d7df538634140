// SPDX-License-Identifier: Apache-2.0
// Lanes, fences, batches: what is sent when.
#include <algorithm>

#include "unit/delivery/fixture.hpp"

namespace shardgate {
namespace {

using Order = testing::delivery_fixture;
using namespace std::chrono_literals;
using seqs_t = std::vector<std::uint64_t>;

TEST_F(Order, OneRequestOfAGuildIsUnderWayAtATime) {
    push("MESSAGE_CREATE", 1);
    push("MESSAGE_CREATE", 1);

    const auto first = pull();
    ASSERT_EQ(seqs(first), (seqs_t{1}));
    answer(first[0], 204);

    EXPECT_EQ(seqs(pull()), (seqs_t{2}));
}

TEST_F(Order, GuildsDoNotWaitForEachOther) {
    push("MESSAGE_CREATE", 1);
    push("MESSAGE_CREATE", 2);
    push("MESSAGE_CREATE", 3);

    EXPECT_EQ(seqs(pull()), (seqs_t{1, 2, 3}));
}

TEST_F(Order, WithoutAGuildTheShardIsTheLane) {
    push("USER_UPDATE", 0, 4);
    push("USER_UPDATE", 0, 4);
    push("USER_UPDATE", 0, 5);

    EXPECT_EQ(seqs(pull()), (seqs_t{1, 3}));
}

TEST_F(Order, OrderingShardKeepsAShardInOneLane) {
    handler.ordering = config::ordering_mode::shard;
    push("MESSAGE_CREATE", 1, 0);
    push("MESSAGE_CREATE", 2, 0);
    push("MESSAGE_CREATE", 3, 1);

    EXPECT_EQ(seqs(pull()), (seqs_t{1, 3}));
}

TEST_F(Order, OrderingNoneSendsEverything) {
    handler.ordering = config::ordering_mode::none;
    for (int i = 0; i < 5; ++i)
        push("MESSAGE_CREATE", 1);

    EXPECT_EQ(pull().size(), 5U);
}

TEST_F(Order, AFailedEventStaysBeforeTheNext) {
    push("MESSAGE_CREATE", 1);
    push("MESSAGE_CREATE", 1);
    push("MESSAGE_CREATE", 2);
    const auto r = pull();
    ASSERT_EQ(seqs(r), (seqs_t{1, 3}));
    answer(r[1], 204);
    answer(r[0], 500);

    EXPECT_TRUE(pull().empty());
    pass(2s);

    const auto again = pull();
    ASSERT_EQ(seqs(again), (seqs_t{1}));
    EXPECT_EQ(again[0].items[0].attempt, 2U);
}

TEST_F(Order, ReadyIsAFenceForItsShard) {
    push("MESSAGE_CREATE", 1, 0);
    push("READY", 0, 0);
    push("MESSAGE_CREATE", 2, 0);
    push("MESSAGE_CREATE", 3, 1);  // another shard

    const auto r = pull();
    ASSERT_EQ(seqs(r), (seqs_t{1, 4}));
    answer(r[0], 204);
    const auto ready = pull();
    ASSERT_EQ(seqs(ready), (seqs_t{2}));
    answer(ready[0], 204);

    EXPECT_EQ(seqs(pull()), (seqs_t{3}));
}

TEST_F(Order, ARefusedFenceDoesNotHoldItsShardForEver) {
    push("READY", 0, 0);
    push("MESSAGE_CREATE", 2, 0);
    const auto r = pull();
    ASSERT_EQ(seqs(r), (seqs_t{1}));

    answer(r[0], 422);

    EXPECT_EQ(seqs(pull()), (seqs_t{2}));
}

TEST_F(Order, ABackloggedLaneSendsBatches) {
    handler.batch_events = 3;
    push("MESSAGE_CREATE", 1);
    const auto one = pull();
    for (int i = 0; i < 4; ++i)
        push("MESSAGE_CREATE", 1);
    answer(one[0], 204);

    const auto batch = pull();
    ASSERT_EQ(batch.size(), 1U);
    EXPECT_EQ(seqs(batch), (seqs_t{2, 3, 4}));
}

TEST_F(Order, ARefusedBatchIsSentOneByOne) {
    handler.batch_events = 3;
    handler.batch_linger = 10ms;
    for (int i = 0; i < 3; ++i)
        push("MESSAGE_CREATE", 1);
    const auto batch = pull();
    ASSERT_EQ(seqs(batch), (seqs_t{1, 2, 3}));
    answer(batch[0], 422);

    seqs_t sent;
    for (int i = 0; i < 3; ++i) {
        const auto one = pull();
        ASSERT_EQ(one.size(), 1U);
        ASSERT_EQ(one[0].items.size(), 1U);
        sent.push_back(seq_of(one[0]));
        answer(one[0], i == 1 ? 422 : 204);
    }

    EXPECT_EQ(sent, (seqs_t{1, 2, 3}));
    EXPECT_EQ(count(settled_as::accepted), 2U);
    EXPECT_EQ(count(settled_as::dead), 1U);
}

TEST_F(Order, AFailedBatchIsRetriedAsItWas) {
    handler.batch_events = 3;
    push("MESSAGE_CREATE", 1);
    push("MESSAGE_CREATE", 1);
    handler.batch_linger = 0ms;
    const auto batch = pull();
    ASSERT_EQ(seqs(batch), (seqs_t{1, 2}));
    push("MESSAGE_CREATE", 1);
    answer(batch[0], 503);
    pass(5s);

    EXPECT_EQ(seqs(pull()), (seqs_t{1, 2}));
}

// Order is a matter of each guild: a batch holds a run of each of several.
TEST_F(Order, ABatchIsFilledFromSeveralGuilds) {
    handler.batch_events = 5;
    for (const std::uint64_t guild : {1, 2, 1, 3, 2, 4})
        push("MESSAGE_CREATE", guild);

    const auto r = pull();
    ASSERT_EQ(r.size(), 2U);
    EXPECT_EQ(seqs(r), (seqs_t{1, 3, 2, 5, 4, 6}));
    push("MESSAGE_CREATE", 2);
    EXPECT_TRUE(pull().empty());  // it is under way
    answer(r[0], 204);
    EXPECT_EQ(seqs(pull()), (seqs_t{7}));
}

TEST_F(Order, ABatchOfRawEventsIsOfOneShard) {
    handler.batch_events = 5;
    handler.envelope = config::envelope_mode::raw;
    push("MESSAGE_CREATE", 1, 0);
    push("MESSAGE_CREATE", 2, 0);
    push("MESSAGE_CREATE", 3, 1);
    push("MESSAGE_CREATE", 4, 1);

    const auto r = pull();
    ASSERT_EQ(r.size(), 2U);
    EXPECT_EQ(seqs({r[0]}), (seqs_t{1, 2}));
    EXPECT_EQ(seqs({r[1]}), (seqs_t{3, 4}));
}

TEST_F(Order, AnInteractionTravelsWithInteractionsOnly) {
    handler.batch_events = 5;
    push("MESSAGE_CREATE", 1);
    push("INTERACTION_CREATE", 2, 0, snowflake_made(0ms));
    push("INTERACTION_CREATE", 3, 0, snowflake_made(0ms) + 1);

    const auto r = pull();
    ASSERT_EQ(r.size(), 2U);
    EXPECT_EQ(seqs(r), (seqs_t{2, 3, 1}));
}

TEST_F(Order, OfAFailedBatchEachGuildTriesItsPartAgainForItself) {
    handler.batch_events = 5;
    for (const std::uint64_t guild : {1, 1, 2, 2, 3})
        push("MESSAGE_CREATE", guild);
    const auto batch = pull();
    ASSERT_EQ(batch.size(), 1U);
    push("MESSAGE_CREATE", 1);
    push("MESSAGE_CREATE", 4);
    const auto other = pull();
    EXPECT_EQ(seqs(other), (seqs_t{7}));
    answer(batch[0], 503);
    pass(5s);

    std::vector<seqs_t> again;
    for (const auto& r : pull())
        again.push_back(seqs({r}));
    std::sort(again.begin(), again.end());
    EXPECT_EQ(again, (std::vector<seqs_t>{{1, 2}, {3, 4}, {5}}));
}

TEST_F(Order, AProbeOfAHandlerThatIsAwayHasOneGuildsEvents) {
    handler.batch_events = 5;
    for (std::uint64_t guild = 1; guild <= 4; ++guild)
        push("MESSAGE_CREATE", guild);
    refuse_connection(pull().at(0));
    for (std::uint64_t guild = 5; guild <= 9; ++guild)
        push("MESSAGE_CREATE", guild);
    ASSERT_EQ(core->snapshot().urls.at(0).state, handler_state::down);

    const auto probe = pull_later();
    ASSERT_EQ(probe.size(), 1U);
    EXPECT_EQ(probe[0].items.size(), 1U);
}

TEST_F(Order, ABatchWaitsForItsLingerAndNoLonger) {
    handler.batch_events = 3;
    handler.batch_linger = 20ms;
    push("MESSAGE_CREATE", 1);
    EXPECT_TRUE(pull().empty());
    EXPECT_EQ(core->deadline(), now + 20ms);
    pass(20ms);

    EXPECT_EQ(seqs(pull()), (seqs_t{1}));
}

TEST_F(Order, AFullBatchDoesNotLinger) {
    handler.batch_events = 2;
    handler.batch_linger = 20ms;
    push("MESSAGE_CREATE", 1);
    push("MESSAGE_CREATE", 1);

    EXPECT_EQ(seqs(pull()), (seqs_t{1, 2}));
}

TEST_F(Order, BatchesWithoutOrderTakeFromEverywhere) {
    handler.ordering = config::ordering_mode::none;
    handler.batch_events = 4;
    for (std::uint64_t i = 1; i <= 6; ++i)
        push("MESSAGE_CREATE", i);

    const auto r = pull();
    ASSERT_EQ(r.size(), 2U);
    EXPECT_EQ(r[0].items.size(), 4U);
    EXPECT_EQ(r[1].items.size(), 2U);
    answer(r[0], 422);
    const auto again = pull();
    EXPECT_EQ(again.size(), 4U);  // one by one
}

TEST_F(Order, ABatchDoesNotCrossAFence) {
    handler.ordering = config::ordering_mode::shard;
    handler.batch_events = 10;
    push("MESSAGE_CREATE", 1);
    push("READY", 0);
    push("MESSAGE_CREATE", 1);

    EXPECT_EQ(seqs(pull()), (seqs_t{1}));
}

TEST_F(Order, LanesCeaseToExist) {
    for (std::uint64_t g = 1; g <= 50; ++g)
        push("MESSAGE_CREATE", g);
    EXPECT_EQ(core->snapshot().lanes, 50U);
    for (const auto& r : pull())
        answer(r, 204);
    for (const auto& r : pull())
        answer(r, 204);

    EXPECT_EQ(core->snapshot().lanes, 0U);
    EXPECT_TRUE(core->idle());
}

TEST_F(Order, AnOutcomeOfNoRequestIsIgnored) {
    push("MESSAGE_CREATE", 1);
    const auto r = pull();
    answer(r[0], 204);
    answer(r[0], 204);
    delivery_outcome o;
    core->on_outcome(0, o, now, wall());
    core->on_outcome(~0ULL, o, now, wall());

    EXPECT_EQ(count(settled_as::accepted), 1U);
}

TEST_F(Order, InteractionsGoFirst) {
    handler.connections = 2;
    push("MESSAGE_CREATE", 1);
    push("MESSAGE_CREATE", 2);
    push("MESSAGE_CREATE", 3);
    push("INTERACTION_CREATE", 4, 0, snowflake_made(10ms));

    const auto r = pull();
    ASSERT_EQ(seqs(r), (seqs_t{4, 1}));
    EXPECT_TRUE(r[0].reserved);
    EXPECT_FALSE(r[1].reserved);
}

// The lanes' index grows with them, and what is in flight stays findable.
TEST_F(Order, ThousandsOfGuildsAtATime) {
    queue.max_events = 30000;
    constexpr std::uint64_t guilds = 5000;
    for (int round = 0; round < 3; ++round)
        for (std::uint64_t g = 1; g <= guilds; ++g)
            push("MESSAGE_CREATE", g);
    EXPECT_EQ(core->snapshot().lanes, guilds);

    std::vector<std::uint64_t> last(guilds + 1, 0);
    std::size_t sent = 0;
    for (auto requests = pull(); !requests.empty(); requests = pull())
        for (const auto& r : requests) {
            const queued_event& e = *r.items.at(0).event;
            EXPECT_GT(e.seq.value, last.at(e.guild.value));
            last.at(e.guild.value) = e.seq.value;
            ++sent;
            answer(r, 204);
        }
    EXPECT_EQ(sent, 3 * guilds);
    EXPECT_EQ(core->snapshot().lanes, 0U);
    EXPECT_TRUE(core->idle());
}

// Whatever is foretold, and whether it comes or not.
TEST_F(Order, ForetoldAnswersChangeNothing) {
    push("MESSAGE_CREATE", 1);
    push("MESSAGE_CREATE", 1);
    const auto foresee = [&](std::uint64_t request) {
        for (unsigned step = 0; step <= 4; ++step)
            core->foresee(request, step);
    };
    foresee(0);
    foresee(1);
    foresee(~std::uint64_t{0});
    const auto first = pull();
    ASSERT_EQ(seqs(first), (seqs_t{1}));
    foresee(first[0].id);
    foresee(first[0].id + 1);
    EXPECT_TRUE(pull().empty());
    answer(first[0], 500);
    foresee(first[0].id);  // landed
    const auto second = pull_later();
    ASSERT_EQ(seqs(second), (seqs_t{1}));
    foresee(first[0].id);  // its slot is another's now
    foresee(second[0].id);
    answer(second[0], 204);
    EXPECT_EQ(seqs(pull()), (seqs_t{2}));
}

}  // namespace
}  // namespace shardgate
