// SPDX-License-Identifier: Apache-2.0
// What sessions are told without the MESSAGE_CONTENT intent, and what needs no intent at all (S25).
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "sim/control.hpp"
#include "unit/sim/sim_fixture.hpp"

namespace shardgate::sim {
namespace {

using namespace testing;

constexpr std::uint64_t no_content = all_intents & ~(1ULL << 15);

// Two sessions of one shard: one may read, one may not.
struct Content : ::testing::Test {
    bench b;
    std::unique_ptr<client> reader = b.connect();
    std::unique_ptr<client> other;
    json::object full, bare;

    void SetUp() override {
        b.ready(*reader, 0, 1);
        b.pass(6s);
        other = b.connect();
        b.ready(*other, 0, 1, no_content);
    }
    // Takes the newest dispatch of both.
    void take_both() {
        const auto a = b.take(*reader);
        const auto z = b.take(*other);
        ASSERT_FALSE(a.empty());
        ASSERT_EQ(a.size(), z.size());
        full = json::parse(a.back()).at("d").as_object();
        bare = json::parse(z.back()).at("d").as_object();
        EXPECT_EQ(full.at("_n"), bare.at("_n"));
    }
    void emit(const std::string& what) {
        const auto made = control_emit(*b.p, json::parse(what), b.now);
        ASSERT_TRUE(made);
        ASSERT_EQ(made->at("made").to_number<int>(), 1) << what;
        take_both();
    }
    static bool stripped(const json::value& v) {
        const json::object& m = v.as_object();
        return m.at("content").as_string().empty() && m.at("embeds").as_array().empty() &&
               m.at("attachments").as_array().empty() && m.at("components").as_array().empty() &&
               !m.contains("poll");
    }
};

TEST_F(Content, IsEmptyWithoutTheIntent) {
    for (const char* what : {"message", "bot_message", "file", "poll", "edit", "unfurl"}) {
        emit(std::string(R"({"what":")") + what + "\"}");
        EXPECT_TRUE(stripped(bare)) << what;
        EXPECT_FALSE(stripped(full)) << what;
        for (const char* kept : {"id", "author", "mentions", "timestamp", "edited_timestamp",
                                 "guild_id", "channel_id", "flags", "type", "member"})
            EXPECT_EQ(full.at(kept), bare.at(kept)) << what << ": " << kept;
    }
    emit(R"({"what":"file"})");
    EXPECT_EQ(full.at("attachments").as_array().size(), 1U);
    emit(R"({"what":"poll"})");
    EXPECT_EQ(full.at("poll").at("answers").as_array().size(), 2U);
    emit(R"({"what":"bot_message"})");
    EXPECT_EQ(full.at("embeds").as_array().size(), 1U);
    EXPECT_EQ(full.at("components").as_array().size(), 1U);
}

TEST_F(Content, OfTheBotsOwnMessagesIsKept) {
    emit(R"({"what":"bot_message","own":true})");
    EXPECT_EQ(full, bare);
    EXPECT_EQ(bare.at("author").at("id").as_string(), std::to_string(bot_id()));
    EXPECT_FALSE(bare.at("components").as_array().empty());
}

TEST_F(Content, OfMessagesThatMentionTheBotIsKept) {
    emit(R"({"what":"message","mentions_bot":true})");
    EXPECT_EQ(full, bare);
    EXPECT_EQ(bare.at("mentions").at(0).at("id").as_string(), std::to_string(bot_id()));
    EXPECT_TRUE(bare.at("content").as_string().starts_with("<@" + std::to_string(bot_id()) + ">"));
    emit(R"({"what":"edit","mentions_bot":true})");
    EXPECT_EQ(full, bare);
    EXPECT_TRUE(bare.at("edited_timestamp").is_string());
}

TEST_F(Content, OfDirectMessagesIsKept) {
    emit(R"({"what":"message","dm":true})");
    EXPECT_EQ(full, bare);
    EXPECT_FALSE(stripped(bare));
    emit(R"({"what":"file","dm":true})");
    EXPECT_EQ(bare.at("attachments").as_array().size(), 1U);
}

TEST_F(Content, OfTheMessageThatACommandIsUsedOnIsKept) {
    emit(R"({"what":"interaction","type":2,"on_message":true})");
    EXPECT_EQ(full, bare);
    const json::object& data = bare.at("data").as_object();
    EXPECT_EQ(data.at("type").as_int64(), 3);
    const json::object& target =
        data.at("resolved").at("messages").at(data.at("target_id").as_string()).as_object();
    EXPECT_FALSE(stripped(target));
    EXPECT_NE(target.at("author").at("id").as_string(), std::to_string(bot_id()));
}

TEST_F(Content, OfAComponentsMessageIsKept) {
    emit(R"({"what":"interaction","type":3})");
    EXPECT_EQ(full, bare);
    EXPECT_FALSE(stripped(bare.at("message")));
    EXPECT_EQ(bare.at("message").at("author").at("id").as_string(), std::to_string(bot_id()));
}

TEST_F(Content, OfWhatAReplyAnswersGoesByThatMessage) {
    emit(R"({"what":"reply"})");
    EXPECT_TRUE(stripped(bare));
    EXPECT_TRUE(stripped(bare.at("referenced_message")));
    EXPECT_FALSE(stripped(full.at("referenced_message")));
    emit(R"({"what":"reply","own":true})");
    EXPECT_FALSE(stripped(bare));
    EXPECT_TRUE(stripped(bare.at("referenced_message"))) << "somebody else's";
    emit(R"({"what":"reply","mentions_bot":true})");
    EXPECT_EQ(full, bare);
    EXPECT_FALSE(stripped(bare.at("referenced_message"))) << "the bot's own";
}

TEST_F(Content, OfAPartialUnfurlIsEmptyToo) {
    b.p->settings.encoding.partial_updates = 1;
    emit(R"({"what":"unfurl"})");
    EXPECT_EQ(full.at("embeds").as_array().size(), 1U);
    EXPECT_TRUE(bare.at("embeds").as_array().empty());
    EXPECT_FALSE(bare.contains("content"));
}

TEST_F(Content, OfModeratedMessagesIsEmpty) {
    emit(R"({"what":"auto_moderation"})");
    EXPECT_EQ(full.at("content").as_string(), "a bad word");
    EXPECT_EQ(bare.at("content").as_string(), "");
    EXPECT_EQ(bare.at("matched_content").as_string(), "");
    EXPECT_EQ(bare.at("matched_keyword").as_string(), "bad");
}

TEST_F(Content, IsTheSameWhenItIsReplayed) {
    const std::string session = b.p->sessions.all().back()->id;
    const std::uint64_t seq = b.p->sessions.all().back()->seq();
    b.hang_up(*other, 4000);
    b.p->events.happen(event_kind::message_create, 0, b.now);
    other = b.connect();
    b.resume(*other, session, seq);
    const auto frames = b.take(*other);
    const auto replayed = std::find_if(frames.begin(), frames.end(), [](const std::string& f) {
        return json::parse(f).at("t").as_string() == "MESSAGE_CREATE";
    });
    ASSERT_NE(replayed, frames.end());
    EXPECT_TRUE(stripped(json::parse(*replayed).at("d")));
}

TEST_F(Content, SharesOfTheWorldsMessagesConcernTheBot) {
    b.p->settings.encoding.mentions = 0.3;
    b.p->settings.encoding.own_messages = 0.2;
    int own = 0, mentions = 0;
    constexpr int all = 2000;
    for (int i = 0; i < all; ++i) {
        b.p->events.happen(event_kind::message_create, 0, b.now);
        take_both();
        const bool mine = bare.at("author").at("id").as_string() == std::to_string(bot_id());
        const bool to_me = !bare.at("mentions").as_array().empty();
        own += mine ? 1 : 0;
        mentions += to_me ? 1 : 0;
        EXPECT_EQ(stripped(bare), !mine && !to_me);
    }
    EXPECT_NEAR(own, all * 0.2, all * 0.04);
    EXPECT_NEAR(mentions, all * 0.3, all * 0.04);
}

std::string name_in(const std::string& frame) {
    return std::string(json::parse(frame).at("t").as_string());
}

TEST(Intents, AreNotNeededForWhatIsAlwaysSent) {
    bench b;
    const auto c = b.connect();
    b.ready(*c, 0, 1, 0);
    std::set<std::string> got;
    for (std::size_t k = 0; k < event_kinds; ++k) {
        const auto kind = static_cast<event_kind>(k);
        b.p->events.happen(kind, 0, b.now);
        b.p->events.happen_in_dm(kind, 0, b.now);
        for (const std::string& f : b.take(*c)) {
            got.insert(name_in(f));
            EXPECT_EQ(type_of(kind).guild_intent, -1) << f;
        }
    }
    EXPECT_EQ(got, (std::set<std::string>{
                       "INTERACTION_CREATE", "ENTITLEMENT_CREATE", "SUBSCRIPTION_CREATE",
                       "USER_UPDATE", "APPLICATION_COMMAND_PERMISSIONS_UPDATE",
                       "GUILD_MEMBER_UPDATE", "GUILD_JOIN_REQUEST_UPDATE", "SIMULATED_NOVELTY"}));
}

TEST(Intents, TheMemberUpdateThatNeedsNoneIsTheBotsOwn) {
    bench b;
    const auto c = b.connect();
    b.ready(*c, 0, 1, 0);
    EXPECT_FALSE(b.p->events.happen(event_kind::member_update, 0, b.now));
    EXPECT_TRUE(b.p->events.happen(event_kind::own_member_update, 0, b.now));
    const json::value d = json::parse(b.take(*c).back()).at("d");
    EXPECT_EQ(d.at("user").at("id").as_string(), std::to_string(bot_id()));
    EXPECT_EQ(d.at("guild_id").as_string(), std::to_string(b.p->guilds.at(0).id));
}

TEST(Intents, AnswersToCommandsNeedNone) {
    bench b;
    const auto c = b.connect();
    b.ready(*c, 0, 1, 0);
    const std::string id = std::to_string(b.p->guilds.at(0).id);
    b.say(*c, R"({"op":8,"d":{"guild_id":")" + id + R"(","query":"a","limit":1}})");
    b.say(*c, R"({"op":31,"d":{"guild_ids":[")" + id + R"("]}})");
    b.say(*c, R"({"op":43,"d":{"guild_id":")" + id + R"(","fields":["status"]}})");
    b.say(*c, R"({"op":4,"d":{"guild_id":")" + id + R"(","channel_id":"1"}})");
    std::set<std::string> got;
    for (const std::string& f : b.take(*c))
        got.insert(name_in(f));
    EXPECT_EQ(got, (std::set<std::string>{"GUILD_MEMBERS_CHUNK", "SOUNDBOARD_SOUNDS",
                                          "CHANNEL_INFO", "VOICE_SERVER_UPDATE"}));
}

TEST(Intents, TheAccountsAffairsComeOnShardZero) {
    options o = small_options();
    o.gateway.max_concurrency = 16;
    bench b(o);
    const auto zero = b.connect();
    const auto one = b.connect();
    b.ready(*zero, 0, 2);
    b.ready(*one, 1, 2);
    const auto mine = b.p->guilds.on_shard(1, 2);
    ASSERT_FALSE(mine.empty());
    for (const event_kind kind :
         {event_kind::entitlement, event_kind::subscription, event_kind::user_update}) {
        EXPECT_TRUE(b.p->events.happen(kind, mine.front(), b.now));
        EXPECT_EQ(b.take(*one).size(), 0U);
        const auto frames = b.take(*zero);
        ASSERT_EQ(frames.size(), 1U);
        if (kind == event_kind::entitlement) {
            EXPECT_EQ(json::parse(frames[0]).at("d").at("guild_id").as_string(),
                      std::to_string(b.p->guilds.at(mine.front()).id));
        }
    }
    EXPECT_TRUE(b.p->events.happen(event_kind::command_permissions, mine.front(), b.now));
    EXPECT_EQ(b.take(*one).size(), 1U);
}

}  // namespace
}  // namespace shardgate::sim
