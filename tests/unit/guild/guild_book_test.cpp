// SPDX-License-Identifier: Apache-2.0
#include "shardgate/guild/guild_book.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace shardgate {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class GuildBook : public testing::Test {
protected:
    static dispatch event(event_id id, std::uint64_t guild, std::optional<bool> unavailable) {
        dispatch d;
        d.event = id;
        d.fields.guild = snowflake(guild);
        d.fields.unavailable = unavailable;
        return d;
    }
    guild_mark create(std::uint64_t guild, std::optional<bool> unavailable = std::nullopt) {
        return book_.on_dispatch(event(event_id::guild_create, guild, unavailable), now_);
    }
    guild_mark remove(std::uint64_t guild, std::optional<bool> unavailable = std::nullopt) {
        return book_.on_dispatch(event(event_id::guild_delete, guild, unavailable), now_);
    }
    void ready(std::initializer_list<std::uint64_t> guilds) {
        std::vector<snowflake> stubs;
        for (const std::uint64_t guild : guilds)
            stubs.emplace_back(guild);
        book_.on_ready(stubs, now_);
    }

    shard_guilds book_;
    time_point now_ = time_point(seconds(1000));
};

TEST_F(GuildBook, AStubThatIsAnsweredLoads) {
    ready({1, 2});
    EXPECT_EQ(book_.loading(), 2u);
    EXPECT_EQ(create(1, false), guild_mark::loaded);
    EXPECT_EQ(book_.loading(), 1u);
    EXPECT_EQ(book_.size(), 2u);
}

TEST_F(GuildBook, AnUnknownGuildIsJoined) {
    ready({1});
    EXPECT_EQ(create(5), guild_mark::joined);
    EXPECT_TRUE(book_.has(snowflake(5)));
    EXPECT_EQ(book_.size(), 2u);
    EXPECT_EQ(book_.loading(), 1u);
}

TEST_F(GuildBook, AGuildThatCameBackIsAvailable) {
    ready({1});
    EXPECT_EQ(create(1), guild_mark::loaded);
    EXPECT_EQ(remove(1, true), guild_mark::unavailable);
    EXPECT_EQ(book_.unavailable(), 1u);
    EXPECT_EQ(book_.size(), 1u);
    EXPECT_EQ(create(1), guild_mark::available);
    EXPECT_EQ(book_.unavailable(), 0u);
}

TEST_F(GuildBook, ARealLeaveForgetsTheGuild) {
    ready({1, 2});
    EXPECT_EQ(create(1), guild_mark::loaded);
    EXPECT_EQ(remove(1), guild_mark::left);
    EXPECT_FALSE(book_.has(snowflake(1)));
    EXPECT_EQ(create(1), guild_mark::joined);
    EXPECT_EQ(remove(2, false), guild_mark::left);  // a stub: no longer waited for
    EXPECT_EQ(book_.loading(), 0u);
    EXPECT_EQ(remove(77), guild_mark::left);
}

TEST_F(GuildBook, ALeaveDuringAnOutageForgetsTheGuildToo) {
    ready({1});
    EXPECT_EQ(remove(1, true), guild_mark::unavailable);
    EXPECT_EQ(remove(1), guild_mark::left);
    EXPECT_EQ(book_.unavailable(), 0u);
    EXPECT_EQ(book_.size(), 0u);
}

TEST_F(GuildBook, AnOutageAtStartAnswersTheStubAndItsReturnIsAvailable) {
    ready({1});
    EXPECT_EQ(remove(1, true), guild_mark::unavailable);
    EXPECT_EQ(book_.loading(), 0u);
    EXPECT_EQ(create(1, false), guild_mark::available);
}

TEST_F(GuildBook, AnUnavailableGuildCreateOfAStubIsNeitherLoadedNorJoined) {
    ready({1});
    EXPECT_EQ(create(1, true), guild_mark::unavailable);
    EXPECT_EQ(book_.loading(), 0u);
    EXPECT_EQ(book_.unavailable(), 1u);
    EXPECT_EQ(create(1, true), guild_mark::unavailable);
    EXPECT_EQ(create(1, false), guild_mark::available);
}

TEST_F(GuildBook, AGuildJoinedDuringAnOutageIsJoinedOnceWithItsData) {
    ready({});
    EXPECT_EQ(create(5, true), guild_mark::unavailable);
    EXPECT_EQ(book_.unavailable(), 1u);
    EXPECT_EQ(create(5, true), guild_mark::unavailable);
    EXPECT_EQ(remove(5, true), guild_mark::unavailable);
    EXPECT_EQ(create(5), guild_mark::joined);
    EXPECT_EQ(book_.unavailable(), 0u);
    EXPECT_EQ(create(5), guild_mark::available);
}

TEST_F(GuildBook, AnOutageOfAnUnknownGuildIsNoJoinLater) {
    ready({});
    EXPECT_EQ(remove(9, true), guild_mark::unavailable);
    EXPECT_TRUE(book_.has(snowflake(9)));
    EXPECT_EQ(create(9), guild_mark::available);
}

TEST_F(GuildBook, AGuildCreateThatCameTwiceIsNotJoinedTwice) {
    ready({1});
    EXPECT_EQ(create(1), guild_mark::loaded);
    EXPECT_EQ(create(1), guild_mark::available);
    EXPECT_EQ(create(2), guild_mark::joined);
    EXPECT_EQ(create(2), guild_mark::available);
}

TEST_F(GuildBook, OtherEventsAndEventsWithoutAGuildAreNotMarked) {
    ready({1});
    EXPECT_EQ(book_.on_dispatch(event(event_id::guild_update, 1, std::nullopt), now_),
              guild_mark::none);
    EXPECT_EQ(book_.on_dispatch(event(event_id::message_create, 7, true), now_), guild_mark::none);
    EXPECT_EQ(create(0), guild_mark::none);
    EXPECT_EQ(remove(0, true), guild_mark::none);
    EXPECT_EQ(book_.size(), 1u);
}

