// SPDX-License-Identifier: Apache-2.0
// What of a shard is on disk: the stored guild set is that of the safe mark.
#include "shardgate/fleet/kept_session.hpp"

#include <gtest/gtest.h>

#include <map>

namespace shardgate {
namespace {

constexpr shard_key key{generation{1}, shard_id{3}};
constexpr time_point now{std::chrono::hours(1)};

session_row row(std::uint64_t safe, std::uint64_t received) {
    session_row r;
    r.gen = key.gen;
    r.shard = key.shard;
    r.session_id = "one";
    r.safe = seq_no{safe};
    r.received = seq_no{received};
    return r;
}

struct book {
    shard_guilds guilds;
    kept_session kept;
    std::map<std::uint64_t, guild_state> disk;

    void ready(std::vector<snowflake> stubs) {
        guilds.on_ready(stubs, now);
        kept.on_ready();
    }
    void create(std::uint64_t seq, std::uint64_t guild) {
        dispatch e;
        e.event = event_id::guild_create;
        e.fields.guild = snowflake{guild};
        const guild_state before = guilds.state_of(snowflake{guild});
        (void)guilds.on_dispatch(e, now);
        kept.on_guild(seq_no{seq}, snowflake{guild}, before, guilds.state_of(snowflake{guild}));
    }
    store_batch store(const session_row& r) {
        store_batch batch;
        kept.add(r, guilds, key, batch);
        if (!batch.guilds_cleared.empty()) disk.clear();
        for (const guild_row& g : batch.guilds) {
            disk[g.guild.value] = g.state;
            if (g.state == guild_state::absent) disk.erase(g.guild.value);
        }
        return batch;
    }
};

TEST(KeptSession, AJoinIsStoredOnlyWhenTheMarkCoversIt) {
    book b;
    b.ready({snowflake{1}});
    b.store(row(1, 1));
    EXPECT_EQ(b.disk, (std::map<std::uint64_t, guild_state>{{1, guild_state::loading}}));
    b.create(2, 1);
    b.create(3, 9);
    b.store(row(2, 3));
    EXPECT_EQ(b.disk, (std::map<std::uint64_t, guild_state>{{1, guild_state::present}}));
    b.store(row(3, 3));
    EXPECT_EQ(b.disk.at(9), guild_state::present);
}

TEST(KeptSession, AWholeSetIsThatOfTheMarkToo) {
    book b;
    b.ready({snowflake{1}, snowflake{2}});
    b.create(2, 1);
    b.store(row(2, 2));
    b.create(3, 2);
    b.create(4, 9);
    b.kept.forget();  // the disk begins anew
    b.store(row(2, 4));
    EXPECT_EQ(b.disk, (std::map<std::uint64_t, guild_state>{{1, guild_state::present},
                                                            {2, guild_state::loading}}));
    b.store(row(4, 4));
    EXPECT_EQ(b.disk.size(), 3U);
    EXPECT_EQ(b.disk.at(2), guild_state::present);
}

TEST(KeptSession, NothingIsWrittenWhenNothingChanged) {
    book b;
    b.ready({snowflake{1}});
    EXPECT_FALSE(b.store(row(1, 1)).empty());
    EXPECT_TRUE(b.store(row(1, 1)).empty());
    EXPECT_FALSE(b.store(row(1, 2)).empty());
}

TEST(KeptSession, ASessionThatEndedIsForgottenOnce) {
    book b;
    b.ready({snowflake{1}});
    b.store(row(1, 1));
    store_batch batch;
    b.kept.add(std::nullopt, b.guilds, key, batch);
    EXPECT_EQ(batch.sessions_ended, std::vector<shard_key>{key});
    store_batch next;
    b.kept.add(std::nullopt, b.guilds, key, next);
    EXPECT_TRUE(next.empty());
}

TEST(KeptSession, WhatWasRestoredIsNotWrittenAgainAndItsChangesAre) {
    book b;
    b.guilds.restore({{snowflake{1}, guild_state::present}}, true, now);
    b.kept.restore(row(5, 5));
    b.disk = {{1, guild_state::present}};
    b.create(6, 2);
    const store_batch batch = b.store(row(6, 6));
    EXPECT_EQ(batch.sessions.size(), 1U);
    EXPECT_EQ(batch.guilds.size(), 1U);
    EXPECT_EQ(b.disk, (std::map<std::uint64_t, guild_state>{{1, guild_state::present},
                                                            {2, guild_state::present}}));
}

}  // namespace
}  // namespace shardgate
