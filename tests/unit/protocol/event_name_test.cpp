// SPDX-License-Identifier: Apache-2.0
#include "shardgate/protocol/event_name.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace shardgate {
namespace {

TEST(EventName, EachNameIsFoundAndGivesItselfBack) {
    const auto names = known_events();
    for (std::size_t i = 1; i < names.size(); ++i) {
        EXPECT_EQ(find_event(names[i]), static_cast<event_id>(i)) << names[i];
        EXPECT_EQ(name_of(static_cast<event_id>(i)), names[i]);
    }
    EXPECT_TRUE(names[0].empty());
}

TEST(EventName, NoNameStandsTwice) {
    const auto names = known_events();
    EXPECT_EQ(std::set<std::string_view>(names.begin(), names.end()).size(), names.size());
}

TEST(EventName, TheDocumentedOnesAreAllThere) {
    std::size_t documented = 0;
    for (const std::string_view name : known_events()) {
        if (name == "GUILD_JOIN_REQUEST_CREATE") break;
        if (!name.empty()) ++documented;
    }
    EXPECT_EQ(documented, 79u);
    for (const char* name : {"VOICE_CHANNEL_START_TIME_UPDATE", "GUILD_SOUNDBOARD_SOUNDS_UPDATE",
                             "ENTITLEMENT_CREATE", "WEBHOOKS_UPDATE", "CHANNEL_INFO"})
        EXPECT_NE(find_event(name), event_id::unknown) << name;
}

TEST(EventName, NamedIdsStandForTheirNames) {
    EXPECT_EQ(name_of(event_id::ready), "READY");
    EXPECT_EQ(name_of(event_id::message_update), "MESSAGE_UPDATE");
    EXPECT_EQ(name_of(event_id::guild_members_chunk), "GUILD_MEMBERS_CHUNK");
    EXPECT_EQ(name_of(event_id::soundboard_sounds), "SOUNDBOARD_SOUNDS");
    EXPECT_EQ(name_of(event_id::voice_state_update), "VOICE_STATE_UPDATE");
    EXPECT_EQ(name_of(event_id::channel_create), "CHANNEL_CREATE");
}

TEST(EventName, OtherTextsAreUnknown) {
    for (const char* name : {"", "R", "READ", "READY_", "ready", "MESSAGE_CREATE ", "NEW_EVENT"})
        EXPECT_EQ(find_event(name), event_id::unknown) << name;
    EXPECT_EQ(find_event(std::string(100000, 'A')), event_id::unknown);
    EXPECT_EQ(find_event(std::string("READ\0", 5)), event_id::unknown);
}

TEST(EventName, NamesOneLetterAwayAreUnknown) {
    for (const std::string_view name : known_events()) {
        for (std::size_t i = 0; i < name.size(); ++i) {
            std::string near(name);
            near[i] = '#';
            EXPECT_EQ(find_event(near), event_id::unknown) << near;
        }
    }
}

TEST(EventName, AnIdBeyondTheTableHasNoName) {
    EXPECT_TRUE(name_of(static_cast<event_id>(60000)).empty());
    EXPECT_TRUE(name_of(event_id::unknown).empty());
}

TEST(EventName, ShedClassesFollowTheSheddingOrder) {
    EXPECT_EQ(shed_class_of(event_id::typing_start), shed_class::ephemeral);
    EXPECT_EQ(shed_class_of(event_id::presence_update), shed_class::ephemeral);
    EXPECT_EQ(shed_class_of(event_id::message_update), shed_class::message_updates);
    EXPECT_EQ(shed_class_of(event_id::message_create), shed_class::other);
    EXPECT_EQ(shed_class_of(event_id::unknown), shed_class::other);
    for (const char* name :
         {"READY", "INTERACTION_CREATE", "GUILD_CREATE", "GUILD_DELETE", "GUILD_MEMBER_ADD",
          "GUILD_MEMBER_REMOVE", "SHARDGATE_GAP", "SHARDGATE_GUILDS_LOADED", "GUILD_LOADED_DD"})
        EXPECT_EQ(shed_class_of(find_event(name)), shed_class::vital) << name;
}

TEST(EventName, ShedClassesHaveNames) {
    EXPECT_EQ(name_of(shed_class::ephemeral), "ephemeral");
    EXPECT_EQ(name_of(shed_class::message_updates), "message_updates");
    EXPECT_EQ(name_of(shed_class::other), "other");
    EXPECT_EQ(name_of(shed_class::vital), "vital");
}

}  // namespace
}  // namespace shardgate