TEST_F(GuildBook, ANewReadyForgetsWhatTheOldSessionKnew) {
    ready({1, 2});
    EXPECT_EQ(create(1), guild_mark::loaded);
    EXPECT_EQ(remove(2, true), guild_mark::unavailable);
    ASSERT_TRUE(book_.take_loaded(now_));
    ready({1, 3});
    EXPECT_FALSE(book_.loaded());
    EXPECT_EQ(book_.loading(), 2u);
    EXPECT_EQ(book_.unavailable(), 0u);
    EXPECT_FALSE(book_.has(snowflake(2)));
    EXPECT_EQ(create(1), guild_mark::loaded);  // told again, never swallowed
    EXPECT_EQ(create(3), guild_mark::loaded);
    EXPECT_TRUE(book_.take_loaded(now_));
}

TEST_F(GuildBook, LoadedIsTakenOnceWhenEveryStubIsAnswered) {
    ready({1, 2, 3});
    EXPECT_EQ(create(1), guild_mark::loaded);
    EXPECT_EQ(remove(2, true), guild_mark::unavailable);
    EXPECT_FALSE(book_.take_loaded(now_));
    EXPECT_EQ(create(3), guild_mark::loaded);
    const auto loaded = book_.take_loaded(now_);
    ASSERT_TRUE(loaded);
    EXPECT_EQ(loaded->guilds, 3u);
    EXPECT_EQ(loaded->unavailable, 1u);
    EXPECT_TRUE(book_.loaded());
    EXPECT_FALSE(book_.take_loaded(now_ + seconds(100)));
    EXPECT_EQ(book_.deadline(), never);
}

TEST_F(GuildBook, ASessionWithoutGuildsIsLoadedAtOnce) {
    EXPECT_FALSE(book_.take_loaded(now_));  // but not before READY
    EXPECT_EQ(book_.deadline(), never);
    ready({});
    const auto loaded = book_.take_loaded(now_);
    ASSERT_TRUE(loaded);
    EXPECT_EQ(loaded->guilds, 0u);
}

TEST_F(GuildBook, LoadingEndsAfterAQuietPeriodSinceTheLastAnswer) {
    ready({1, 2});
    EXPECT_EQ(book_.deadline(), now_ + seconds(5));
    now_ += seconds(4);
    EXPECT_EQ(create(1), guild_mark::loaded);
    EXPECT_EQ(book_.deadline(), now_ + seconds(5));
    now_ += seconds(3);
    EXPECT_EQ(create(9), guild_mark::joined);  // no answer to a stub
    now_ += milliseconds(1999);
    EXPECT_FALSE(book_.take_loaded(now_));
    now_ += milliseconds(1);
    const auto loaded = book_.take_loaded(now_);
    ASSERT_TRUE(loaded);
    EXPECT_EQ(loaded->guilds, 3u);
    EXPECT_EQ(loaded->unavailable, 1u);
    EXPECT_EQ(book_.loading(), 1u);
    EXPECT_EQ(create(2), guild_mark::loaded);  // late, but what it is
}

TEST_F(GuildBook, TheQuietPeriodIsASetting) {
    shard_guilds book{milliseconds(200)};
    book.on_ready({snowflake(1)}, now_);
    EXPECT_FALSE(book.take_loaded(now_ + milliseconds(199)));
    EXPECT_TRUE(book.take_loaded(now_ + milliseconds(200)));
}

TEST_F(GuildBook, IdsListsEveryGuildTheBotIsIn) {
    ready({3, 18446744073709551615u});
    EXPECT_EQ(create(5), guild_mark::joined);
    EXPECT_EQ(remove(6, true), guild_mark::unavailable);
    EXPECT_EQ(remove(3), guild_mark::left);
    std::vector<snowflake> ids = book_.ids();
    std::sort(ids.begin(), ids.end());
    EXPECT_EQ(ids, (std::vector<snowflake>{snowflake(5), snowflake(6),
                                           snowflake(18446744073709551615u)}));
}

TEST_F(GuildBook, RepeatedAndEmptyStubsCountOnce) {
    ready({4, 0, 4, 4});
    EXPECT_EQ(book_.size(), 1u);
    EXPECT_EQ(book_.loading(), 1u);
    EXPECT_EQ(create(4), guild_mark::loaded);
    EXPECT_TRUE(book_.take_loaded(now_));
}

TEST_F(GuildBook, GuildsAboveTheLimitAreCountedAndNotRemembered) {
    shard_guilds book(seconds(5), 3);
    book.on_ready({snowflake(1), snowflake(2)}, now_);
    EXPECT_EQ(book.on_dispatch(event(event_id::guild_create, 3, std::nullopt), now_),
              guild_mark::joined);
    EXPECT_EQ(book.on_dispatch(event(event_id::guild_create, 4, std::nullopt), now_),
              guild_mark::joined);
    EXPECT_EQ(book.size(), 3u);
    EXPECT_EQ(book.ignored(), 1u);
    EXPECT_EQ(book.on_dispatch(event(event_id::guild_delete, 4, std::nullopt), now_),
              guild_mark::left);
    EXPECT_EQ(book.on_dispatch(event(event_id::guild_create, 1, std::nullopt), now_),
              guild_mark::loaded);
    book.on_ready({snowflake(1), snowflake(2), snowflake(3), snowflake(4), snowflake(5)}, now_);
    EXPECT_EQ(book.size(), 3u);
    EXPECT_EQ(book.loading(), 3u);
    EXPECT_EQ(book.ignored(), 3u);
}

}  // namespace
}  // namespace shardgate
