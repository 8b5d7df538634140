// SPDX-License-Identifier: Apache-2.0
// What a restart finds: sessions, guilds, facts, dead letters, interactions.
#include "fixture.hpp"

namespace shardgate {
namespace {

using namespace testing;

class Restart : public store_fixture {};

session_row session_of(std::uint32_t shard, std::string id, std::uint64_t safe = 0) {
    session_row s;
    s.gen = generation{1};
    s.shard = shard_id{shard};
    s.shards = shard_count{16};
    s.session_id = std::move(id);
    s.resume_url = "wss://resume.example";
    s.safe = seq_no{safe};
    s.received = seq_no{safe + 10};
    s.last_event = wall_now();
    s.guilds_loaded = true;
    return s;
}

shard_key shard_of_one(std::uint32_t shard) {
    return {generation{1}, shard_id{shard}};
}

guild_row guild_of(std::uint32_t shard, std::uint64_t guild, guild_state state) {
    return {shard_of_one(shard), snowflake{guild}, state};
}

using guild_list = std::vector<std::pair<snowflake, guild_state>>;

TEST_F(Restart, FindsSessionsInOrderWithEveryField) {
    open();
    store_batch b;
    b.sessions = {session_of(2, "two", 20), session_of(1, "one", 10)};
    store(b);
    reopen();
    ASSERT_EQ(state.sessions.size(), 2U);
    const session_row& one = state.sessions[0].row;
    EXPECT_EQ(one.gen, generation{1});
    EXPECT_EQ(one.shard, shard_id{1});
    EXPECT_EQ(one.shards, shard_count{16});
    EXPECT_EQ(one.session_id, "one");
    EXPECT_EQ(one.resume_url, "wss://resume.example");
    EXPECT_EQ(one.safe, seq_no{10});
    EXPECT_EQ(one.received, seq_no{20});
    EXPECT_EQ(one.last_event, b.sessions[1].last_event);
    EXPECT_TRUE(one.guilds_loaded);
    EXPECT_EQ(state.sessions[1].row.session_id, "two");
}

TEST_F(Restart, FindsTheLatestSessionOfAShardAlone) {
    open();
    store_batch b;
    b.sessions = {session_of(1, "one", 10)};
    store(b);
    b.sessions = {session_of(1, "another", 3)};
    store(b);
    reopen();
    ASSERT_EQ(state.sessions.size(), 1U);
    EXPECT_EQ(state.sessions[0].row.session_id, "another");
}

TEST_F(Restart, KnowsTheSpooledSeqsAboveTheSafeOne) {
    open();
    std::vector<spool_row> rows;
    const auto add = [&](std::uint64_t position, std::uint64_t seq, const std::string& session,
                         std::uint64_t epoch) {
        event_spec s;
        s.seq = seq;
        s.session = session;
        rows.push_back(row_of(position, s));
        rows.back().epoch = epoch;
    };
    add(1, 90, "one", 0);
    add(2, 120, "one", 1);
    add(3, 101, "one", 0);
    add(4, 100, "one", 0);
    add(5, 130, "an older one", 0);
    store_batch b;
    b.spool.rows = std::move(rows);
    b.sessions = {session_of(0, "one", 100), session_of(1, "one", 1)};
    store(b);
    reopen();
    ASSERT_EQ(state.sessions.size(), 2U);
    EXPECT_EQ(state.sessions[0].spooled, (numbers{101, 120}));
    EXPECT_EQ(state.sessions[1].spooled, numbers{});  // another shard
}

TEST_F(Restart, FindsGuildsAsTheLastBatchLeftThem) {
    open();
    store_batch b;
    b.sessions = {session_of(0, "a"), session_of(1, "b")};
    b.guilds = {guild_of(0, 5, guild_state::loading), guild_of(0, 6, guild_state::present),
                guild_of(0, 7, guild_state::joining), guild_of(1, 5, guild_state::present)};
    store(b);
    store_batch c;
    c.guilds = {guild_of(0, 5, guild_state::unavailable), guild_of(0, 6, guild_state::absent)};
    store(c);
    reopen();
    EXPECT_EQ(state.sessions[0].guilds, (guild_list{{snowflake{5}, guild_state::unavailable},
                                                    {snowflake{7}, guild_state::joining}}));
    EXPECT_EQ(state.sessions[1].guilds, (guild_list{{snowflake{5}, guild_state::present}}));
}

TEST_F(Restart, ClearsGuildsBeforeItSetsThem) {
    open();
    store_batch b;
    b.sessions = {session_of(0, "a")};
    b.guilds = {guild_of(0, 5, guild_state::present)};
    store(b);
    b.guilds_cleared = {shard_of_one(0)};
    b.guilds = {guild_of(0, 6, guild_state::loading)};
    store(b);
    reopen();
    EXPECT_EQ(state.sessions[0].guilds, (guild_list{{snowflake{6}, guild_state::loading}}));
}

TEST_F(Restart, ForgetsAnEndedSessionAndItsGuilds) {
    open();
    store_batch b;
    b.sessions = {session_of(0, "a"), session_of(1, "b")};
    b.guilds = {guild_of(0, 5, guild_state::present), guild_of(1, 6, guild_state::present)};
    store(b);
    store_batch ended;
    ended.sessions_ended = {shard_of_one(0)};
    store(ended);
    store_batch again;
    again.sessions = {session_of(0, "c")};
    store(again);
    reopen();
    ASSERT_EQ(state.sessions.size(), 2U);
    EXPECT_TRUE(state.sessions[0].guilds.empty());
    EXPECT_EQ(state.sessions[1].guilds.size(), 1U);
}

TEST_F(Restart, KeepsASessionThatBeganInTheBatchTheOldOneEndedIn) {
    open();
    store_batch b;
    b.sessions_ended = {shard_of_one(0)};
    b.sessions = {session_of(0, "new")};
    b.guilds = {guild_of(0, 5, guild_state::loading)};
    store(b);
    reopen();
    ASSERT_EQ(state.sessions.size(), 1U);
    EXPECT_EQ(state.sessions[0].row.session_id, "new");
    EXPECT_EQ(state.sessions[0].guilds.size(), 1U);
}

TEST_F(Restart, FindsFactsReplaced) {
    open();
    store_batch b;
    b.facts = {{"plan", "16"}, {"x", std::string("a\0b", 3)}};
    store(b);
    b.facts = {{"plan", "32"}};
    store(b);
    reopen();
    EXPECT_EQ(state.facts, (std::vector<std::pair<std::string, std::string>>{
                               {"plan", "32"}, {"x", std::string("a\0b", 3)}}));
}

TEST_F(Restart, FindsDeadLettersAndTheyCanBeFreed) {
    open();
    event_spec spec;
    spec.name = "UNHEARD_OF";
    store_batch b;
    b.spool.dead.push_back({9, 422, 3, wall_now(), "the handler said no", spec.make()});
    b.spool.dead.push_back({10, 0, 8, wall_now(), "", spec.make()});
    store(b);
    reopen();
    ASSERT_EQ(state.spool.dead.size(), 2U);
    const dead_row& d = state.spool.dead[0];
    EXPECT_EQ(d.number, 9U);
    EXPECT_EQ(d.status, 422U);
    EXPECT_EQ(d.attempts, 3U);
    EXPECT_EQ(d.when, b.spool.dead[0].when);
    EXPECT_EQ(d.reason, "the handler said no");
    expect_same_event(*d.event, *b.spool.dead[0].event);
    EXPECT_EQ(state.spool.rows, 0U);  // it is no longer in the queue

    store_batch freed;
    freed.spool.dead_done = {9, 1000};
    store(freed);
    reopen();
    ASSERT_EQ(state.spool.dead.size(), 1U);
    EXPECT_EQ(state.spool.dead[0].number, 10U);
}

TEST_F(Restart, FindsNoMoreDeadLettersThanAllowed) {
    options.dead_letters_max = 3;
    open();
    store_batch b;
    for (std::uint64_t n = 1; n <= 5; ++n)
        b.spool.dead.push_back({n, 400, 1, wall_now(), "no", event_spec{}.make()});
    store(b);
    store_batch c;
    c.spool.dead.push_back({6, 400, 1, wall_now(), "no", event_spec{}.make()});
    store(c);
    reopen();
    numbers found;
    for (const dead_row& d : state.spool.dead)
        found.push_back(d.number);
    EXPECT_EQ(found, (numbers{4, 5, 6}));
}

TEST_F(Restart, ForgetsInteractionsThatAreOverAndKeepsTheLatestWord) {
    open();
    store_batch b;
    b.spool.interactions = {{snowflake{1}, interaction_answer::deferred, wall_now() - 16min},
                            {snowflake{2}, interaction_answer::deferred, wall_now() - 14min},
                            {snowflake{3}, interaction_answer::deferred, wall_now()}};
    store(b);
    b.spool.interactions = {{snowflake{3}, interaction_answer::expired, wall_now()}};
    store(b);
    reopen();
    ASSERT_EQ(state.spool.interactions.size(), 2U);
    EXPECT_EQ(state.spool.interactions[0].id, snowflake{2});
    EXPECT_EQ(state.spool.interactions[1].id, snowflake{3});
    EXPECT_EQ(state.spool.interactions[1].how, interaction_answer::expired);
}

TEST_F(Restart, AnEmptyBatchIsStoredToo) {
    open();
    store({});
}

TEST_F(Restart, StateIsTakenOnce) {
    open();
    store_batch b;
    b.facts = {{"a", "b"}};
    store(b);
    reopen();
    EXPECT_EQ(state.facts.size(), 1U);
    EXPECT_TRUE(disk->take_state().facts.empty());
}

}  // namespace
}  // namespace shardgate
