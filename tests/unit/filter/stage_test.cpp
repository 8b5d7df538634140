// SPDX-License-Identifier: Apache-2.0
// The whole filter, fed with frames as Discord sends them.
#include "shardgate/filter/stage.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace shardgate {
namespace {

using config::edited_messages_mode;
using config::guild_create_mode;

struct recorder final : dispatch_sink, filter_listener {
    void push(const dispatch& event) override {
        passed.emplace_back(event.forward_as.empty() ? event.name : event.forward_as);
        last_seq = event.seq;
    }
    void on_filtered(const dispatch& event, drop_reason why) override {
        dropped.emplace_back(std::string(event.name), why);
    }

    std::vector<std::string> passed;
    std::vector<std::pair<std::string, drop_reason>> dropped;
    seq_no last_seq{};
};

class FilterStage : public testing::Test {
protected:
    void build(const config::filter& rules) {
        stage_ = std::make_unique<filter_stage>(rules, seen_, &seen_);
    }
    static config::filter rules(edited_messages_mode edits) {
        config::filter f;
        f.guild_create = guild_create_mode::pass;
        f.edited_messages = edits;
        return f;
    }

    // Whether it passed.
    bool feed(std::string_view name, std::string_view d, guild_mark mark = guild_mark::none) {
        if (!stage_) build(rules(edited_messages_mode::unchanged));
        text_ = R"({"op":0,"s":1,"t":")";
        text_.append(name).append("\",\"d\":{").append(d).append("}}");
        const auto e = scanner_.scan(text_);
        EXPECT_TRUE(e) << text_;
        if (!e) return false;
        dispatch event;
        event.event = e->event;
        event.name = e->t;
        event.frame = e->frame;
        event.d = e->d;
        event.fields = e->fields;
        event.seq = seq_no(++seq_);
        event.mark = mark;
        const std::size_t before = seen_.passed.size();
        stage_->push(event);
        return seen_.passed.size() > before;
    }
    bool create(std::string_view d) { return feed("MESSAGE_CREATE", d); }
    bool update(std::string_view d) { return feed("MESSAGE_UPDATE", d); }

    scanner scanner_;
    recorder seen_;
    std::unique_ptr<filter_stage> stage_;
    std::string text_;
    std::uint64_t seq_ = 0;
};

TEST_F(FilterStage, AnUnfurlIsDroppedAndARealEditForwarded) {
    EXPECT_TRUE(create(R"("id":"1","content":"https://x","embeds":[],"edited_timestamp":null)"));
    EXPECT_FALSE(update(R"("id":"1","content":"https://x","embeds":[{"url":"https://x"}])"));
    EXPECT_TRUE(update(R"("id":"1","content":"https://y","edited_timestamp":"2026")"));
    EXPECT_FALSE(
        update(R"("id":"1","content":"https://y","edited_timestamp":"2026","embeds":[1])"));
    ASSERT_EQ(seen_.dropped.size(), 2u);
    EXPECT_EQ(seen_.dropped[0], (std::pair<std::string, drop_reason>(
                                    "MESSAGE_UPDATE", drop_reason::unchanged_message)));
}

TEST_F(FilterStage, AnUpdateOfAMessageThatIsNotKnownIsForwardedAndSeeds) {
    EXPECT_TRUE(update(R"("id":"1","content":"a")"));
    EXPECT_FALSE(update(R"("id":"1","content":"a")"));
    EXPECT_TRUE(update(R"("content":"a")"));  // without an id nothing can be known
    EXPECT_TRUE(update(R"("content":"a")"));
}

TEST_F(FilterStage, AnEditBackToAnEarlierTextIsForwarded) {
    EXPECT_TRUE(create(R"("id":"1","content":"a")"));
    EXPECT_TRUE(update(R"("id":"1","content":"b")"));
    EXPECT_TRUE(update(R"("id":"1","content":"a")"));
}

TEST_F(FilterStage, PinsFlagsAndEmbedEditsOfBotsAreForwarded) {
    EXPECT_TRUE(create(R"("id":"1","content":"","embeds":[1])"));
    EXPECT_TRUE(update(R"("id":"1","content":"","embeds":[1],"pinned":true)"));
    EXPECT_TRUE(update(R"("id":"1","content":"","embeds":[1],"pinned":true,"flags":4)"));
    EXPECT_TRUE(update(
        R"("id":"1","content":"","embeds":[2],"pinned":true,"flags":4,"edited_timestamp":"x")"));
}

TEST_F(FilterStage, ADeletedMessageIsForgotten) {
    EXPECT_TRUE(create(R"("id":"1","content":"a")"));
    EXPECT_EQ(stage_->stats().edit_cache_entries, 1u);
    EXPECT_TRUE(feed("MESSAGE_DELETE", R"("id":"1","channel_id":"2")"));
    EXPECT_EQ(stage_->stats().edit_cache_entries, 0u);
    EXPECT_TRUE(update(R"("id":"1","content":"a")"));
}

TEST_F(FilterStage, TheCacheForgetsOldMessagesAndThenForwards) {
    config::filter f = rules(edited_messages_mode::unchanged);
    f.edited_messages_capacity = 2;
    build(f);
    for (const char* d :
         {R"("id":"1","content":"a")", R"("id":"2","content":"a")", R"("id":"3","content":"a")"})
        EXPECT_TRUE(create(d));
    EXPECT_EQ(stage_->stats().edit_cache_entries, 2u);
    EXPECT_FALSE(update(R"("id":"3","content":"a")"));
    EXPECT_TRUE(update(R"("id":"1","content":"a")"));
}

TEST_F(FilterStage, APartialUnfurlOfAKnownMessageIsDropped) {
    EXPECT_TRUE(create(R"("id":"1","content":"a")"));
    EXPECT_FALSE(update(R"("id":"1","channel_id":"2","embeds":[1])"));
    EXPECT_TRUE(update(R"("id":"5","channel_id":"2","embeds":[1])"));  // not known
    EXPECT_TRUE(update(R"("id":"5","channel_id":"2","embeds":[1])"));  // nor is it after that
}

TEST_F(FilterStage, APartialEditIsForwardedAndTheMessageNoLongerKnown) {
    EXPECT_TRUE(create(R"("id":"1","content":"a")"));
    EXPECT_TRUE(update(R"("id":"1","flags":4,"embeds":[])"));
    // Back to what it was before the partial update: a change, though equal to the first.
    EXPECT_TRUE(update(R"("id":"1","content":"a")"));
    EXPECT_FALSE(update(R"("id":"1","content":"a")"));
}

TEST_F(FilterStage, ModeContentComparesContentAlone) {
    build(rules(edited_messages_mode::content));
    EXPECT_TRUE(create(R"("id":"1","content":"a")"));
    EXPECT_FALSE(update(R"("id":"1","content":"a","pinned":true,"edited_timestamp":"x")"));
    EXPECT_TRUE(update(R"("id":"1","content":"b")"));
    EXPECT_FALSE(update(R"("id":"1","content":"b","embeds":[1])"));
}

TEST_F(FilterStage, ModeContentNeverDropsAnUpdateWithoutContent) {
    build(rules(edited_messages_mode::content));
    EXPECT_TRUE(create(R"("id":"1","content":"a")"));
    EXPECT_TRUE(update(R"("id":"1","embeds":[1])"));
    EXPECT_TRUE(update(R"("id":"1","flags":4)"));
    EXPECT_FALSE(update(R"("id":"1","content":"a")"));
}

TEST_F(FilterStage, ModeOffForwardsEverything) {
    build(rules(edited_messages_mode::off));
    EXPECT_TRUE(create(R"("id":"1","content":"a")"));
    EXPECT_TRUE(update(R"("id":"1","content":"a")"));
    EXPECT_TRUE(update(R"("id":"1","content":"a")"));
    EXPECT_EQ(stage_->stats().edit_cache_entries, 0u);
}

TEST_F(FilterStage, EventsWithoutFingerprintsAreForwarded) {
    build(rules(edited_messages_mode::unchanged));
    dispatch event;
    event.event = event_id::message_update;
    event.name = "MESSAGE_UPDATE";
    event.fields.id = snowflake(1);
    event.fields.has_content = true;
    stage_->push(event);
    stage_->push(event);
    EXPECT_EQ(seen_.passed.size(), 2u);
}

TEST_F(FilterStage, DropTakesKnownAndUnknownNames) {
    config::filter f = rules(edited_messages_mode::off);
    f.drop = {"TYPING_START", "SOME_NEW_EVENT"};
    build(f);
    EXPECT_FALSE(feed("TYPING_START", ""));
    EXPECT_FALSE(feed("SOME_NEW_EVENT", ""));
    EXPECT_TRUE(feed("OTHER_NEW_EVENT", ""));
    EXPECT_TRUE(feed("READY", ""));
    EXPECT_EQ(seen_.dropped[1],
              (std::pair<std::string, drop_reason>("SOME_NEW_EVENT", drop_reason::event_name)));
}

TEST_F(FilterStage, OnlyLetsNothingElsePass) {
    config::filter f = rules(edited_messages_mode::off);
    f.only = {"MESSAGE_CREATE", "SOME_NEW_EVENT", "TYPING_START"};
    f.drop = {"TYPING_START"};
    build(f);
    EXPECT_TRUE(feed("MESSAGE_CREATE", ""));
    EXPECT_TRUE(feed("SOME_NEW_EVENT", ""));
    EXPECT_FALSE(feed("TYPING_START", ""));  // drop has the last word
    EXPECT_FALSE(feed("READY", ""));
    EXPECT_FALSE(feed("OTHER_NEW_EVENT", ""));
}

TEST_F(FilterStage, EditsAreToldApartWhereMessageCreateIsDropped) {
    config::filter f = rules(edited_messages_mode::unchanged);
    f.drop = {"MESSAGE_CREATE"};
    build(f);
    EXPECT_FALSE(create(R"("id":"1","content":"a")"));
    EXPECT_FALSE(update(R"("id":"1","content":"a","embeds":[1])"));
    EXPECT_EQ(seen_.dropped.back().second, drop_reason::unchanged_message);
    EXPECT_TRUE(update(R"("id":"1","content":"b")"));
}

TEST_F(FilterStage, ModeMarkRenamesLoadingGuildsOnly) {
    config::filter f = rules(edited_messages_mode::off);
    f.guild_create = guild_create_mode::mark;
    build(f);
    EXPECT_TRUE(feed("GUILD_CREATE", R"("id":"1")", guild_mark::loaded));
    EXPECT_TRUE(feed("GUILD_CREATE", R"("id":"2")", guild_mark::joined));
    EXPECT_TRUE(feed("GUILD_CREATE", R"("id":"3")", guild_mark::available));
    EXPECT_TRUE(feed("GUILD_CREATE", R"("id":"4")", guild_mark::unavailable));
    EXPECT_EQ(seen_.passed, (std::vector<std::string>{"GUILD_LOADED_DD", "GUILD_CREATE",
                                                      "GUILD_CREATE", "GUILD_CREATE"}));
    EXPECT_EQ(seen_.last_seq, seq_no(4));
}

TEST_F(FilterStage, RulesKnowARenamedGuildByBothNames) {
    config::filter f = rules(edited_messages_mode::off);
    f.guild_create = guild_create_mode::mark;
    f.drop = {"GUILD_LOADED_DD"};
    build(f);
    EXPECT_FALSE(feed("GUILD_CREATE", R"("id":"1")", guild_mark::loaded));
    EXPECT_TRUE(feed("GUILD_CREATE", R"("id":"2")", guild_mark::joined));
    f.drop = {};
    f.only = {"GUILD_LOADED_DD"};
    build(f);
    EXPECT_TRUE(feed("GUILD_CREATE", R"("id":"1")", guild_mark::loaded));
    EXPECT_FALSE(feed("GUILD_CREATE", R"("id":"2")", guild_mark::joined));
}

TEST_F(FilterStage, ModeDropLoadedDropsLoadingGuildsOnly) {
    config::filter f = rules(edited_messages_mode::off);
    f.guild_create = guild_create_mode::drop_loaded;
    build(f);
    EXPECT_FALSE(feed("GUILD_CREATE", R"("id":"1")", guild_mark::loaded));
    EXPECT_TRUE(feed("GUILD_CREATE", R"("id":"2")", guild_mark::joined));
    EXPECT_TRUE(feed("GUILD_CREATE", R"("id":"3")", guild_mark::available));
    EXPECT_EQ(seen_.dropped[0].second, drop_reason::loaded_guild);
}

TEST_F(FilterStage, ModesPassAndAutomaticLeaveGuildsAlone) {
    for (const guild_create_mode mode : {guild_create_mode::pass, guild_create_mode::automatic}) {
        config::filter f = rules(edited_messages_mode::off);
        f.guild_create = mode;
        build(f);
        EXPECT_TRUE(feed("GUILD_CREATE", R"("id":"1")", guild_mark::loaded));
        EXPECT_EQ(seen_.passed.back(), "GUILD_CREATE");
    }
}

TEST_F(FilterStage, EveryEventIsCountedOnce) {
    config::filter f = rules(edited_messages_mode::unchanged);
    f.guild_create = guild_create_mode::drop_loaded;
    f.drop = {"TYPING_START"};
    build(f);
    feed("TYPING_START", "");
    feed("GUILD_CREATE", R"("id":"1")", guild_mark::loaded);
    create(R"("id":"1","content":"a")");
    update(R"("id":"1","content":"a")");
    update(R"("id":"1","content":"b")");
    const filter_stats stats = stage_->stats();
    EXPECT_EQ(stats.passed, 2u);
    EXPECT_EQ(stats.dropped, (std::array<std::uint64_t, drop_reason_count>{1, 1, 1}));
    EXPECT_EQ(seen_.passed.size(), 2u);
    EXPECT_EQ(seen_.dropped.size(), 3u);
}

TEST_F(FilterStage, AListenerIsNotNeeded) {
    config::filter f = rules(edited_messages_mode::off);
    f.drop = {"TYPING_START"};
    stage_ = std::make_unique<filter_stage>(f, seen_, nullptr);
    EXPECT_FALSE(feed("TYPING_START", ""));
    EXPECT_EQ(stage_->stats().dropped[0], 1u);
}

TEST(DropReason, HasANameForTheMetricsLabel) {
    EXPECT_EQ(name_of(drop_reason::event_name), "event_name");
    EXPECT_EQ(name_of(drop_reason::loaded_guild), "loaded_guild");
    EXPECT_EQ(name_of(drop_reason::unchanged_message), "unchanged_message");
}

TEST_F(FilterStage, NewRulesHoldFromTheNextEventOnAndKeepWhatIsKnownOfMessages) {
    EXPECT_TRUE(create(R"("id":"7","content":"a")"));
    EXPECT_TRUE(feed("TYPING_START", ""));
    config::filter more = rules(edited_messages_mode::unchanged);
    more.drop = {"TYPING_START"};
    stage_->set_rules(more);
    EXPECT_FALSE(feed("TYPING_START", ""));
    EXPECT_FALSE(update(R"("id":"7","content":"a")"));
    EXPECT_EQ(stage_->stats().edit_cache_entries, 1U);
    more.edited_messages = edited_messages_mode::off;
    stage_->set_rules(more);
    EXPECT_TRUE(update(R"("id":"7","content":"a")"));
    more.drop.clear();
    more.only = {"MESSAGE_CREATE"};
    stage_->set_rules(more);
    EXPECT_FALSE(feed("TYPING_START", ""));
    EXPECT_TRUE(create(R"("id":"8","content":"a")"));
}

}  // namespace
}  // namespace shardgate
